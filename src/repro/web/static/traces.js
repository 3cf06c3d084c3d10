// What plotly draws of curves, of runs or of groups of runs: lines, bands, marks, ranges.
import { plain, theme } from "./chart.js";
import { isHidden, opacityOf } from "./runstate.js";

const UNITS = [[3 * 86400, 86400, "days"], [2 * 3600, 3600, "hours"], [180, 60, "minutes"], [0, 1, "seconds"]];
const MARKS = { null: ["x-thin-open", 0.01, "NaN"], Infinity: ["triangle-up", 0.99, "infinite"], "-Infinity": ["triangle-down", 0.01, "-infinite"] };
const DASHES = ["solid", "dash", "dot", "dashdot"];
const FAINT = 0.25; // of what stands behind a line

const chipOf = (run) => document.querySelector(`#legend [data-run="${run}"]`);

/** What a curve is told apart by, among those of its chart; groups may be called the same. */
export const keyOf = (curve) => curve.place ?? curve.run;

/** What a curve is called. */
export const labelOf = (curve) => curve.group ?? chipOf(curve.run)?.dataset.label ?? curve.run;

/** The run of a curve, or the runs of its group: what is pointed at there, too. */
const metaOf = (curve) => (curve.group === undefined ? curve.run : curve.runs);

function lookOf(curve) {
  // Not by the place of a group: where all runs of another one are hidden, there is one less.
  const chip = chipOf(curve.group === undefined ? curve.run : curve.runs[0]);
  return [Number(chip?.dataset.colour ?? 8), Number(chip?.dataset.turn ?? 0)];
}

/** How large the unit of x is in what the server gives, and what the axis is called. */
export function unitOf(wish, curves) {
  if (wish.x !== "time") return [wish.x === "wall" ? 1e-3 : 1, wish.x === "wall" ? "clock time, UTC" : wish.x];
  const last = Math.max(0, ...curves.map((one) => Number(one.x.at(-1)) || 0));
  const [, size, name] = UNITS.find(([least]) => last >= least);
  return [size, `time, ${name}`];
}

const finite = (values) => values.map((one) => (typeof one === "number" ? one : null));

/** The traces of one curve. */
export function traces(curve, wish, unit) {
  if (!curve.x.length) return [];
  const now = theme();
  const [place, turn] = lookOf(curve);
  const colour = now.colours[place];
  const isCut = wish.isClipped || wish.low !== null || wish.high !== null;
  const xs = curve.x.map((one) => (typeof one === "number" ? one / unit : null));
  const meta = metaOf(curve);
  const shown = {
    x: xs, y: finite(curve.smooth ?? curve.y), name: plain(labelOf(curve)), meta, type: "scatter",
    mode: curve.x.length < 3 ? "lines+markers" : "lines", visible: curve.group !== undefined || !isHidden(curve.run), opacity: opacityOf(meta),
    line: { color: colour, width: 1.6, dash: DASHES[turn % 4] },
    cliponaxis: isCut,
    hovertemplate: "%{fullData.name}<br>%{y:.5~g} at %{x}<extra></extra>",
  };
  const behind = { opacity: shown.opacity * FAINT, hoverinfo: "skip", hovertemplate: undefined };
  const found = [shown];
  if (curve.smooth) found.unshift({ ...shown, ...behind, y: finite(curve.y), line: { color: colour, width: 1 } });
  if (curve.low && curve.x.length > 1) {
    const edges = edgesOf(curve, wish.isLogY);
    found.unshift({ ...shown, ...behind, x: [...xs, ...[...xs].reverse()], y: edges, mode: "lines", line: { width: 0 }, fill: "toself", fillcolor: colour, cliponaxis: true });
  }
  const odd = curve.y.map((one, n) => [one, n]).filter(([one]) => typeof one !== "number").slice(0, 200);
  if (odd.length) {
    const marks = odd.map(([one]) => MARKS[String(one)] ?? MARKS.null);
    found.push({
      x: odd.map(([, n]) => xs[n]), y: marks.map((one) => one[1]), text: marks.map((one) => one[2]), yaxis: "y2",
      name: shown.name, meta, type: "scatter", mode: "markers", visible: shown.visible, opacity: shown.opacity,
      marker: { symbol: marks.map((one) => one[0]), size: 9, color: colour, line: { color: colour, width: 1.5 } },
      cliponaxis: isCut, hovertemplate: "%{fullData.name}<br>%{text} at %{x}<extra></extra>",
    });
  }
  return found;
}

/** The edges of a band, there and back; where y is logarithmic, none is below what has a place. */
function edgesOf(curve, isLog) {
  const edges = finite([...curve.high, ...[...curve.low].reverse()]);
  if (!isLog) return edges;
  const least = Math.min(...edges.concat(finite(curve.y)).filter((one) => one > 0));
  return edges.map((one) => (one > 0 ? one : least));
}

/** How much of itself an element of a trace keeps, by what is pointed at. */
export function strengthOf(trace) {
  return opacityOf(trace.meta) * (trace.hoverinfo === "skip" ? FAINT : 1);
}

/** Where y goes without the outermost values, so that one spike does not flatten the rest. */
export function clipped(curves, isLog) {
  const ys = curves.flatMap((one) => one.smooth ?? one.y).filter((one) => typeof one === "number" && (!isLog || one > 0));
  if (ys.length < 20) return undefined;
  ys.sort((a, b) => a - b);
  const [low, high] = [ys[Math.floor(ys.length * 0.02)], ys[Math.ceil(ys.length * 0.98) - 1]];
  const [a, b] = isLog ? [Math.log10(low), Math.log10(high)] : [low, high];
  return b > a ? [a - (b - a) * 0.06, b + (b - a) * 0.06] : undefined;
}

/** From where to where x goes: marks need no room beside them, so that charts align. */
export function reach(curves, wish, isLog) {
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
