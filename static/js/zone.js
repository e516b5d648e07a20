// Tells the browser's time zone: preselects it in <select data-detect-zone> (the visible field stays the last word), and
// takes it along to a first sign-in with Google, which asks nothing else.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

function detect(root) {
  if (!zone) return;
  for (const select of root.querySelectorAll("select[data-detect-zone]")) {
    if (select.value) continue;
    if (![...select.options].some((option) => option.value === zone)) select.add(new Option(zone));
    select.value = zone;
  }
  for (const link of root.querySelectorAll('a[href^="/auth/google?purpose=sign-in"]')) {
    const address = new URL(link.href);
    address.searchParams.set("time_zone", zone);
    link.href = address.pathname + address.search;
  }
}

detect(document);
document.addEventListener("htmx:after:swap", () => detect(document));
