// Shows the "Copy" buttons and lets them copy the text of the element that data-copy names.
function reveal() {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
  button.textContent = "Copied";
});

reveal();
document.addEventListener("htmx:after:swap", reveal);
