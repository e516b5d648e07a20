// A session's room, put together: devices, a seat in the room, picture and sound, and what the page shows of them. The modules'
// addresses change with their content, so they are handed over by the page instead of importing each other; what isn't needed
// to see the lobby is fetched when it is used.
const root = document.getElementById("call");
const { dataset } = root;
const modules = JSON.parse(dataset.modules);
const bring = (name) => import(modules[name]);
const [{ Time, countDown }, { View }] = await Promise.all([bring("time"), bring("view")]);
const NOTICE = 9000; // ms that a word about a device stays
const SILENCE = 3000; // ms without picture and sound after which our own line is doubted
const ALONE = { camera: false, microphone: false, screen: false };

for (const words of root.querySelectorAll(".without-script")) words.remove(); // where styles know nothing of scripts
const view = new View(root);
const time = new Time(dataset);

let devices = null;
let check = null;
let words = null;
let room = null;
let media = null;
let prepared = Promise.resolve(); // once the adapter is there
let doubt = 0;
let wake = null;
// line: "out" | "joining" | "in" | "lost"; other: they are there; link: "none" | "connected" | "lost"
const now = { line: "out", other: false, link: "none", theirs: ALONE, tracks: null, problems: [], notice: "" };

// -- devices -----------------------------------------------------------------------------------------------------------

async function useDevices() {
  if (devices) return;
  const [{ Check }, { Devices }, said] = await Promise.all(["check", "devices", "words"].map(bring));
  if (devices) return; // asked for twice at once
  words = said;
  devices = new Devices({ changed: onDevices, failed: onProblems });
  check = new Check(devices, { speaker: document.getElementById("theirs") });
}

function own() {
  return { camera: devices.isOn("camera"), microphone: devices.isOn("microphone"), screen: Boolean(devices.tracks.screen) };
}

function onDevices() {
  view.own({ ...own(), video: devices.video, canShare: devices.canShare });
  check.show();
  media?.use({ audio: devices.audio, video: devices.video });
  tell();
}

function onProblems(problems) {
  now.problems = problems;
  const about = words.aboutDevices(problems);
  view.problem({ ...about, retry: now.line === "out" });
  if (now.line !== "out") notice(`${about.title}. ${about.detail}`);
}

async function startDevices() {
  now.problems = [];
  view.problem(null);
  await useDevices();
  await devices.start();
  askedFor();
}

function askedFor() {
  devices.asked = true;
  document.getElementById("device-ask").hidden = true;
  document.getElementById("devices").hidden = false;
}

async function turn(kind) {
  await useDevices();
  const on = !devices.isOn(kind);
  if (!devices.asked) devices.on = { camera: false, microphone: false };
  view.problem(null);
  now.problems = [];
  await devices.turn(kind, on);
  askedFor();
  if (!now.problems.length) view.say(`${kind === "camera" ? "Camera" : "Microphone"} ${on ? "on" : "off"}.`);
  show();
}

async function turnScreen() {
  const before = devices.tracks.screen;
  if (before) devices.stopSharing();
  else await devices.share();
  if (devices.tracks.screen) view.say(`${dataset.other} sees your screen.`);
  else if (before) view.say("Your screen is no longer shared.");
  show();
}

// -- coming in and leaving ---------------------------------------------------------------------------------------------

async function join() {
  view.joining("");
  const { Room } = await Promise.all([bring("room"), useDevices()]).then(([found]) => found, () => ({}));
  if (!Room) return view.joining("Not everything that this needs was loaded. Check your connection, then try again.", false);
  if (!devices.asked) {
    await startDevices();
    if (now.problems.length) return view.joining("Join now, or set your devices right first.", false);
  } else if (now.line === "out") await devices.start();
  now.line = "joining";
  room = new Room({ token: dataset.token, csrf: dataset.csrf, on: { joined, other, gone, signal, consent, lost, ended } });
  room.enter();
}

function joined(ticket, message) {
  const first = now.line === "joining";
  now.line = "in";
  time.at({ ends: message.ends_at, closes: message.closes_at });
  prepared = prepared.then(() => prepare(ticket, message)).catch(() => setTimeout(() => room?.rejoin(), SILENCE));
  if (first) {
    view.joining("", false);
    view.settle(true);
    view.stage("room");
    stayAwake();
  }
  show();
}

async function prepare(ticket, message) {
  const seat = room;
  if (!media) {
    const on = { remote, state: linked };
    const { Agora, Peer } = await bring(ticket.provider);
    if (seat !== room) return; // left meanwhile
    media = Agora
      ? new Agora({ sdk: dataset.agora, on, again: () => room?.rejoin() })
      : new Peer({ page: room.page, send: (data) => room?.send(data), on });
    media.use({ audio: devices.audio, video: devices.video });
  }
  await media.ready(ticket, message);
}

function other(page) {
  now.other = true;
  tell();
  prepared.then(() => media?.meet(page));
  show();
}

// They left, or their line dropped: as long as we see and hear them, they aren't gone.
function gone(left) {
  now.other = false;
  if (left || !media?.isConnected || now.link !== "connected") part();
  show();
}

