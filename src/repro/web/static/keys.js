// Keys of the runs page; the dialog behind `?` names them.
import { choose, compare } from "./chosen.js";

const help = document.getElementById("keys");
const box = document.getElementById("q");

function rows() {
  return [...document.querySelectorAll("#table tbody tr")].filter((row) => row.querySelector("a.run"));
}

function current() {
  return document.activeElement?.closest("#table tbody tr") ?? null;
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const here = all.indexOf(current());
  const to = here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + by, 0), all.length - 1);
  all[to].querySelector("a.run").focus();
}

function toggle() {
  const row = current();
  if (row?.dataset.run) choose([row], !row.classList.contains("chosen"));
}

function press(selector, from = document) {
  from?.querySelector(selector)?.click();
}

const KEYS = {
  "/": () => { box.focus(); box.select(); },
  j: () => step(1),
  k: () => step(-1),
  x: toggle,
  c: compare,
  p: () => press("a.dot", current()),
  t: () => press("td.tags button.edit", current()),
  e: () => press("td.note button.edit", current()),
  "[": () => press("nav.pages [rel=prev]"),
  "]": () => press("nav.pages [rel=next]"),
  "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.matches("input:not([type=checkbox]), textarea, select, dialog *")) {
    if (event.key === "Escape" && event.target === box) box.blur();
    return;
  }
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
document.getElementById("show-keys").addEventListener("click", () => help.showModal());
