// The curves of the compare page: one chart a metric, all with the same window of x.
import { asked, changed, setAddress } from "./address.js";
import { axis, draw, dragging, layout, loadPlotly, onTheme, plain, theme } from "./chart.js";
import { fetchJson, refresh, say } from "./fragment.js";
import { changeRuns, hiddenRuns, isHidden, onRuns, opacityOf } from "./runstate.js";

const UNITS = [[3 * 86400, 86400, "days"], [2 * 3600, 3600, "hours"], [180, 60, "minutes"], [0, 1, "seconds"]];
const MARKS = { null: ["x-thin-open", 0.01, "NaN"], Infinity: ["triangle-up", 0.99, "infinite"], "-Infinity": ["triangle-down", 0.01, "-infinite"] };
const CHECKS = ["logx", "logy", "large", "clip"];
/** Keys of the address that the charts show. */
export const CURVE_KEYS = ["metric", "x", "smooth", "low", "high", "hide", ...CHECKS];
const form = document.getElementById("chartform");
const known = new Map(); // curves by metric, then by run
let asking = new AbortController();

const figures = () => [...document.querySelectorAll("figure.chart")];
const wanted = () => {
  const data = new FormData(form);
  const { low, high } = windowOf(data);
  return {
    x: data.get("x"), smooth: Number(data.get("smooth")), low, high,
    isLogX: data.has("logx"), isLogY: data.has("logy"), isClipped: data.has("clip"),
  };
};

/** The window of x that the form says; none where something is wrong with it, in words. */
function windowOf(data) {
  const [low, high] = ["low", "high"].map((key) => (data.get(key).trim() ? Number(data.get(key)) : null));
  const odd = [[low, "from"], [high, "to"]].find(([one]) => one !== null && !Number.isFinite(one));
  if (odd) return { low: null, high: null, wrong: `\`${odd[1]}\` is a number` };
  const isReversed = low !== null && high !== null && low > high;
  if (isReversed) return { low: null, high: null, wrong: `\`from\` is above \`to\`: nothing lies from ${low} to ${high}` };
  return { low, high, wrong: "" };
}

/** Where the curves of a chart come from: its own address, with what the form says. */
function sourceOf(figure, runs) {
  const wish = wanted();
  const { source } = figure.querySelector(".plot").dataset;
  const url = new URL(source, location.href);
  const said = { x: wish.x === "step" ? "" : wish.x, smooth: wish.smooth || "", low: wish.low ?? "", high: wish.high ?? "" };
  // The first time it is as the server wrote it, which the page has fetched ahead.
  if (!runs && Object.entries(said).every(([key, value]) => String(value) === String(Number(url.searchParams.get(key)) || (url.searchParams.get(key) ?? "")))) return source;
  const changes = Object.fromEntries(Object.entries(said).map(([key, value]) => [key, value === "" ? null : String(value)]));
  return changed(runs ? { ...changes, run: runs } : changes, url).href;
}

async function fetchCurves(figure, runs = null) {
  // Without headers of its own, which a preload has none of.
  const { curves } = await fetchJson(sourceOf(figure, runs), { signal: asking.signal, headers: {} });
  return curves;
}

/** Fetch and draw all charts; an older wish ends. */
async function drawAll() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  loadPlotly().catch(() => {});
  const drawn = [];
  for (const figure of figures()) figure.classList.add("waiting");
  for (const figure of figures()) {
    try {
      const curves = await fetchCurves(figure); // one after the other: the first is there sooner
      known.set(figure.dataset.metric, new Map(curves.map((one) => [one.run, one])));
      drawn.push(redraw(figure));
    } catch (error) {
      if (signal.aborted) return;
      figure.querySelector(".remark").textContent = error.message;
    }
    figure.classList.remove("waiting");
  }
  await Promise.all(drawn);
}

