// A cell of a table, or of the head of a page, in which somebody writes: a name, tags, or a note.
import { element } from "./dom.js";
import { refresh, say } from "./fragment.js";
import { offerTags } from "./tags.js";

let restore = null; // what the cell that is written in had before

/** Close the editor that is open, if any, and forget what is in it. */
export function putBack() {
  restore?.();
  restore = null;
}

/** Open the editor of a cell; `change(path, wish)` sends what is written. */
export function openEditor(cell, change) {
  if (isWriting()) return;
  const close = makeClose(cell);
  const run = cell.closest("[data-run]").dataset.run;
  const kind = cell.dataset.edit;
  if (kind === "tags") return editTags(cell, run, change, close);
  const wasBefore = cell.dataset.text;
  const label = `${kind} of ${cell.closest("[data-run]").dataset.short}`;
  const field = kind === "note"
    ? element("textarea", { "aria-label": label, rows: Math.min(8, Math.max(3, wasBefore.split("\n").length + 1)) })
    : element("input", { "aria-label": label, type: "text" });
  field.defaultValue = wasBefore;
  const form = makeForm(field, makeButton("Save", "submit"), makeButton("Cancel", "button", close));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (field.value === wasBefore) return close();
    const done = await change(`/curate/${kind}`, { runs: [run], [kind]: field.value });
    if (done.length) close(); // else what was written stays to be written better
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  show(cell, form, close);
  field.select();
}

function editTags(cell, run, change, close) {
  const tags = [...cell.querySelectorAll("[data-tag]")].map((one) => one.dataset.tag);
  const chips = element("span");
  const label = `New tag of ${cell.closest("[data-run]").dataset.short}`;
  const field = element("input", { type: "text", size: 10, placeholder: "tag", "aria-label": label });
  offerTags(field);

  function draw() {
    chips.replaceChildren(...tags.map((tag) => {
      const button = makeButton("×", "button", () => remove(tag));
      button.setAttribute("aria-label", `Remove the tag ${tag}`);
      return element("span", { class: "tag" }, tag, button);
    }));
  }

  async function remove(tag) {
    const done = await change("/curate/tags", { runs: [run], remove: [tag] });
    if (done.length) tags.splice(tags.indexOf(tag), 1);
    draw();
    field.focus();
  }

  const form = makeForm(chips, field, makeButton("Done", "button", close));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const tag = field.value.trim();
    if (!tag) return close();
    const done = await change("/curate/tags", { runs: [run], add: [tag] });
    if (!done.length) return;
    if (!tags.includes(tag)) tags.push(tag);
    field.value = "";
    draw();
  });
  draw();
  show(cell, form, close);
  field.focus();
}

function show(cell, form, close) {
  form.addEventListener("keydown", (event) => {
    event.stopPropagation(); // no letter is a key of the page here
    if (event.key === "Escape") close();
  });
  cell.classList.add("editing");
  cell.replaceChildren(form);
  form.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Whether something that is written would be lost; its writer is told. */
export function isWriting() {
  const fields = document.querySelectorAll(".editor :is(input, textarea)");
  const open = [...fields].find((field) => field.value !== field.defaultValue);
  if (!open) return false;
  open.focus();
  say("First save or cancel what you are writing.");
  return true;
}

/** Put back what the cell had; what was not shown while somebody wrote is shown then. */
function makeClose(cell) {
  putBack(); // of another cell
  const before = [...cell.childNodes];
  const focused = `run-${cell.closest("[data-run]").dataset.run}`;
  const block = cell.closest("[data-live]").dataset.live;
  restore = () => {
    cell.classList.remove("editing");
    cell.replaceChildren(...before);
  };
  return () => {
    putBack();
    (document.getElementById(focused) ?? cell.querySelector("button.edit"))?.focus();
    return refresh(block).catch((error) => say(error.message));
  };
}

function makeForm(...children) {
  return element("form", { class: "editor" }, ...children);
}

function makeButton(text, type, onClick = () => {}) {
  return element("button", { type, onclick: onClick }, text);
}
