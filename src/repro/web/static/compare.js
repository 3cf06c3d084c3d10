// The compare page: what is said on one part of it holds for the others.
import { asked, changed, onReturn, setAddress } from "./address.js";
import { refreshLinkedViews, restoreRanges, startLinkedViews } from "./linkedviews.js";
import { CURVE_KEYS, restoreCurves, startCurves } from "./curves.js";
import { isPlainClick } from "./dom.js";
import { refresh, say } from "./fragment.js";
import { paced } from "./paced.js";

const BESIDE_KEYS = ["all", "base", "lay"];

async function showBeside() {
  try {
    await refresh("beside");
  } catch (error) {
    say(error.message);
  }
}

onReturn((keys) => {
  if (!keys.every((key) => ["brush", ...BESIDE_KEYS, ...CURVE_KEYS].includes(key))) return false;
  if (keys.includes("brush") && !restoreRanges()) return false;
  if (keys.some((key) => BESIDE_KEYS.includes(key))) showBeside();
  const ofCurves = keys.filter((key) => CURVE_KEYS.includes(key));
  if (ofCurves.length) restoreCurves(ofCurves);
  return true;
});

// Links whose part of the page is made anew; the rest of the address is as it is by now.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-change], a[data-leave]");
  if (!link || !isPlainClick(event)) return;
  event.preventDefault();
  if (link.dataset.leave) {
    const left = link.dataset.leave.split(" ");
    const runs = asked("run").filter((one) => !left.includes(one));
    location.assign(changed({ run: runs }));
    return;
  }
  const changes = Object.fromEntries([...new URLSearchParams(link.dataset.change)].map(([key, value]) => [key, value || null]));
  setAddress(changes, { isStep: true });
  showBeside();
});

let wasLive = document.querySelector("#legend[data-live]") !== null; // what ends has a last change

async function weigh() {
  const section = document.getElementById("importance");
  if (!section?.dataset.later) return;
  section.setAttribute("aria-busy", "true");
  try {
    await refresh("importance", section.dataset.later);
  } catch (error) {
    say(error.message);
  }
}

async function among() {
  const box = document.getElementById("parcoords");
  if (!box) return;
  const place = document.getElementById("scatter");
  const readAgain = paced(() => refreshLinkedViews(box, place).catch(() => {})); // the stream says when the server is gone
  document.addEventListener("repro:change", () => {
    if (wasLive) readAgain();
    wasLive = document.querySelector("#legend[data-live]") !== null;
  });
  try {
    await startLinkedViews(box, place);
  } catch (error) {
    box.textContent = error.message;
  }
}

async function start() {
  const curves = document.getElementById("chartform") ? startCurves() : null;
  await Promise.all([curves, among()]);
  await weigh();
}

start();