const labelOf = (run) => document.querySelector(`.legend [data-run="${run}"]`)?.dataset.label ?? run;
const colourOf = (run) => Number(document.querySelector(`.legend [data-run="${run}"]`)?.dataset.colour ?? 8);
const turnOf = (run) => Number(document.querySelector(`.legend [data-run="${run}"]`)?.dataset.turn ?? 0);

function unitOf(wish, curves) {
  if (wish.x !== "time") return [wish.x === "wall" ? 1e-3 : 1, wish.x === "wall" ? "clock time, UTC" : wish.x];
  const last = Math.max(0, ...curves.map((one) => Number(one.x.at(-1)) || 0));
  const [, size, name] = UNITS.find(([least]) => last >= least);
  return [size, `time, ${name}`];
}

function traces(curve, wish, unit) {
  const now = theme();
  const colour = now.colours[colourOf(curve.run)];
  const isCut = wish.isClipped || wish.low !== null || wish.high !== null;
  const xs = curve.x.map((one) => (typeof one === "number" ? one / unit : null));
  const finite = (ys) => ys.map((one) => (typeof one === "number" ? one : null));
  const shown = {
    x: xs, y: finite(curve.smooth ?? curve.y), name: plain(labelOf(curve.run)), meta: curve.run, type: "scatter",
    mode: curve.x.length < 3 ? "lines+markers" : "lines", visible: !isHidden(curve.run), opacity: opacityOf(curve.run),
    line: { color: colour, width: 1.6, dash: ["solid", "dash", "dot", "dashdot"][turnOf(curve.run) % 4] },
    cliponaxis: isCut,
    hovertemplate: "%{fullData.name}<br>%{y:.5~g} at %{x}<extra></extra>",
  };
  const found = [shown];
  if (curve.smooth) found.unshift({ ...shown, y: finite(curve.y), line: { color: colour, width: 1 }, opacity: shown.opacity * 0.25, hoverinfo: "skip", hovertemplate: undefined, isRaw: true });
  const odd = curve.y.map((one, n) => [one, n]).filter(([one]) => typeof one !== "number").slice(0, 200);
  if (odd.length) {
    const marks = odd.map(([one]) => MARKS[String(one)] ?? MARKS.null);
    found.push({
      x: odd.map(([, n]) => xs[n]), y: marks.map((one) => one[1]), text: marks.map((one) => one[2]), yaxis: "y2",
      name: shown.name, meta: curve.run, type: "scatter", mode: "markers", visible: shown.visible, opacity: shown.opacity,
      marker: { symbol: marks.map((one) => one[0]), size: 9, color: colour, line: { color: colour, width: 1.5 } },
      cliponaxis: isCut, hovertemplate: "%{fullData.name}<br>%{text} at %{x}<extra></extra>",
    });
  }
  return found;
}

/** Where y goes without the outermost values, so that one spike does not flatten the rest. */
function clipped(curves, isLog) {
  const ys = curves.flatMap((one) => one.smooth ?? one.y).filter((one) => typeof one === "number" && (!isLog || one > 0));
  if (ys.length < 20) return undefined;
  ys.sort((a, b) => a - b);
  const [low, high] = [ys[Math.floor(ys.length * 0.02)], ys[Math.ceil(ys.length * 0.98) - 1]];
  const [a, b] = isLog ? [Math.log10(low), Math.log10(high)] : [low, high];
  return b > a ? [a - (b - a) * 0.06, b + (b - a) * 0.06] : undefined;
}

/** From where to where x goes: marks need no room beside them, so that charts align. */
function reach(curves, wish, isLog) {
  let [low, high] = [wish.low ?? Infinity, wish.high ?? -Infinity];
  for (const curve of curves) {
    for (const x of curve.x) {
      if (typeof x !== "number" || (isLog && x <= 0)) continue;
      if (wish.low === null && x < low) low = x;
      if (wish.high === null && x > high) high = x;
    }
  }
  return low < high && (!isLog || low > 0) ? [low, high] : null;
}

