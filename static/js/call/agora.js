// Picture and sound over Agora, with the same interface as peer.js. Whether the other is there at all is told by our own room;
// Agora's servers know who sends what.
const AGAIN = 3000; // ms between attempts to reach Agora
const NOTHING = { audio: null, video: null };

function load(address) {
  if (globalThis.AgoraRTC) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const onerror = () => reject(new Error("Agora's SDK didn't load"));
    document.head.append(Object.assign(document.createElement("script"), { src: address, onload: resolve, onerror }));
  });
}

function trackOf(user, kind) {
  return user[`${kind}Track`]?.getMediaStreamTrack() ?? null;
}

export class Agora {
  #client = null;
  #sent = NOTHING; // Agora's own wraps of what is published
  #wanted = NOTHING;
  #theirs = NOTHING;
  #turn = Promise.resolve();
  #timer = 0;
  #over = false;

  // again(): come in anew, with a new token
  constructor({ sdk, on, again }) {
    Object.assign(this, { sdk, on, again });
  }

  get isConnected() {
    return this.#client?.connectionState === "CONNECTED";
  }

  async ready(ticket) {
    this.#do(() => (this.#client ? this.#client.renewToken(ticket.token) : this.#join(ticket)));
  }

  use(tracks) {
    this.#wanted = tracks;
    this.#do(() => this.#publish());
  }

  meet() {
    const [user] = this.#client?.remoteUsers ?? [];
    if (!user) return;
    this.#theirs = { audio: trackOf(user, "audio"), video: trackOf(user, "video") }; // nobody tells twice of what is subscribed
    this.on.state("connected");
    this.on.remote(this.#theirs);
  }

  receive() {}

  part() {
    this.#theirs = NOTHING;
    this.on.remote(null);
    this.on.state("none");
  }

  close() {
    this.#over = true;
    clearTimeout(this.#timer);
    this.part();
    this.#do(() => this.#client?.leave());
  }

  async #join(ticket) {
    if (this.#over) return;
    try {
      await load(this.sdk);
      this.#client = this.#made();
      await this.#client.join(ticket.app_id, ticket.channel, ticket.token, ticket.user);
    } catch (error) {
      this.#client = null;
      if (this.#over) return;
      this.on.state("lost");
      this.#timer = setTimeout(this.again, AGAIN); // the token may be the reason
      throw error;
    }
    this.#sent = { ...NOTHING };
    await this.#publish();
  }

  #made() {
    AgoraRTC.setLogLevel(3); // warnings
    const client = AgoraRTC.createClient({ mode: "rtc", codec: "vp8" });
    const here = (step) => (...about) => client === this.#client && !this.#over && step(...about);
    client.on("user-joined", here(() => this.on.state("connected")));
    client.on("user-published", here((user, kind) => this.#do(() => this.#hear(client, user, kind))));
    client.on("user-unpublished", here((_, kind) => this.#remote(kind, null)));
    client.on("user-left", here(() => this.part()));
    client.on("connection-state-change", here((...states) => this.#changed(...states)));
    return client;
  }

  async #publish() {
    if (!this.isConnected || this.#over) return;
    for (const kind of ["audio", "video"]) {
      const [wrap, track] = [this.#sent[kind], this.#wanted[kind]];
      if (wrap && track) {
        if (wrap.getMediaStreamTrack() !== track) await wrap.replaceTrack(track, false);
      } else if (wrap) {
        this.#sent[kind] = null;
        await this.#client.unpublish(wrap);
      } else if (track) {
        const make = kind === "audio" ? "createCustomAudioTrack" : "createCustomVideoTrack";
        this.#sent[kind] = AgoraRTC[make]({ mediaStreamTrack: track });
        await this.#client.publish(this.#sent[kind]);
      }
    }
  }

  async #hear(client, user, kind) {
    await client.subscribe(user, kind);
    this.#remote(kind, trackOf(user, kind));
  }

  #remote(kind, track) {
    this.#theirs = { ...this.#theirs, [kind]: track };
    this.on.remote(this.#theirs);
  }

  #changed(state, before) {
    if (state === "RECONNECTING") this.on.state("lost");
    if (state === "DISCONNECTED" && before !== "CONNECTING") this.#thrownOut();
    if (state === "CONNECTED") this.meet();
  }

  // By Agora's servers, which don't let this client in again: the next coming in makes another.
  #thrownOut() {
    this.#client = null;
    this.on.state("lost");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.again, AGAIN);
  }

  // One thing after the other: the SDK doesn't like to be interrupted.
  #do(step) {
    this.#turn = this.#turn.then(step).catch((error) => console.warn("call:", error));
  }
}
