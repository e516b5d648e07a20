// Forms with one text that save themselves (data-autosave, with hx-sync="this:queue last"). What is sent is what stands in the
// field when it is sent, not when it began to wait; a text that was sent and never answered goes along as `tried`, for it may
// have been kept. While two versions are side by side (data-meanwhile) only a button decides. Nobody leaves with a text that
// isn't kept without being asked.
const kept = new WeakMap(); // form: the text that the server has
const sent = new WeakMap(); // form: the text that is on its way
const unanswered = new WeakMap(); // form: a text that got no answer
const ANSWERS = [200, 409, 422];

const forms = () => [...document.querySelectorAll("form[data-autosave]")];
const formOf = (event) => (event.detail.ctx?.sourceElement?.matches?.("form[data-autosave]") ? event.detail.ctx.sourceElement : null);
const fieldOf = (form) => form.querySelector("textarea, input:not([type=hidden])");
const isOpen = (form) => kept.has(form) && kept.get(form) !== fieldOf(form).value;

function say(form, words, failed = false) {
  const note = form.querySelector(".saved");
  if (!note) return;
  note.textContent = words;
  note.classList.toggle("is-failed", failed);
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-autosave]");
  if (!form) return;
  if (!kept.has(form)) kept.set(form, event.target.defaultValue);
  say(form, "");
});

document.addEventListener("htmx:before:request", (event) => {
  const form = formOf(event);
  if (!form) return;
  const { request, sourceEvent } = event.detail.ctx;
  if (sourceEvent?.type !== "submit" && form.querySelector("[data-meanwhile]")) {
    event.preventDefault();
    return;
  }
  for (const [name, value] of new FormData(form)) request.body.set(name, value);
  if (unanswered.has(form)) request.body.set("tried", unanswered.get(form));
  request.keepalive = request.body.toString().length < 60_000; // more than that browsers don't send from a page that is left
  sent.set(form, fieldOf(form).value);
});

document.addEventListener("htmx:after:request", (event) => {
  const form = formOf(event);
  if (!form) return;
  const { response, text } = event.detail.ctx;
  if (ANSWERS.includes(response.status)) {
    unanswered.delete(form);
    return;
  }
  event.preventDefault(); // words about a failure don't belong where the state of the text is shown
  const words = new DOMParser().parseFromString(text, "text/html").body.textContent.replace(/\s+/g, " ").trim();
  say(form, `Not saved. ${words} Your text is still here.`, true);
});

document.addEventListener("htmx:error", (event) => {
  const form = formOf(event);
  if (!form || event.detail.ctx.response) return;
  unanswered.set(form, sent.get(form));
  say(form, "Not saved. No answer came back. Your text is still here.", true);
});

document.addEventListener("htmx:after:swap", (event) => {
  const form = formOf(event);
  if (!form) return;
  const { request, response } = event.detail.ctx;
  const field = fieldOf(form);
  const taken = request.submitter?.name === "take";
  if (response.status === 200) kept.set(form, taken ? field.value : sent.get(form));
  for (const error of form.querySelectorAll(".field > .error")) error.remove();
  field.toggleAttribute("aria-invalid", Boolean(form.querySelector(".error")));
  if (field.hasAttribute("aria-invalid")) field.setAttribute("aria-invalid", "true");
  if (["keep", "take"].includes(request.submitter?.name)) field.focus();
  if (kept.get(form) !== field.value && response.status === 200) say(form, "");
});

function saveNow() {
  const open = forms().filter(isOpen);
  for (const form of open) form.dispatchEvent(new Event("change"));
  return open.length > 0;
}

addEventListener("beforeunload", (event) => {
  if (saveNow()) event.preventDefault();
});

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") saveNow();
});
