// The check of the devices: which there are, whether the microphone hears something, whether the speaker sounds.
const KINDS = ["microphone", "camera", "speaker"];
const NOTES = [523.25, 659.25, 783.99]; // C, E, G in Hz

export class Check {
  #sound = null;
  #source = null;
  #heard = null;

  constructor(devices, { speaker }) {
    this.devices = devices;
    this.level = document.getElementById("level");
    for (const kind of KINDS) {
      this.#pick(kind).addEventListener("change", ({ target }) => (kind === "speaker" ? this.#speak(target.value, speaker) : devices.choose(kind, target.value)));
    }
    document.getElementById("play-sound").addEventListener("click", () => this.play());
    setInterval(() => this.#measure(), 100);
  }

  // After every change of the devices.
  async show() {
    this.#listen(this.devices.audio);
    const lists = await this.devices.list();
    for (const kind of KINDS) {
      const select = this.#pick(kind);
      const used = this.devices.tracks[kind]?.getSettings().deviceId ?? select.value;
      select.replaceChildren(...lists[kind].map(({ id, label }, index) => new Option(label || `${kind} ${index + 1}`, id, false, id === used)));
      const silent = kind === "speaker" && !("setSinkId" in HTMLMediaElement.prototype);
      document.getElementById(`pick-${kind}-field`).hidden = silent || lists[kind].length < 1;
    }
  }

  async play() {
    const sound = this.#context();
    const out = sound.createMediaStreamDestination();
    NOTES.forEach((frequency, index) => {
      const [tone, volume, at] = [sound.createOscillator(), sound.createGain(), sound.currentTime + index * 0.3];
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0.2, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + 0.6);
      tone.connect(volume).connect(out);
      tone.start(at);
      tone.stop(at + 0.6);
    });
    const speaker = Object.assign(new Audio(), { srcObject: out.stream });
    if (this.#pick("speaker").value) await speaker.setSinkId?.(this.#pick("speaker").value);
    await speaker.play();
    document.getElementById("sound-note").textContent = "Three notes are playing. Hear nothing? Choose another speaker, or turn the volume up.";
  }

  #pick(kind) {
    return document.getElementById(`pick-${kind}`);
  }

  #context() {
    this.#sound ??= new AudioContext();
    if (this.#sound.state === "suspended") this.#sound.resume();
    return this.#sound;
  }

  #listen(track) {
    if (track === this.#heard) return;
    this.#heard = track;
    this.#source?.disconnect();
    this.#source = null;
    if (!track) return;
    const sound = this.#context();
    this.analyser ??= Object.assign(sound.createAnalyser(), { fftSize: 1024 });
    this.#source = sound.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.analyser);
  }

  #measure() {
    if (!this.level.checkVisibility()) return;
    let loudest = 0;
    if (this.#source) {
      const wave = new Float32Array(this.analyser.fftSize);
      this.analyser.getFloatTimeDomainData(wave);
      loudest = wave.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    }
    const shown = Math.min(100, Math.round(Math.sqrt(loudest) * 100));
    this.level.setAttribute("aria-valuenow", shown);
    this.level.firstElementChild.style.setProperty("--level", shown / 100);
  }

  async #speak(id, element) {
    await element.setSinkId?.(id);
  }
}
