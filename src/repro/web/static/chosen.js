// The runs that are chosen: they stay so through paging, sorting and changes.
import { readable } from "./address.js";
import { say } from "./fragment.js";
import { keepInAddress, noteInAddress, param } from "./view.js";

const MOST_IN_ADDRESS = 100; // a longer address is no link to send
const MOST_COMPARED = 1000;

const chosen = new Map(); // ids, with what a person calls the run
let last = null; // the row from which Shift goes

for (const run of param("sel").split(",")) if (/^[0-9a-z]{12}$/.test(run)) chosen.set(run, run.slice(0, 6));

/** The ids of the chosen runs, in the order of choosing. */
export function chosenRuns() {
  return [...chosen.keys()];
}

/** Choose some rows, or no more. */
export function choose(rows, isChosen) {
  for (const row of rows) {
    if (isChosen) chosen.set(row.dataset.run, row.dataset.short);
    else chosen.delete(row.dataset.run);
  }
  show();
  noteInAddress();
}

/** Runs that are gone are chosen no more. */
export function forget(runs) {
  for (const run of runs) chosen.delete(run);
  show();
  noteInAddress();
}

/** Go to the page that compares the chosen runs. */
export function compare() {
  const runs = chosenRuns();
  if (!runs.length || runs.length > MOST_COMPARED) {
    say(runs.length ? `Choose at most ${MOST_COMPARED} runs to compare.` : "No run is chosen yet.");
    return;
  }
  const query = new URLSearchParams(runs.map((run) => ["run", run]));
  if (param("pin")) query.set("pin", param("pin"));
  location.assign(`/compare?${readable(query)}`);
}

function rows() {
  return [...document.querySelectorAll("#table tr[data-run]")];
}

function show() {
  const here = rows();
  for (const row of here) {
    const isChosen = chosen.has(row.dataset.run);
    row.classList.toggle("chosen", isChosen);
    row.querySelector("input[name=run]").checked = isChosen;
  }
  const n = chosen.size;
  const nHere = here.filter((row) => chosen.has(row.dataset.run)).length;
  const all = document.getElementById("pick-all");
  if (all) {
    all.checked = here.length > 0 && nHere === here.length;
    all.indeterminate = nHere > 0 && nHere < here.length;
  }
  document.getElementById("chosen").classList.toggle("filled", n > 0);
  const elsewhere = n > nHere ? `, ${n - nHere} not on this page` : "";
  document.getElementById("n-chosen").textContent = n ? `${n} chosen${elsewhere}` : "";
  const diff = document.getElementById("diff");
  diff.hidden = n !== 2;
  if (n === 2) diff.href = `/diff?${new URLSearchParams({ a: chosenRuns()[0], b: chosenRuns()[1] })}`;
}

keepInAddress((params) => {
  if (chosen.size && chosen.size <= MOST_IN_ADDRESS) params.set("sel", chosenRuns().join(","));
  else params.delete("sel");
});

document.addEventListener("click", (event) => {
  if (event.target.id === "pick-all") {
    choose(rows(), event.target.checked);
  } else if (event.target.matches?.("input[name=run]")) {
    const row = event.target.closest("tr");
    const all = rows();
    const from = event.shiftKey ? all.findIndex((one) => one.dataset.run === last) : -1;
    const to = all.indexOf(row);
    const meant = from < 0 ? [row] : all.slice(Math.min(from, to), Math.max(from, to) + 1);
    choose(meant, event.target.checked);
    last = row.dataset.run;
  }
});
document.addEventListener("repro:put", (event) => { if (event.target.id === "table") show(); });
document.getElementById("chosen").addEventListener("submit", (event) => {
  event.preventDefault();
  compare();
});
document.getElementById("choose-none").addEventListener("click", () => forget(chosenRuns()));
show();
