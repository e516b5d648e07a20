// The step about the time zone: proposes the zone of this device where it is another one, and says what time it is in
// whatever zone is chosen.
const device = Intl.DateTimeFormat().resolvedOptions().timeZone;

function tell(note, zone) {
  try {
    const time = new Date(note.dataset.now).toLocaleTimeString("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
    note.querySelector("[data-zone-time]").textContent = time;
    note.querySelector("[data-zone-name]").textContent = zone;
  } catch {
    // a zone that this browser doesn't know: the server does
  }
}

function begin(root) {
  for (const note of root.querySelectorAll("[data-zone-now]:not([data-ready])")) {
    const select = note.closest("form").querySelector("select[name=time_zone]");
    const done = note.closest(".is-done") || note.closest("form").querySelector("[aria-invalid]");
    note.dataset.ready = "";
    select.addEventListener("change", () => tell(note, select.value));
    if (done || !device || device === note.dataset.saved || select.value !== note.dataset.saved) continue;
    if (![...select.options].some((option) => option.value === device)) select.add(new Option(device));
    select.value = device;
    note.querySelector("[data-zone-before]").hidden = false;
    tell(note, device);
  }
}

begin(document);
document.addEventListener("htmx:after:swap", () => begin(document));