async function redraw(figure) {
  const wish = wanted();
  const curves = [...(known.get(figure.dataset.metric)?.values() ?? [])];
  const place = figure.querySelector(".plot");
  const [unit, title] = unitOf(wish, curves);
  const isLogX = wish.isLogX && wish.x !== "wall";
  const range = reach(curves, wish, isLogX)?.map((one) => (isLogX ? Math.log10(one / unit) : one / unit));
  const yRange = wish.isClipped ? clipped(curves, wish.isLogY) : undefined;
  await draw(place, curves.flatMap((one) => traces(one, wish, unit)), layout({
    xaxis: axis(title, { isLog: isLogX, type: wish.x === "wall" ? "date" : undefined, ...(range ? { range } : {}) }),
    yaxis: axis("", { isLog: wish.isLogY, fixedrange: true, showticklabels: curves.some((one) => one.y.some(Number.isFinite)), ...(yRange ? { range: yRange } : {}) }),
    yaxis2: { overlaying: "y", range: [0, 1], visible: false, fixedrange: true },
    dragmode: dragging("zoom"),
  }));
  place.dataset.drawn = String(curves.reduce((sum, one) => sum + one.y.length, 0));
  remark(figure, curves);
  if (place.dataset.listens) return;
  place.dataset.listens = "1";
  place.on("plotly_relayout", (event) => zoomed(event, unitOf(wanted(), [...known.get(figure.dataset.metric).values()])[0]));
  place.on("plotly_doubleclick", () => setWindow(null, null));
  place.on("plotly_hover", (event) => changeRuns({ lit: event.points[0].data.meta }));
  place.on("plotly_unhover", () => changeRuns({ lit: null }));
}

function remark(figure, curves) {
  const odd = curves.filter((one) => one.y.some((y) => typeof y !== "number"));
  const lost = curves.filter((one) => one.problem);
  const words = [];
  if (odd.length) words.push(`× NaN, ▲ ▼ infinite: ${odd.slice(0, 4).map((one) => labelOf(one.run)).join(", ")}${odd.length > 4 ? ` and ${odd.length - 4} more` : ""}`);
  if (lost.length) words.push(`cannot be read: ${lost.map((one) => labelOf(one.run)).join(", ")}`);
  if (curves.length && curves.every((one) => !one.y.length)) words.push("no points in this window");
  figure.querySelector(".remark").textContent = words.join(" · ");
}

function zoomed(event, unit) {
  if (event["xaxis.range[0]"] === undefined) return;
  const wish = wanted();
  const [low, high] = [event["xaxis.range[0]"], event["xaxis.range[1]"]].map((one) => {
    if (wish.x === "wall") return Date.parse(`${String(one).replace(" ", "T")}Z`) / 1000;
    return (wish.isLogX ? 10 ** one : one) * unit;
  });
  setWindow(low, high);
}

function setWindow(low, high) {
  // As many decimals as tell the ends of the window apart, and two more.
  const digits = low === null ? 0 : Math.min(20, Math.max(0, 2 - Math.floor(Math.log10(high - low))));
  const write = (one) => (one === null ? "" : String(Number(one.toFixed(digits))));
  [form.elements.low.value, form.elements.high.value] = [write(low), write(high)];
  changedForm({ isStep: true });
}

/** The form says something new: so does the address, and so do the charts. */
async function changedForm({ isStep = false, isMetrics = false } = {}) {
  const data = new FormData(form);
  const smooth = Number(data.get("smooth"));
  setAddress({
    metric: isMetrics ? data.getAll("metric") : asked("metric"), x: data.get("x") === "step" ? null : data.get("x"),
    smooth: smooth ? String(smooth) : null, low: data.get("low") || null, high: data.get("high") || null,
    ...Object.fromEntries(CHECKS.map((key) => [key, data.get(key)])),
  }, { isStep: isStep || isMetrics });
  await showForm(isMetrics);
}

