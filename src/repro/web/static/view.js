// The view that the address describes, and the way to another one without a new page.
import { readable } from "./address.js";
import { isWriting, putBack } from "./editor.js";
import { putBlock, refresh, say } from "./fragment.js";

/** Whether a move is what puts a block in, and not a change of the runs. */
export let isMoving = false;

const keepers = [];
let heading = null; // the query of the view that is on its way

/** The query that the next change is a change of. */
function query() {
  return new URLSearchParams(heading ?? location.search);
}

/** Have `keep(params)` put into each address what the page holds in memory. */
export function keepInAddress(keep) {
  keepers.push(keep);
}

/** The address of this view with some params changed; a blank one goes, and so does the page. */
export function addressWith(changes) {
  const params = query();
  params.delete("page");
  params.delete("panel");
  for (const [key, text] of Object.entries(changes)) {
    if (text) params.set(key, text);
    else params.delete(key);
  }
  return addressOf(params);
}

/** What the address says of one param, or will say in a moment. */
export function param(name) {
  return query().get(name) ?? "";
}

/** Say in the address what the page holds in memory, without a step back to what it was. */
export function noteInAddress() {
  const params = new URLSearchParams(location.search);
  for (const keep of keepers) keep(params);
  history.replaceState(null, "", addressOf(params));
}

/**
 * Show another view; what is wrong with it is given to `onWrong`, and then nothing changes.
 * `how` is `push`, `replace`, or `stay` where the address is already there.
 */
export async function go(address, how = "push", onWrong = showWrong) {
  if (isWriting()) return false;
  putBack();
  const params = new URL(address, location.origin).searchParams;
  params.delete("panel");
  for (const keep of keepers) keep(params);
  const target = addressOf(params);
  document.getElementById("table").setAttribute("aria-busy", "true");
  isMoving = true;
  const mine = (heading = params.toString());
  try {
    if (!(await refresh("table", target))) return false; // a newer wish ended this one
  } catch (error) {
    if (error.isBlock) onWrong(error.message);
    else say(error.message);
    return false;
  } finally {
    if (heading === mine) heading = null;
    isMoving = heading !== null;
    if (!isMoving) document.getElementById("table").removeAttribute("aria-busy");
  }
  if (how === "push") history.pushState(null, "", target);
  else if (how === "replace") history.replaceState(null, "", target);
  clearWrong();
  document.getElementById("found").textContent =
    document.querySelector("#table [data-found]")?.dataset.found ?? "";
  document.dispatchEvent(new CustomEvent("repro:moved"));
  return true;
}

/** Say what is wrong with a wish, under the filter. */
export function showWrong(html) {
  putBlock(html);
  markBefore(true);
  document.dispatchEvent(new CustomEvent("repro:wrong"));
}

/** What was wrong is no more. */
export function clearWrong() {
  document.getElementById("wrong").replaceChildren();
  markBefore(false);
}

/** Whether the table shows what was asked for before something wrong was. */
function markBefore(isBefore) {
  document.getElementById("before").hidden = !(isBefore && document.querySelector("#table .scroll"));
  document.getElementById("main").classList.toggle("is-before", isBefore);
}

function addressOf(params) {
  const query = readable(params);
  return location.pathname + (query ? `?${query}` : "");
}
