// Preselects the browser's time zone in <select data-detect-zone>; the visible field stays the fallback and the last word.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

function detect(root) {
  for (const select of root.querySelectorAll("select[data-detect-zone]")) {
    if (!zone || select.value) continue;
    if (![...select.options].some((option) => option.value === zone)) select.add(new Option(zone));
    select.value = zone;
  }
}

detect(document);
document.addEventListener("htmx:after:swap", () => detect(document));
