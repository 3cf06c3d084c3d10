// Which runs are hidden, outside of the ranges, or pointed at: one state for the whole page.

const state = { hidden: new Set(), inside: null, lit: null };
const listeners = [];

/** Call back after each change, with the names of what has changed, until `signal` aborts. */
export function onRuns(callback, signal) {
  listeners.push(callback);
  signal?.addEventListener("abort", () => listeners.splice(listeners.indexOf(callback), 1));
}

/** Change some of the state: `hidden` is a Set, `inside` one or null for all, `lit` an id or null. */
export function changeRuns(change) {
  const names = Object.keys(change).filter((name) => state[name] !== change[name]);
  if (!names.length) return;
  Object.assign(state, change);
  markRuns();
  for (const callback of listeners) callback(names);
}

export const isHidden = (run) => state.hidden.has(run);
export const isInside = (run) => state.inside === null || state.inside.has(run);
export const litRun = () => state.lit;
export const hiddenRuns = () => state.hidden;

/** How much of its colour a run keeps, or of several the one that keeps most. */
export const opacityOf = (run) => Math.max(...[run].flat().map(opacityOfOne));

function opacityOfOne(run) {
  if (!isInside(run)) return state.lit === run ? 0.6 : 0.08;
  return state.lit === null || state.lit === run ? 1 : 0.18;
}

/** Mark every element that stands for a run. */
function markRuns(within = document) {
  for (const element of within.querySelectorAll("[data-run]")) {
    const run = element.dataset.run;
    element.classList.toggle("outside", !isInside(run));
    element.classList.toggle("off", isHidden(run));
    element.classList.toggle("lit", state.lit === run);
    element.querySelector("button.swatch")?.setAttribute("aria-pressed", String(!isHidden(run)));
  }
}

function point(event) {
  const element = event.target instanceof Element ? event.target.closest("[data-run]") : null;
  if (element) changeRuns({ lit: element.dataset.run });
  else if (event.type === "pointerover") changeRuns({ lit: null });
}

document.addEventListener("pointerover", point);
document.addEventListener("focusin", point);
document.addEventListener("repro:put", (event) => markRuns(event.target.parentElement ?? document));
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.swatch");
  if (!button) return;
  const run = button.closest("[data-run]").dataset.run;
  const hidden = new Set(state.hidden);
  if (!hidden.delete(run)) hidden.add(run);
  changeRuns({ hidden });
});
