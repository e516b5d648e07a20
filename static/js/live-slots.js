// Live removal: the server sends `slots` with {"start", "end"}, the range in which offers of this instructor changed. If
// the shown day meets it, the day is asked for again; slots that are gone leave softly before the swap, and are named.
const live = document.getElementById("live");
const note = document.getElementById("live-note");
let connections = 0;

function refresh() {
  document.getElementById("day").dispatchEvent(new CustomEvent("slots-changed"));
}

live.addEventListener("slots", (event) => {
  const changed = JSON.parse(event.detail.data);
  const { starts, ends } = document.getElementById("day").dataset;
  if (Date.parse(changed.start) >= Date.parse(ends) || Date.parse(changed.end) <= Date.parse(starts)) return;
  // Everybody who looks at this day hears the same event: spread the questions over half a second.
  setTimeout(refresh, Math.random() * 500);
});

// Back from a pause (tab in the background, network gone): what was missed is asked for once.
live.addEventListener("htmx:sse:after:connection", () => {
  connections += 1;
  if (connections > 1) refresh();
});

// What the page said about the visitor's own booking outlives the news about it, which comes a moment later.
function keepNotes(day) {
  const notes = [...document.querySelectorAll("#day > .booked, #day > .banner")].map((note) => note.cloneNode(true));
  for (const note of notes) note.removeAttribute("autofocus");
  day?.prepend(...notes);
}

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx, tasks } = event.detail;
  if (ctx.sourceEvent?.type !== "slots-changed") return;
  keepNotes(tasks[0].fragment.querySelector("#day"));
  const stays = new Set([...tasks[0].fragment.querySelectorAll(".slot")].map((slot) => slot.id));
  const leaving = [...document.querySelectorAll("#day .slot")].filter((slot) => !stays.has(slot.id));
  for (const slot of leaving) slot.classList.add("is-leaving");
  const times = leaving.map((slot) => slot.querySelector("time").textContent).join(", ");
  if (times) note.textContent = `No longer free: ${times}.`;
});
