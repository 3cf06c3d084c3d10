// Values of an axis as places on a line, ticks, colours and short texts.
import { theme } from "./chart.js";

/** From 0 to 1; null for no value. */
export function placeOn(axis, value) {
  if (value === null) return null;
  if (axis.kind === "category") return axis.labels.length > 1 ? value / (axis.labels.length - 1) : 0.5;
  const [low, high, one] = axis.kind === "log" ? [axis.low, axis.high, value].map(Math.log10) : [axis.low, axis.high, value];
  return high > low ? (one - low) / (high - low) : 0.5;
}

/** How many runs have no value on an axis, or none that is finite. */
export function nWithout(axis) {
  return axis.values.filter((value) => value === null).length;
}

/** The value at a place from 0 to 1 of an axis of numbers. */
export function valueAt(axis, place) {
  const inside = Math.min(1, Math.max(0, place));
  if (axis.kind !== "log") return axis.low + inside * (axis.high - axis.low);
  return 10 ** (Math.log10(axis.low) + inside * (Math.log10(axis.high) - Math.log10(axis.low)));
}

/** A number for the eye. */
export function formatNumber(value) {
  if (value === null) return "–";
  const size = Math.abs(value);
  if (size && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

const APART = 0.075; // of an axis: what texts need to stand below each other

/** Round values along an axis, and both of its ends, which leave out what is too near to them. */
export function ticksWithEnds(axis) {
  const found = ticks(axis);
  if (axis.kind === "category" || !(axis.high > axis.low)) return found;
  const inside = found.filter(([at]) => at >= APART && at <= 1 - APART);
  return [[0, formatNumber(axis.low)], ...inside, [1, formatNumber(axis.high)]];
}

/** What stands at an axis: places from 0 to 1, with texts. */
export function ticks(axis) {
  if (axis.kind === "category") {
    const every = Math.ceil(axis.labels.length / 20);
    return axis.labels.map((label, n) => [placeOn(axis, n), label]).filter((_, n) => n % every === 0);
  }
  if (axis.kind === "log") {
    const found = [];
    for (let power = Math.ceil(Math.log10(axis.low) - 1e-9); power <= Math.log10(axis.high) + 1e-9; power += 1) found.push(10 ** power);
    if (found.length >= 2) return found.map((one) => [placeOn(axis, one), formatNumber(one)]);
    return [axis.low, axis.high].map((one) => [placeOn(axis, one), formatNumber(one)]);
  }
  const span = axis.high - axis.low;
  if (!(span > 0)) return [[0.5, formatNumber(axis.low)]];
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? rough;
  const found = [];
  for (let n = Math.ceil(axis.low / step - 1e-9); n * step <= axis.high + step * 1e-9 && found.length < 12; n += 1) {
    found.push([placeOn(axis, n * step), formatNumber(Number((n * step).toPrecision(12)))]);
  }
  return found;
}

const STOPS = {
  light: [[47, 79, 176], [22, 138, 152], [217, 130, 20], [190, 40, 60]],
  dark: [[110, 150, 255], [70, 200, 200], [245, 185, 80], [255, 110, 110]],
};

/** A colour for a place from 0 to 1. */
function shade(place) {
  const stops = matchMedia("(prefers-color-scheme: dark)").matches ? STOPS.dark : STOPS.light;
  const at = Math.min(1, Math.max(0, place)) * (stops.length - 1);
  const n = Math.min(stops.length - 2, Math.floor(at));
  const mixed = stops[n].map((one, k) => Math.round(one + (stops[n + 1][k] - one) * (at - n)));
  return `rgb(${mixed.join(",")})`;
}

/** What colours the runs by an axis, or by their own colours where that is null. */
export function tinter(axis, colourOf) {
  const { colours, quiet } = theme();
  return (point, n) => {
    if (!axis) return colours[colourOf(point.run)] ?? quiet;
    const value = axis.values[n];
    if (value === null) return quiet;
    return axis.kind === "category" ? colours[value % colours.length] : shade(placeOn(axis, value));
  };
}
