// Business time, as the server told it when the page was made; the countdown of the door and the time that is left.
const MINUTE = 60_000;
const TOLD = [10, 5, 1]; // minutes left that are said aloud

export class Time {
  constructor({ now, ends, closes }) {
    this.offset = Date.parse(now) - performance.now();
    this.at({ ends, closes });
  }

  at({ ends, closes }) {
    this.ends = Date.parse(ends);
    this.closes = Date.parse(closes);
  }

  get now() {
    return performance.now() + this.offset;
  }

  // {text, aloud: the same text where it is to be said, is: "running" | "ending" | "over"}
  left() {
    const minutes = Math.ceil((this.ends - this.now) / MINUTE);
    if (minutes > 0) {
      const text = `${minutes} min left`;
      return { text, aloud: TOLD.includes(minutes) ? `${minutes} minute${minutes === 1 ? "" : "s"} left` : "", is: minutes > TOLD[1] ? "running" : "ending" };
    }
    const rest = Math.max(0, Math.ceil((this.closes - this.now) / MINUTE));
    return { text: `Over time, the room closes in ${rest} min`, aloud: rest === 30 || rest === 5 ? `The time is over; the room closes in ${rest} minutes` : "", is: "over" };
  }
}

function words(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days) return `in ${days} d ${hours} h`;
  if (hours) return `in ${hours} h ${minutes} min`;
  return `in ${minutes}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

// Counts the door's seconds down and asks for it anew when they are through. `opened` hears when it stands open.
export function countDown(opened) {
  let door = null;
  let until = 0;
  const tick = () => {
    const found = document.getElementById("door");
    if (found !== door) {
      const waited = Boolean(door?.dataset.opensIn);
      door = found;
      until = performance.now() + Number(door.dataset.opensIn) * 1000;
      if ("open" in door.dataset) opened(waited);
    }
    if (!door.dataset.opensIn) return;
    const seconds = (until - performance.now()) / 1000;
    door.querySelector(".countdown").textContent = words(Math.max(0, seconds));
    if (seconds > 0 || door.dataset.asked) return;
    door.dataset.asked = "";
    door.dispatchEvent(new CustomEvent("opens"));
  };
  document.addEventListener("htmx:after:swap", tick);
  setInterval(tick, 1000);
  tick();
}
