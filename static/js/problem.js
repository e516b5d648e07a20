// Brings the words about a failed request into view: the server's own (sent to #flash), or ours when no answer came at
// all (offline, timeout). A dialog would hide them, so it makes room.
const flash = document.getElementById("flash");

function show() {
  document.getElementById("dialog").close();
  flash.scrollIntoView({ block: "center" });
}

document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx.hx?.retarget === "#flash") show();
});

document.addEventListener("htmx:error", (event) => {
  if (!event.detail.ctx || event.detail.ctx.response) return;
  flash.replaceChildren(document.getElementById("lost-connection").content.cloneNode(true));
  show();
});
