// Forms with one text that save themselves (data-autosave, with hx-sync="this:queue last"). What is sent is what stands in the
// field when it is sent, not when it began to wait; texts that were sent and never answered go along as `tried`, for any of
// them may have been kept. What became of it is said beside the field (.saved) and nowhere else. While two versions are side by side
// (data-meanwhile) only a button decides. Nobody leaves with a text that isn't kept without being asked.
// field.defaultValue is the text that the server has.
const ANSWERS = [200, 409, 422]; // the server's own to a save; anything else left the text where it is
const sent = new WeakMap(); // form: the text that is on its way
const unanswered = new WeakMap(); // form: texts that got no answer
const MOST = 9; // so many of them go along, the latest

const formOf = (event) => event.target.closest?.("form[data-autosave]");
const fieldOf = (form) => form.querySelector("textarea, input:not([type=hidden])");
const isOpen = (form) => fieldOf(form).value !== fieldOf(form).defaultValue;
const open = () => [...document.querySelectorAll("form[data-autosave]")].filter(isOpen);

function say(form, words, failed = false) {
  const note = form.querySelector(".saved");
  if (!note) return;
  note.textContent = words;
  note.classList.toggle("is-failed", failed);
}

const fail = (form, why) => say(form, `Not saved. ${why} Your text is still here.`, true);

document.addEventListener("input", (event) => {
  const form = formOf(event);
  if (form) say(form, "");
});

document.addEventListener("htmx:before:request", (event) => {
  const form = formOf(event);
  if (!form) return;
  const { request } = event.detail.ctx;
  if (!request.submitter && (!isOpen(form) || form.querySelector("[data-meanwhile]"))) {
    event.preventDefault();
    return;
  }
  for (const [name, value] of new FormData(form)) request.body.set(name, value);
  for (const text of unanswered.get(form) ?? []) request.body.append("tried", text);
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
  fail(form, words);
});

document.addEventListener("htmx:error", (event) => {
  const form = formOf(event);
  if (!form || !event.detail.ctx || event.detail.ctx.response) return;
  event.stopPropagation(); // before problem.js: nobody who types is taken elsewhere on the page
  unanswered.set(form, [...(unanswered.get(form) ?? []), sent.get(form)].slice(-MOST));
  fail(form, "No answer came back.");
}, true);

document.addEventListener("htmx:after:swap", (event) => {
  const form = formOf(event);
  if (!form) return;
  const { request, response } = event.detail.ctx;
  const field = fieldOf(form);
  if (response.status === 200 && request.submitter?.name !== "take") field.defaultValue = sent.get(form);
  for (const error of form.querySelectorAll(".field > .error")) error.remove(); // a whole page's, from before
  const error = form.querySelector(".error");
  if (error) {
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", error.id);
  } else field.removeAttribute("aria-invalid");
  if (["keep", "take"].includes(request.submitter?.name)) field.focus();
  if (response.status === 200 && isOpen(form)) say(form, "");
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) for (const form of open()) form.requestSubmit();
});

addEventListener("beforeunload", (event) => {
  for (const form of open()) {
    event.preventDefault();
    form.requestSubmit();
  }
});
