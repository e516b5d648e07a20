// Forms that save themselves (data-autosave, with hx-sync="this:queue last"): what is sent is what stands in the form when it
// is sent, not when it began to wait; a page that is left sends the rest; "Saved" is taken back by the next key.
const sent = new WeakMap();

function typed(form) {
  return [...form.querySelectorAll("textarea, input:not([type=hidden])")].map((field) => field.value).join("\0");
}

document.addEventListener("htmx:before:request", (event) => {
  const { request, sourceElement: form } = event.detail.ctx;
  if (!form.matches("form[data-autosave]")) return;
  for (const [name, value] of new FormData(form)) request.body.set(name, value);
  request.keepalive = request.body.toString().length < 60_000; // more than that browsers refuse to send from a page that is left
  sent.set(form, typed(form));
});

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-autosave]");
  if (!form) return;
  if (!sent.has(form)) sent.set(form, null);
  const note = form.querySelector("[data-saved]");
  if (note) note.textContent = "";
});

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "hidden") return;
  for (const form of document.querySelectorAll("form[data-autosave]")) {
    if (sent.has(form) && sent.get(form) !== typed(form)) form.dispatchEvent(new Event("change"));
  }
});
