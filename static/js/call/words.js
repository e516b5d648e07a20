// What went wrong, in people's words: what happened, and what helps.
const NAMES = { camera: "camera", microphone: "microphone", screen: "screen" };
const BOTH = "camera and microphone";

const DEVICES = {
  NotAllowedError: (what) => [
    `Your browser doesn’t let this page use the ${what}`,
    "Allow it where the address of this page stands, then try again. You can also join without.",
  ],
  NotFoundError: (what) => [`There is no ${what.replace(" and ", " or ")} here`, "Plug one in and try again, or join without."],
  NotReadableError: (what) => [
    `Something else is using the ${what}`,
    "Close the other program or window that has it, then try again. You can also join without.",
  ],
  insecure: () => ["This page may not use camera and microphone", "Browsers allow that at https addresses only. You can join and see the other."],
  ended: (what) => [`The ${what} was unplugged`, "Plug it in and switch it on again, or choose another one. The session goes on."],
};
DEVICES.SecurityError = DEVICES.NotAllowedError;
DEVICES.AbortError = DEVICES.NotReadableError;
DEVICES.OverconstrainedError = DEVICES.NotFoundError;

// problems: [{kind: "camera" | "microphone" | "screen", reason: name of an error}] → {title, detail}
export function aboutDevices(problems) {
  const [first] = problems;
  const same = problems.length > 1 && problems.every((problem) => problem.reason === first.reason);
  if (!same && problems.length > 1) {
    const parts = problems.map((problem) => aboutDevices([problem]));
    return { title: parts.map((part) => part.title).join(", and "), detail: parts[0].detail };
  }
  const words = DEVICES[first.reason] ?? ((what) => [`The ${what} doesn’t start`, "Try again, or join without."]);
  const [title, detail] = words(same ? BOTH : NAMES[first.kind]);
  return { title, detail };
}

const ENDS = {
  left: ["You left the session"],
  replaced: ["You opened this session elsewhere", "It goes on in your other window. Close this one, or continue here."],
  canceled: ["This session was canceled"],
  moved: ["This session was moved"],
  too_late: ["The room is closed"],
  too_early: ["The room isn’t open yet"],
  signed_out: ["You are signed out", "Sign in again to come back."],
  unauthenticated: ["You are signed out", "Sign in again to come back."],
  csrf: ["This page is too old", "Load it again to join."],
};
const COMES_BACK = new Set(["left", "replaced", "refused"]);

// Why somebody is no longer in the room: {title, detail, again: a way back in exists, signIn: by signing in first}
export function aboutEnd({ code, detail }) {
  const [title, own] = ENDS[code] ?? ["You are not in the room any more"];
  const signIn = code === "signed_out" || code === "unauthenticated";
  return { title, detail: own ?? detail ?? "", again: COMES_BACK.has(code) || !(code in ENDS), signIn };
}
