// The month as a grid for the keyboard: one tab stop, arrows by day and week, Home and End within the week, Page Up and
// Page Down by month. Days stay plain links. Also keeps the chosen day marked when only #day was swapped, says it aloud,
// and brings it into view on a phone.
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
const TURNS = { PageUp: "month-previous", PageDown: "month-next" };
const links = () => [...document.querySelectorAll("[data-calendar-grid] a.day-cell")];
let focusAfterTurn = false;

function prepare() {
  const days = links();
  const chosen = document.getElementById("day")?.dataset.date;
  for (const link of days) {
    if (link.dataset.date === chosen) link.setAttribute("aria-current", "date");
    else link.removeAttribute("aria-current");
  }
  const stop = days.find((link) => link === document.activeElement) ?? days.find((link) => link.ariaCurrent) ?? days[0];
  for (const link of days) link.tabIndex = link === stop ? 0 : -1;
}

function dayAt(date, days) {
  const there = new Date(`${date}T12:00:00Z`);
  there.setUTCDate(there.getUTCDate() + days);
  return there.toISOString().slice(0, 10);
}

function neighbour(link, key) {
  if (key in STEPS) return document.getElementById(`day-link-${dayAt(link.dataset.date, STEPS[key])}`);
  const week = [...link.closest("tr").querySelectorAll("a.day-cell")];
  return key === "Home" ? week[0] : week.at(-1);
}

function turn(key) {
  const link = document.getElementById(TURNS[key] ?? (key === "ArrowLeft" || key === "ArrowUp" ? "month-previous" : "month-next"));
  if (!link?.href) return;
  focusAfterTurn = key === "ArrowLeft" || key === "ArrowUp" ? "last" : "first";
  link.click();
}

document.addEventListener("keydown", (event) => {
  const link = event.target.closest?.("[data-calendar-grid] a.day-cell");
  if (!link || event.altKey || event.ctrlKey || event.metaKey) return;
  if (!(event.key in STEPS) && !(event.key in TURNS) && event.key !== "Home" && event.key !== "End") return;
  event.preventDefault();
  const next = event.key in TURNS ? null : neighbour(link, event.key);
  if (!next) return turn(event.key);
  link.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});

document.addEventListener("htmx:after:swap", (event) => {
  prepare();
  if (focusAfterTurn) (focusAfterTurn === "last" ? links().at(-1) : links()[0])?.focus();
  focusAfterTurn = false;
  if (!event.detail.ctx.sourceElement?.matches?.(".day-cell")) return;
  const day = document.getElementById("day");
  document.getElementById("live-note").textContent =
    `${document.getElementById("day-label").textContent}: ${document.getElementById("day-count").textContent}`;
  if (day.getBoundingClientRect().top > innerHeight * 0.6) day.scrollIntoView({ block: "start", behavior: "smooth" });
});

prepare();
