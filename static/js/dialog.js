// One <dialog> for every confirmation. A link with hx-target="#dialog-body" fetches its form; this opens the dialog when
// the form has arrived, closes it on [data-close] or once a request from inside it succeeded. Without JavaScript the
// same link leads to the same form on a page of its own.
const dialog = document.getElementById("dialog");
const body = document.getElementById("dialog-body");
let closing = false; // its content goes a moment later, and must not open it again meanwhile

document.addEventListener("htmx:after:swap", () => {
  if (!closing && body.childElementCount && !dialog.open) dialog.showModal();
});

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  const inside = ctx.request?.form && dialog.contains(ctx.request.form);
  if (!inside || ctx.response.status >= 400 || !dialog.open) return;
  closing = true;
  dialog.close();
});

dialog.addEventListener("click", (event) => {
  const outside = event.target === dialog;
  if (!outside && !event.target.closest("[data-close]")) return;
  event.preventDefault();
  dialog.close();
});

dialog.addEventListener("close", () => {
  closing = false;
  body.replaceChildren();
});
