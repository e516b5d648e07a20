// The camera, the microphone and the screen of this device. Switched off, a camera is let go, so that its light goes out;
// a microphone is only silenced, so that the next word isn't lost. Nobody is asked again for what they allowed.
const KINDS = { camera: "video", microphone: "audio" };
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 } };

function letGo(stream) {
  for (const track of stream.getTracks()) track.stop();
}

export class Devices {
  // changed(): tracks or lists are others now; failed([{kind, reason}]): something didn't start, or went away
  constructor({ changed, failed }) {
    this.changed = changed;
    this.failed = failed;
    this.tracks = { camera: null, microphone: null, screen: null };
    this.on = { camera: true, microphone: true }; // what the person wants
    this.chosen = { camera: "", microphone: "" };
    this.asked = false;
    this.stops = 0; // what was asked for before the last one comes too late
    navigator.mediaDevices?.addEventListener("devicechange", () => this.changed());
  }

  get video() {
    return this.tracks.screen ?? this.tracks.camera;
  }

  get audio() {
    return this.tracks.microphone;
  }

  get canShare() {
    return Boolean(navigator.mediaDevices?.getDisplayMedia);
  }

  isOn(kind) {
    return Boolean(this.tracks[kind]?.enabled);
  }

  // Start what is wanted and isn't there yet.
  async start() {
    this.asked = true;
    const wanted = Object.keys(KINDS).filter((kind) => this.on[kind] && !this.tracks[kind]);
    if (wanted.length) await this.#acquire(wanted);
  }

  async turn(kind, on) {
    this.on[kind] = on;
    const track = this.tracks[kind];
    if (kind === "microphone" && track) track.enabled = on;
    else if (!on) this.#release(kind);
    else return this.#acquire([kind]);
    this.changed();
  }

  async choose(kind, id) {
    this.chosen[kind] = id;
    const enabled = this.isOn(kind);
    this.#release(kind);
    if (enabled) await this.#acquire([kind]);
    else this.on[kind] = false;
  }

  async share() {
    const stops = this.stops;
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: false });
      if (stops !== this.stops) return letGo(stream);
      const [track] = stream.getVideoTracks();
      track.contentHint = "detail";
      this.#keep("screen", track);
    } catch (error) {
      if (error.name !== "NotAllowedError") this.failed([{ kind: "screen", reason: error.name }]);
    }
    this.changed();
  }

  stopSharing() {
    this.#release("screen");
    this.changed();
  }

  stop() {
    this.stops += 1;
    for (const kind of Object.keys(this.tracks)) this.#release(kind);
    this.changed();
  }

  // {camera: [{id, label}], microphone: […], speaker: […]}, empty where the browser doesn't tell
  async list() {
    const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    const of = (kind) => all.filter((one) => one.kind === kind && one.deviceId).map((one) => ({ id: one.deviceId, label: one.label }));
    return { camera: of("videoinput"), microphone: of("audioinput"), speaker: of("audiooutput") };
  }

  // At once where one question to the person suffices; singly where that failed, to know what is missing.
  async #acquire(kinds) {
    if (!navigator.mediaDevices?.getUserMedia) return this.failed(kinds.map((kind) => ({ kind, reason: "insecure" })));
    let problems = await this.#ask(kinds);
    if (problems.length > 1) {
      const refused = problems[0].reason === "NotAllowedError";
      const again = refused ? await this.#notDenied(kinds) : kinds;
      const rest = problems.filter((problem) => !again.includes(problem.kind));
      problems = [...rest, ...(await Promise.all(again.map((kind) => this.#ask([kind])))).flat()];
    }
    for (const { kind } of problems) this.on[kind] = false;
    this.changed();
    if (problems.length) this.failed(problems);
  }

  async #ask(kinds) {
    const stops = this.stops;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: kinds.includes("camera") && { ...PICTURE, ...this.#exactly("camera") },
        audio: kinds.includes("microphone") && { ...this.#exactly("microphone") },
      });
      if (stops !== this.stops) letGo(stream);
      else for (const kind of kinds) this.#keep(kind, stream.getTracks().find((track) => track.kind === KINDS[kind]));
      return [];
    } catch (error) {
      return stops === this.stops ? kinds.map((kind) => ({ kind, reason: error.name })) : [];
    }
  }

  // Of two that were refused together, the one that isn't refused alone; nobody is asked twice.
  async #notDenied(kinds) {
    const states = await Promise.all(
      kinds.map((name) => navigator.permissions.query({ name }).then(({ state }) => state, () => "unknown")),
    );
    return kinds.filter((_, index) => states[index] === "granted" || (states[index] === "prompt" && states.includes("denied")));
  }

  #exactly(kind) {
    return this.chosen[kind] ? { deviceId: { exact: this.chosen[kind] } } : {};
  }

  #keep(kind, track) {
    this.#release(kind);
    this.tracks[kind] = track;
    track.addEventListener("ended", () => {
      if (this.tracks[kind] !== track) return;
      this.tracks[kind] = null;
      if (kind in this.on) this.on[kind] = false;
      this.changed();
      if (kind !== "screen") this.failed([{ kind, reason: "ended" }]);
    });
  }

  #release(kind) {
    const track = this.tracks[kind];
    this.tracks[kind] = null;
    track?.stop();
  }
}
