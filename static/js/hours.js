// Working hours: a × that empties and hides a row, and a fresh empty row as soon as the last one is used. Without
// JavaScript the form has one spare row a day and "clear both times" removes one.
function reveal() {
  for (const button of document.querySelectorAll("[data-remove-row]")) button.hidden = false;
}

function spareRow(input) {
  const more = input.closest(".hours-more");
  const row = input.closest(".hours-row");
  if (!more || row !== more.lastElementChild) return;
  const next = row.cloneNode(true);
  for (const time of next.querySelectorAll("input")) time.value = "";
  more.append(next);
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-hours-day] input[type=time]") && event.target.value) spareRow(event.target);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove-row]");
  if (!button) return;
  const row = button.closest(".hours-row");
  const day = button.closest("[data-hours-day]");
  for (const time of row.querySelectorAll("input")) time.value = "";
  if (!row.closest(".hours-more")) row.hidden = true;
  row.querySelector("input").dispatchEvent(new Event("change", { bubbles: true }));
  (day.querySelector(".hours-row:not([hidden]) input") ?? day.querySelector("summary")).focus();
});

reveal();
document.addEventListener("htmx:after:swap", reveal);
