// What every page does: follow changes, and copy what a button names.
import "./live.js";
import { say } from "./fragment.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    say("Copied.");
  } catch {
    getSelection().selectAllChildren(source);
    say("Selected: the browser does not let pages copy.");
  }
});
