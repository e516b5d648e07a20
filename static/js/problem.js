// Says so when a request got no answer at all (offline, timeout); answers with an error status bring their own words.
document.addEventListener("htmx:error", (event) => {
  if (!event.detail.ctx || event.detail.ctx.response) return;
  const words = document.getElementById("lost-connection").content.cloneNode(true);
  const flash = document.getElementById("flash");
  document.getElementById("dialog").close();
  flash.replaceChildren(words);
  flash.scrollIntoView({ block: "center" });
});
