// The dialog that chooses columns and their order.
import { putBlock, fetchBlock, say } from "./fragment.js";
import { addressWith, go } from "./view.js";

const opener = document.getElementById("choose-columns");

async function open() {
  try {
    putBlock(await fetchBlock("columns", `${addressWith({})}${location.search ? "&" : "?"}panel=columns`));
  } catch (error) {
    say(error.isBlock ? "First the view has to be right." : error.message);
    return;
  }
  const dialog = document.getElementById("columns");
  dialog.removeAttribute("open");
  dialog.showModal();
  dialog.querySelector("#find-column").focus();
}

// Whoever was quicker than this script has the list in a page of its own.
const given = document.querySelector("#columns[open]");
if (given) {
  given.removeAttribute("open");
  given.showModal();
  given.querySelector("#find-column")?.focus();
}

opener.addEventListener("click", (event) => {
  event.preventDefault();
  open();
});
opener.addEventListener("keydown", (event) => {
  if (event.key === " ") { // it is a button to whoever hears it
    event.preventDefault();
    open();
  }
});

function close() {
  document.getElementById("columns").close();
  opener.focus();
}

/** Show only the offered columns whose title has the words in it. */
function find(text) {
  const words = text.toLowerCase().split(/\s+/);
  for (const item of document.querySelectorAll("#offered > li")) {
    item.hidden = !words.every((word) => item.dataset.title.includes(word));
  }
}

function moveBy(item, by) {
  const other = by < 0 ? item.previousElementSibling : item.nextElementSibling;
  if (!other) return;
  if (by < 0) other.before(item);
  else other.after(item);
  item.querySelector(`[data-move="${by}"]`).focus();
}

/** One that is ticked is shown last; one that is not is offered first. */
function place(item, isShown) {
  if (isShown) document.getElementById("shown").append(item);
  else document.getElementById("offered").prepend(item);
  item.scrollIntoView({ block: "nearest" });
  item.querySelector("input").focus();
}

/** Take a number of a metric beside its last value. */
function setStatistic(item, statistic) {
  const box = item.querySelector("input");
  box.value = item.dataset.word + (statistic && `.${statistic}`);
  if (statistic && !box.checked) {
    box.checked = true;
    place(item, true);
  }
}

function wanted(form, key) {
  return new FormData(form).getAll(key).map((word) => word.trim()).filter(Boolean).join(",");
}

document.addEventListener("input", (event) => {
  if (event.target.id === "find-column") find(event.target.value);
});
document.addEventListener("change", (event) => {
  const item = event.target.closest("#columns li");
  if (!item) return;
  if (event.target.matches("select")) setStatistic(item, event.target.value);
  else place(item, event.target.checked);
});
document.addEventListener("click", (event) => {
  const move = event.target.closest("#columns [data-move]");
  if (move) return moveBy(move.closest("li"), Number(move.dataset.move));
  if (event.target.closest("#close-columns")) close();
  const link = event.target.closest("#usual-columns, #all-metrics");
  if (link) {
    event.preventDefault();
    close();
    go(link.href);
  }
});
document.addEventListener("submit", (event) => {
  if (event.target.id !== "columns-form") return;
  event.preventDefault();
  close();
  go(addressWith({ columns: wanted(event.target, "columns"), hide: wanted(event.target, "hide") }));
});
