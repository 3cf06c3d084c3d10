// The trash: what was removed is brought back.
import { change } from "./change.js";
import { refresh, say } from "./fragment.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-restore]");
  if (!button) return;
  button.disabled = true;
  const run = button.dataset.restore;
  const called = button.closest("tr").querySelector("code").textContent;
  const done = await change("/curate/restore", { runs: [run] });
  if (done.length) {
    say(`Brought ${called} back.`);
    await refresh("trashed").catch((error) => say(error.message));
    document.querySelector("button[data-restore], #main")?.focus();
  }
  button.disabled = false;
});
