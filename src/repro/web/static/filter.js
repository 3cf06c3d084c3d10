// The filter box: it filters while somebody types, and says what is wrong when they have stopped.
import { attachCompletion } from "./completion.js";
import { addressWith, clearWrong, go, param, showWrong } from "./view.js";

const QUIET_MS = 200;
const UNFINISHED_MS = 1200; // after which half a filter is taken for all of it

const box = document.getElementById("q");
let timer = 0;
let hasTyped = false; // since the last view that somebody may want to step back to

async function apply(isTyped) {
  clearTimeout(timer);
  const where = box.value.trimEnd(); // not its start: places in it are counted
  if (where === param("q")) {
    clearWrong();
    box.removeAttribute("aria-invalid");
    return;
  }
  const how = isTyped && hasTyped ? "replace" : "push";
  const went = await go(addressWith({ q: where }), how, (html) => {
    if (isTyped && html.includes("data-unfinished")) {
      clearWrong();
      timer = setTimeout(() => showWrong(html), UNFINISHED_MS - QUIET_MS);
    } else {
      showWrong(html);
    }
  });
  if (went) hasTyped = isTyped;
}

box.addEventListener("input", () => {
  clearTimeout(timer);
  box.removeAttribute("aria-invalid");
  timer = setTimeout(() => apply(true), QUIET_MS);
});
box.addEventListener("blur", () => { hasTyped = false; });
document.getElementById("filter").addEventListener("submit", (event) => {
  event.preventDefault();
  words.close();
  hasTyped = false;
  apply(false);
});
window.addEventListener("popstate", () => {
  clearTimeout(timer);
  words.close();
  hasTyped = false;
  box.value = new URLSearchParams(location.search).get("q") ?? "";
});
document.addEventListener("repro:wrong", () => box.setAttribute("aria-invalid", "true"));
document.addEventListener("repro:moved", () => {
  box.removeAttribute("aria-invalid");
  // Not while somebody types on: the answer may be to what they typed before.
  if (document.activeElement !== box) box.value = param("q");
});

const words = attachCompletion(box, document.getElementById("words"));