function part() {
  now.other = false;
  now.link = "none";
  now.theirs = ALONE;
  prepared.then(() => media?.part());
}

function signal(data) {
  if (data.state) now.theirs = data.state;
  else prepared.then(() => media?.receive(data));
  show();
}

function consent() {
  document.getElementById("consent").dispatchEvent(new CustomEvent("consent"));
}

function lost() {
  now.line = "lost";
  show();
}

function ended(why) {
  if (now.line === "joining" && !media) {
    now.line = "out";
    room = null;
    view.joining(why.detail ?? "", false);
    if (why.code === "unauthenticated") location.assign(dataset.signIn);
    return;
  }
  finish(why);
}

function leave() {
  room.leave();
  finish({ code: "left", detail: `${dataset.other} sees that you left. You can come back until the room closes.` });
}

function finish(why) {
  Object.assign(now, { line: "out", other: false, theirs: ALONE, notice: "" });
  media?.close();
  [room, media, prepared] = [null, null, Promise.resolve()];
  clearTimeout(doubt);
  devices.stop();
  wake?.release();
  view.settle(false);
  view.left(words.aboutEnd(why), time.left().is === "over");
}

async function stayAwake() {
  wake = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
}

// -- picture and sound -------------------------------------------------------------------------------------------------

function tell() {
  room?.send({ state: own() });
}

function remote(tracks) {
  now.tracks = tracks;
  show();
}

// While nothing comes through although the other is there, it may be our own line that is dead without knowing it.
function linked(state) {
  now.link = state;
  clearTimeout(doubt);
  if (state === "lost" && !now.other) part();
  else if (state === "connected") tell();
  else if (state === "lost") doubt = setTimeout(() => room?.rejoin(), SILENCE);
  show();
}

// -- what is shown -----------------------------------------------------------------------------------------------------

function shownWords() {
  const name = dataset.other;
  if (now.line === "lost") return { state: "Reconnecting", note: "", line: "We are reconnecting you…" };
  if (!now.other && now.link !== "connected") return { state: "Waiting", note: `${name} isn’t here yet. You are connected as soon as you are both here.`, line: "" };
  if (now.link === "lost") return { state: "Reconnecting", note: "", line: `The connection to ${name} was lost. We are reconnecting you…` };
  if (now.link === "none") return { state: "Connecting", note: `${name} is here. Connecting you…`, line: "" };
  const silent = now.theirs.microphone ? "" : `${name}’s microphone is off.`;
  if (now.theirs.screen) return { state: "Connected", note: "", line: `You see ${name}’s screen.` };
  return { state: "Connected", note: now.theirs.camera ? "" : `${name}’s camera is off.`, line: silent };
}

// Something about one's own devices, for a while over everything else.
function notice(text) {
  now.notice = text;
  clearTimeout(now.fading);
  now.fading = setTimeout(() => notice(""), NOTICE);
  view.say(text);
  show();
}

function show() {
  const shown = shownWords();
  const key = `${shown.state}|${shown.note}|${shown.line}`;
  const shows = Boolean(now.tracks?.video) && (now.theirs.camera || now.theirs.screen) && now.link !== "none";
  view.theirs({ audio: now.tracks?.audio, video: now.tracks?.video, shows, isScreen: now.theirs.screen });
  view.words(now.notice ? { ...shown, line: now.notice } : shown);
  view.time(time.left());
  if (key !== now.key && now.line !== "out") view.say([shown.state === "Connected" && `You are connected to ${dataset.other}.`, shown.note, shown.line].filter(Boolean).join(" "));
  now.key = key;
}

// -- the person --------------------------------------------------------------------------------------------------------

const CLICKS = {
  join, leave, again: () => { view.stage("lobby"); join(); },
  "device-start": startDevices, "device-again": () => { devices.on = { camera: true, microphone: true }; startDevices(); },
  "lobby-camera": () => turn("camera"), "room-camera": () => turn("camera"),
  "lobby-microphone": () => turn("microphone"), "room-microphone": () => turn("microphone"),
  "room-screen": turnScreen, hear: () => document.getElementById("theirs").play().then(() => (document.getElementById("hear").hidden = true)),
};

root.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.side) view.side(button.dataset.side);
  else CLICKS[button?.id]?.();
});

root.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.closest("#room-side")) {
    const opener = root.querySelector('[data-side][aria-expanded="true"]');
    view.side(opener.dataset.side);
    opener.focus();
  }
});

addEventListener("pagehide", () => {
  room?.leave();
  media?.close();
  devices?.stop(); // a page that is kept for going back hears and sees nothing
});
addEventListener("pageshow", (event) => event.persisted && location.reload());

countDown((waited) => {
  view.enable(true);
  if (waited) view.say("The door is open. You can join now.");
});
setInterval(() => now.line !== "out" && view.time(time.left()), 1000);
view.enable(true);
const granted = await Promise.all(["camera", "microphone"].map((name) => navigator.permissions?.query({ name }).then(({ state }) => state === "granted", () => false)));
if (granted.every(Boolean)) startDevices();
root.dataset.ready = "";