/** Show what the form says. */
async function showForm(isMetrics) {
  sayForm();
  if (isMetrics) {
    try {
      await refresh("charts");
    } catch (error) {
      say(error.message);
      return;
    }
    const boxes = [...form.querySelectorAll("input[name=metric]")];
    const drawn = figures().map((figure) => figure.dataset.metric);
    for (const box of boxes) box.checked = drawn.includes(box.value);
    form.querySelector("#chooser .quiet").textContent = `${drawn.length} of ${boxes.length}`;
  }
  await drawAll();
}

/** What the form says of itself. */
function sayForm() {
  const data = new FormData(form);
  const { wrong } = windowOf(data);
  document.getElementById("window-wrong").textContent = wrong;
  for (const key of ["low", "high"]) form.elements[key].setAttribute("aria-invalid", String(wrong !== ""));
  document.getElementById("smooth-value").textContent = Number(data.get("smooth")).toFixed(2);
  document.getElementById("zoom-out").hidden = !data.get("low") && !data.get("high");
  document.getElementById("charts").classList.toggle("large", data.has("large"));
}

/** Show what the address says by now under some keys. */
export async function restoreCurves(keys) {
  const said = (key, usual) => asked(key)[0] ?? usual;
  for (const [key, usual] of [["x", "step"], ["smooth", "0"], ["low", ""], ["high", ""]]) form.elements[key].value = said(key, usual);
  for (const key of CHECKS) form.elements[key].checked = said(key) === "1";
  changeRuns({ hidden: new Set(asked("hide")) });
  if (keys.some((key) => key !== "hide")) await showForm(keys.includes("metric"));
}

// A run that is in progress grows.
let isFollowing = false;
let isMissed = false;
async function follow() {
  if (isFollowing) { isMissed = true; return; }
  isFollowing = true;
  try {
    do {
      isMissed = false;
      await Promise.all(figures().map(async (figure) => {
        const curves = known.get(figure.dataset.metric);
        const live = [...(curves?.values() ?? [])].filter((one) => one.is_live).map((one) => one.run);
        if (!live.length) return;
        for (const one of await fetchCurves(figure, live)) curves.set(one.run, one);
        await redraw(figure);
      }));
    } while (isMissed);
  } catch (error) {
    if (error.name !== "AbortError" && error.name !== "TypeError") say(error.message); // the stream says when the server is gone
  } finally {
    isFollowing = false;
  }
}

function fade() {
  for (const node of document.querySelectorAll(".plot .scatterlayer .trace")) {
    const trace = node.__data__?.[0]?.trace;
    if (trace?.meta) node.style.opacity = opacityOf(trace.meta) * (trace.hoverinfo === "skip" ? 0.25 : 1);
  }
}

/** Begin; called once, where the page has a form for charts. */
export function startCurves() {
  changeRuns({ hidden: new Set(asked("hide")) });
  onRuns(async (names) => {
    if (names.includes("hidden")) {
      setAddress({ hide: [...hiddenRuns()] });
      await Promise.all(figures().map(redraw));
    }
    fade();
  });
  let timer;
  form.addEventListener("input", (event) => {
    if (event.target.id === "find-metric") {
      const text = event.target.value.toLowerCase();
      for (const label of form.querySelectorAll(".chooser label")) label.hidden = !label.textContent.toLowerCase().includes(text);
      return;
    }
    if (event.target.name === "smooth") sayForm();
    if (event.target.name === "x") form.elements.low.value = form.elements.high.value = "";
    clearTimeout(timer);
    timer = setTimeout(() => changedForm({ isMetrics: event.target.name === "metric" }), event.target.name === "smooth" ? 120 : 200);
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(timer); changedForm(); });
  document.getElementById("zoom-out").addEventListener("click", () => setWindow(null, null));
  sayForm();
  document.addEventListener("repro:change", follow);
  onTheme(() => figures().forEach(redraw));
  return drawAll();
}
