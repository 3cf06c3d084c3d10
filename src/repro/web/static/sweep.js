// The page of a sweep: the best so far, and its trials across the params.
import { asked, onReturn, setAddress } from "./address.js";
import { refreshLinkedViews, startLinkedViews } from "./linkedviews.js";
import { axis, draw, layout, loadPlotly, onTheme, plain, theme } from "./chart.js";
import { element } from "./dom.js";
import { fetchJson, refresh, say } from "./fragment.js";
import { paced } from "./paced.js";
import "./runstate.js";

onReturn(() => false);
const isLog = () => asked("logy")[0] === "1";
const place = document.getElementById("history");
let known = null;

async function drawHistory() {
  if (!known?.history.length) return;
  const now = theme();
  const xs = known.history.map((one) => one.trial);
  if (!place.dataset.drawn) place.replaceChildren();
  await draw(place, [
    { type: "scatter", mode: "markers", name: "trial", x: xs, y: known.history.map((one) => one.value), marker: { color: now.quiet, size: 6, opacity: 0.7 }, hovertemplate: "trial %{x}<br>%{y:.5~g}<extra></extra>" },
    { type: "scatter", mode: "lines", name: "best so far", x: xs, y: known.history.map((one) => one.best), line: { color: now.colours[0], width: 2, shape: "hv" }, hovertemplate: "best up to trial %{x}<br>%{y:.5~g}<extra></extra>" },
  ], layout({
    xaxis: axis("trial", { tickformat: "d" }), yaxis: axis(plain(known.metric), isLog() ? { type: "log" } : {}), dragmode: false,
    shapes: known.target === null ? [] : [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: known.target, y1: known.target, line: { color: now.quiet, width: 1, dash: "dot" } }],
  }));
  place.dataset.drawn = String(xs.length);
}

async function readHistory() {
  if (!place) return;
  known = await fetchJson(place.dataset.source);
  const isEmpty = !known.history.length;
  place.classList.toggle("empty", isEmpty);
  if (isEmpty) place.replaceChildren(element("p", { class: "quiet" }, "No trial has a value yet."));
  document.getElementById("history-tools").hidden = !known.history.some((one) => one.best > 0);
  await drawHistory();
}

const box = document.getElementById("parcoords");
const readAgain = paced(async () => {
  try {
    await readHistory();
    await refreshLinkedViews(box, null);
  } catch { /* the stream says when the server is gone */ }
});
document.addEventListener("repro:change", () => {
  if (document.querySelector("#head[data-live]")) readAgain();
});
onTheme(drawHistory);

const log = document.getElementById("history-log");
if (log) {
  log.checked = isLog();
  log.addEventListener("change", () => {
    setAddress({ logy: log.checked ? "1" : null });
    drawHistory().catch((error) => say(error.message));
  });
}

async function start() {
  if (place) loadPlotly().catch(() => {});
  try {
    await Promise.all([readHistory(), startLinkedViews(box, null)]);
    const { later } = document.getElementById("importance").dataset;
    if (later) await refresh("importance", new URL(later, location.href));
  } catch (error) {
    say(error.message);
  }
}

start();
