// What people say of runs: names, tags and notes in their cells, and of many runs at once.
import { chosenRuns, forget } from "./chosen.js";
import { change } from "./change.js";
import { openEditor } from "./editor.js";
import { refresh, say } from "./fragment.js";
import { offerTags } from "./tags.js";

document.addEventListener("click", (event) => {
  const button = event.target.closest("#table button.edit");
  if (button) openEditor(button.closest("td"), change);
});
document.addEventListener("dblclick", (event) => {
  const cell = event.target.closest("#table td[data-edit]");
  if (cell && !cell.querySelector("form")) openEditor(cell, change);
});

const tagBox = document.getElementById("bulk-tag");
if (tagBox) offerTags(tagBox);

async function tagAll(key) {
  const tag = tagBox.value.trim();
  const runs = chosenRuns();
  if (!tag || !runs.length) {
    tagBox.focus();
    return;
  }
  const done = await change("/curate/tags", { runs, [key]: [tag] });
  if (!done.length) return;
  tagBox.value = "";
  say(key === "add" ? `Tagged ${count(done)}: ${tag}` : `Took the tag from ${count(done)}: ${tag}`);
  await refresh("table");
}

async function throwAway() {
  const runs = chosenRuns();
  if (!runs.length || !(await isSure(runs))) return;
  const done = await change("/curate/trash", { runs });
  if (!done.length) return;
  forget(done);
  say(`Moved ${count(done)} to the trash.`, 15000, "Undo", async () => {
    const back = await change("/curate/restore", { runs: done });
    say(`Brought ${count(back)} back.`);
    await refresh("table");
  });
  await refresh("table");
}

function isSure(runs) {
  const dialog = document.getElementById("sure");
  document.getElementById("sure-text").textContent =
    `${count(runs)} will be in the trash, from which ${runs.length === 1 ? "it" : "they"} can be brought back.`;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

function count(runs) {
  return runs.length === 1 ? "1 run" : `${runs.length} runs`;
}

document.getElementById("add-tag")?.addEventListener("click", () => tagAll("add"));
document.getElementById("remove-tag")?.addEventListener("click", () => tagAll("remove"));
document.getElementById("trash")?.addEventListener("click", throwAway);
tagBox?.addEventListener("keydown", (event) => {
  if (event.key === "Enter") {
    event.preventDefault(); // which would compare
    tagAll("add");
  }
});
