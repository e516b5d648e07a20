// What the page shows and says aloud. Knows nothing of lines and devices: it is told.
const byId = (id) => document.getElementById(id);
const SECTIONS = { lobby: "call-lobby", room: "call-room", left: "call-left" };
const HEADINGS = { room: "room-label", left: "left-label" };

export class View {
  constructor(root) {
    this.root = root;
    this.other = root.dataset.other;
    this.said = byId("call-said");
  }

  stage(name) {
    this.root.dataset.stage = name;
    for (const [stage, id] of Object.entries(SECTIONS)) byId(id).hidden = stage !== name;
    if (HEADINGS[name]) byId(HEADINGS[name]).focus();
  }

  // For those who don't see the page.
  say(text) {
    if (text && text !== this.said.textContent) this.said.textContent = text;
  }

  // Devices and consent stand where they are needed: once, before the room or beside the picture.
  settle(inRoom) {
    byId("devices").hidden = false;
    if (inRoom) byId("side-more").append(byId("devices"), byId("consent"));
    else for (const id of ["devices", "consent"]) byId(`${id}-home`).append(byId(id));
  }

  joining(note, busy = true) {
    const button = byId("join");
    if (!button) return;
    button.disabled = busy;
    button.textContent = busy ? "Joining…" : "Join the session";
    byId("join-note").textContent = note;
  }

  enable(on) {
    for (const control of this.root.querySelectorAll(".control, #device-start, #join")) control.disabled = !on;
  }

  own({ camera, microphone, screen, video, canShare }) {
    const pressed = { "lobby-camera": camera, "room-camera": camera, "lobby-microphone": microphone, "room-microphone": microphone, "room-screen": screen };
    for (const [id, on] of Object.entries(pressed)) byId(id).setAttribute("aria-pressed", String(on));
    byId("room-screen").hidden = !canShare;
    picture(byId("preview"), byId("preview-picture"), video);
    picture(byId("self"), byId("mine"), video);
    byId("mine").classList.toggle("is-mirrored", !screen);
    byId("mine-note").textContent = screen ? "Your screen" : microphone ? "You" : "You, silent";
    byId("preview-note").textContent = microphone ? "Your camera is off." : "Nobody sees or hears you yet.";
  }

  theirs({ audio, video, shows, isScreen }) {
    const element = byId("theirs");
    const tracks = [audio, video].filter(Boolean);
    const now = element.srcObject?.getTracks() ?? [];
    if (tracks.length !== now.length || tracks.some((track) => !now.includes(track))) {
      element.srcObject = tracks.length ? new MediaStream(tracks) : null;
      if (tracks.length) this.#play(element);
    }
    element.hidden = !shows;
    byId("stage").dataset.picture = shows ? "on" : "off";
    byId("stage").dataset.fit = isScreen ? "whole" : "fill";
  }

  // state: beside the name; note: instead of the picture; line: over it
  words({ state, note, line }) {
    byId("room-state").textContent = state;
    byId("stage-note").textContent = note;
    byId("stage-line").textContent = line;
    byId("stage-line").hidden = !line;
  }

  time({ text, aloud, is }) {
    const element = byId("time-left");
    if (element.textContent === text) return;
    element.textContent = text;
    element.dataset.is = is;
    if (aloud) this.say(`${aloud}.`);
  }

  // One panel beside the picture at a time, or none.
  side(id) {
    for (const button of this.root.querySelectorAll("[data-side]")) {
      const open = button.dataset.side === id && button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", String(open));
      byId(button.dataset.side).hidden = !open;
    }
    const opened = this.root.querySelector('[data-side][aria-expanded="true"]');
    byId("room-side").hidden = !opened;
    if (opened) byId(opened.dataset.side).querySelector("textarea, h3").focus();
  }

  problem(words) {
    const box = byId("device-problem");
    box.hidden = !words;
    if (!words) return box.replaceChildren();
    const [title, detail] = [document.createElement("h3"), document.createElement("p")];
    title.textContent = `${words.title}.`;
    detail.textContent = words.detail;
    box.replaceChildren(title, detail);
    if (words.retry) {
      const again = Object.assign(document.createElement("button"), { type: "button", id: "device-again", className: "button button-quiet button-small", textContent: "Try again" });
      box.append(again);
    }
  }

  // isOver: there may be something else to do first
  left({ title, detail, again, signIn }, isOver) {
    byId("left-label").textContent = title;
    byId("left-why").textContent = detail;
    byId("again").hidden = !again;
    byId("again").classList.toggle("button-quiet", isOver);
    const way = byId("left-way");
    if (signIn) Object.assign(way, { href: this.root.dataset.signIn, textContent: "Sign in" });
    way.classList.toggle("button-quiet", again);
    this.#styles();
    this.stage("left");
    byId("left-after").dispatchEvent(new CustomEvent("left"));
  }

  // Those of what comes after the session.
  #styles() {
    const { late } = this.root.dataset;
    if (late) document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: late }));
    delete this.root.dataset.late;
  }

  // Browsers play no sound before the first touch of a page.
  #play(element) {
    element.play().then(
      () => (byId("hear").hidden = true),
      (error) => {
        if (error.name === "NotAllowedError") byId("hear").hidden = false;
      },
    );
  }
}

function picture(frame, element, track) {
  if (element.srcObject?.getVideoTracks()[0] !== (track ?? undefined)) element.srcObject = track ? new MediaStream([track]) : null;
  element.hidden = !track;
  frame.dataset.picture = track ? "on" : "off";
}
