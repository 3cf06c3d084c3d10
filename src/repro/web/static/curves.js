// The curves of the compare page: one chart a metric, all with the same window of x.
import { asked, changed, setAddress } from "./address.js";
import { axis, draw, dragging, layout, loadPlotly, onTheme } from "./chart.js";
import { fetchJson, refresh, say } from "./fragment.js";
import { changeRuns, hiddenRuns, onRuns } from "./runstate.js";
import { clipped, keyOf, labelOf, reach, strengthOf, traces, unitOf } from "./traces.js";

const CHECKS = ["logx", "logy", "large", "clip"];
/** Keys of the address that the charts show. */
export const CURVE_KEYS = ["metric", "x", "smooth", "low", "high", "hide", ...CHECKS];
const form = document.getElementById("chartform");
const known = new Map(); // curves by metric, then by run or group
let asking = new AbortController();

/** Whether means of groups are drawn, so that no curve is of one run. */
const isGrouped = () => form.elements.group.value !== "";
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
  const hidden = hiddenRuns();
  if (isGrouped() && hidden.size) runs = url.searchParams.getAll("run").filter((one) => !hidden.has(one));
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

let drawing = Promise.resolve();

/** Fetch and draw all charts; an older wish ends. */
function drawAll() {
  drawing = drawEach();
  return drawing;
}

async function drawEach() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  loadPlotly().catch(() => {});
  const drawn = [];
  for (const figure of figures()) figure.classList.add("waiting");
  for (const figure of figures()) {
    try {
      const curves = await fetchCurves(figure); // one after the other: the first is there sooner
      known.set(figure.dataset.metric, new Map(curves.map((one) => [keyOf(one), one])));
      drawn.push(redraw(figure));
    } catch (error) {
      if (signal.aborted) return;
      figure.querySelector(".remark").textContent = error.message;
    }
    figure.classList.remove("waiting");
  }
  await Promise.all(drawn);
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
  place.on("plotly_hover", (event) => { if (!isGrouped()) changeRuns({ lit: event.points[0].data.meta }); });
  place.on("plotly_unhover", () => changeRuns({ lit: null }));
}

function remark(figure, curves) {
  const odd = curves.filter((one) => one.y.some((y) => typeof y !== "number"));
  const lost = curves.filter((one) => one.problem);
  const partial = curves.filter((one) => one.n_odd);
  const words = [];
  if (odd.length) words.push(`× NaN, ▲ ▼ infinite: ${odd.slice(0, 4).map(labelOf).join(", ")}${odd.length > 4 ? ` and ${odd.length - 4} more` : ""}`);
  if (partial.length) words.push(`without what is NaN or infinite: ${partial.map((one) => `${one.n_odd} of ${one.group}`).join(", ")}`);
  if (lost.length) words.push(`cannot be read: ${lost.map(labelOf).join(", ")}`);
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
      await drawing; // of curves that are on their way nobody knows yet that they are live
      await Promise.all(figures().map(async (figure) => {
        const curves = known.get(figure.dataset.metric);
        const live = [...(curves?.values() ?? [])].filter((one) => one.is_live).map((one) => one.run);
        if (!live.length) return;
        const grown = (await fetchCurves(figure, isGrouped() ? null : live)).map((one) => [keyOf(one), one]);
        known.set(figure.dataset.metric, new Map([...(isGrouped() ? [] : curves), ...grown]));
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
    if (trace?.meta) node.style.opacity = strengthOf(trace);
  }
}

/** Begin; called once, where the page has a form for charts. */
export function startCurves() {
  changeRuns({ hidden: new Set(asked("hide")) });
  onRuns(async (names) => {
    if (names.includes("hidden")) {
      setAddress({ hide: [...hiddenRuns()] });
      await (isGrouped() ? drawAll() : Promise.all(figures().map(redraw)));
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
    if (["group", "band"].includes(event.target.name)) {
      // Colours everywhere on the page go with it, so it is made anew.
      location.assign(changed({ [event.target.name]: event.target.value || null }));
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
