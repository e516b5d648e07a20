// Picture and sound straight from browser to browser. Only one of the two makes offers, so that they never cross. One
// transceiver for sound and one for the picture stand from the start: what is sent through them changes without a word to the
// other. While the connection is down, ways are looked for anew again and again.
const FIRST_TRY = 6000; // ms that a first connection may take
const AGAIN = 4000; // ms between attempts to find a way
const WAIT = 1500; // ms that a silence may last before a new way is looked for

export class Peer {
  #pc = null;
  #other = null;
  #tracks = { audio: null, video: null };
  #timer = 0;
  #turn = Promise.resolve();

  // on: remote({audio, video} or null), state("none" | "connected" | "lost"); send(data): to the other's adapter
  constructor({ page, send, on }) {
    Object.assign(this, { page, send, on });
  }

  get isConnected() {
    return this.#pc?.connectionState === "connected";
  }

  // After every coming in.
  async ready(ticket, { initiator }) {
    this.config = { iceServers: ticket.ice_servers, bundlePolicy: "max-bundle" };
    this.initiator = initiator;
    this.#pc?.setConfiguration(this.config);
  }

  use(tracks) {
    this.#tracks = tracks;
    this.#attach();
  }

  // The other is there: somebody new, or the one whose line had dropped.
  meet(page) {
    if (!this.#pc || page !== this.#other) this.#begin(page);
    else if (!this.isConnected) this.#restart();
  }

  receive(data) {
    if (data.to !== this.page) return; // for the page that was here before a reload
    this.#turn = this.#turn.then(() => this.#take(data)).catch((error) => console.warn("call:", error));
  }

  // The other left.
  part() {
    clearTimeout(this.#timer);
    this.#pc?.close();
    this.#pc = null;
    this.#other = null;
    this.on.remote(null);
    this.on.state("none");
  }

  close() {
    this.part();
  }

  #begin(page) {
    this.part();
    const pc = new RTCPeerConnection(this.config);
    this.#pc = pc;
    this.#other = page;
    pc.onicecandidate = ({ candidate }) => candidate && this.#tell({ candidate });
    pc.ontrack = () => this.#remote();
    pc.onconnectionstatechange = () => pc === this.#pc && this.#changed(pc.connectionState);
    this.#later(FIRST_TRY);
    if (!this.initiator) return;
    pc.addTransceiver("audio");
    pc.addTransceiver("video");
    this.#attach();
    this.#offer();
  }

  async #take({ from, description, candidate, restart }) {
    if (description?.type === "offer" && (!this.#pc || from !== this.#other)) this.#begin(from);
    const pc = this.#pc;
    if (!pc || from !== this.#other) return;
    if (restart && this.initiator && !this.isConnected) await this.#offer(true);
    if (candidate) await pc.addIceCandidate(candidate);
    if (description?.type === "answer" && pc.signalingState === "have-local-offer") await pc.setRemoteDescription(description);
    if (description?.type !== "offer") return;
    await pc.setRemoteDescription(description);
    this.#attach();
    await pc.setLocalDescription();
    this.#tell({ description: pc.localDescription });
  }

  async #offer(iceRestart = false) {
    const pc = this.#pc;
    await pc.setLocalDescription(await pc.createOffer({ iceRestart }));
    this.#tell({ description: pc.localDescription });
  }

  #changed(state) {
    if (state === "connected") {
      clearTimeout(this.#timer);
      this.on.state("connected");
    } else if (state === "disconnected" || state === "failed") {
      this.on.state("lost");
      this.#later(state === "failed" ? 0 : WAIT);
    }
  }

  #later(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => !this.isConnected && this.#restart(), pause);
  }

  #restart() {
    if (this.initiator) this.#turn = this.#turn.then(() => this.#pc && this.#offer(true)).catch((error) => console.warn("call:", error));
    else this.#tell({ restart: true });
    this.#later(AGAIN);
  }

  #attach() {
    for (const transceiver of this.#pc?.getTransceivers() ?? []) {
      transceiver.direction = "sendrecv";
      transceiver.sender.replaceTrack(this.#tracks[transceiver.receiver.track.kind]);
    }
  }

  #remote() {
    const tracks = this.#pc.getReceivers().map((receiver) => receiver.track);
    const of = (kind) => tracks.find((track) => track.kind === kind) ?? null;
    this.on.remote({ audio: of("audio"), video: of("video") });
  }

  #tell(data) {
    this.send({ from: this.page, to: this.#other, ...data });
  }
}
