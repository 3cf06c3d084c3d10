// The page of a sweep: the best so far, and its trials across the params.
import { reloadOnReturn } from "./address.js";
import { startLinkedViews } from "./linkedviews.js";
import { axis, draw, layout, loadPlotly, onTheme, plain, theme } from "./chart.js";
import { element } from "./dom.js";
import { fetchJson, refresh, say } from "./fragment.js";
import "./runstate.js";

reloadOnReturn();
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
    xaxis: axis("trial", { tickformat: "d" }), yaxis: axis(plain(known.metric)), dragmode: false,
    shapes: known.target === null ? [] : [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: known.target, y1: known.target, line: { color: now.quiet, width: 1, dash: "dot" } }],
  }));
  place.dataset.drawn = String(xs.length);
}

async function readHistory() {
  if (!place) return;
  known = await fetchJson(place.dataset.source);
  if (!known.history.length) place.replaceChildren(element("p", { class: "quiet" }, "No trial has a value yet."));
  await drawHistory();
}

const box = document.getElementById("parcoords");
let among = null;
const readAmong = async () => { among = await startLinkedViews(box, null); };

let last = 0;
let waiting = null;
document.addEventListener("repro:change", () => {
  if (!document.querySelector("#head[data-live]") || waiting) return;
  waiting = setTimeout(async () => {
    waiting = null;
    last = Date.now();
    try {
      await readHistory();
      // Nobody's ranges are taken away: then the lines wait for the page to be opened anew.
      if (!among?.brushes.ranges.size && !box.contains(document.activeElement)) await readAmong();
    } catch { /* the stream says when the server is gone */ }
  }, Math.max(0, 1000 - (Date.now() - last)));
});
onTheme(drawHistory);

async function start() {
  if (place) loadPlotly().catch(() => {});
  try {
    await Promise.all([readHistory(), readAmong()]);
    const { later } = document.getElementById("importance").dataset;
    if (later) await refresh("importance", new URL(later, location.href));
  } catch (error) {
    say(error.message);
  }
}

start();
