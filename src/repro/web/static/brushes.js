// Ranges on axes: which runs lie in all of them, as part of the address, as a filter.
import { asked, setAddress } from "./address.js";
import { changeRuns } from "./runstate.js";

/**
 * The ranges of one view. Of a number `[low, high]`, either may be null; of categories the places
 * of those that are in; empty where only runs without a value are in.
 */
export class Brushes {
  constructor(data, axes) {
    this.data = data;
    this.axes = axes; // by id
    this.ranges = new Map();
    this.open = new Set(); // ids of axes whose range takes runs without a value, too
    this.listeners = [];
    this.#readAll();
  }

  #readAll() {
    for (const text of asked("brush")) this.#read(text);
  }

  #read(text) {
    try {
      const [id, range, isOpen] = JSON.parse(text);
      const axis = this.axes.get(id);
      if (!axis) return;
      if (axis.kind === "category") this.ranges.set(id, range.map((label) => axis.labels.indexOf(label)).filter((n) => n >= 0));
      else this.ranges.set(id, range.slice(0, 2).map((one) => (typeof one === "number" ? one : null)));
      if (isOpen) this.open.add(id);
    } catch { /* an address that somebody wrote by hand */ }
  }

  onChange(callback) {
    this.listeners.push(callback);
  }

  /** Set the range of an axis, with or without runs that have no value there; null is no range. */
  set(id, range, isOpen = false) {
    this.put(id, range, isOpen);
    this.tell();
  }

  /** Set it, and tell nobody yet. */
  put(id, range, isOpen = false) {
    if (range === null) this.ranges.delete(id);
    else this.ranges.set(id, range);
    this.open[range !== null && isOpen ? "add" : "delete"](id);
  }

  /** Take the ranges that the address has by now. */
  restore() {
    this.ranges.clear();
    this.open.clear();
    this.#readAll();
    this.tell();
  }

  clear() {
    this.ranges.clear();
    this.open.clear();
    this.tell();
  }

  tell() {
    const texts = [...this.ranges].map(([id, range]) => {
      const axis = this.axes.get(id);
      const said = axis.kind === "category" ? range.map((n) => axis.labels[n]) : range;
      return JSON.stringify(this.open.has(id) ? [id, said, 1] : [id, said]);
    });
    setAddress({ brush: texts });
    changeRuns({ inside: this.inside() });
    for (const callback of this.listeners) callback();
  }

  #holds(id, value) {
    const range = this.ranges.get(id);
    if (value === null) return this.open.has(id);
    if (!range.length) return false;
    if (this.axes.get(id).kind === "category") return range.includes(value);
    return (range[0] === null || value >= range[0]) && (range[1] === null || value <= range[1]);
  }

  /** The runs in all ranges; null where there is no range. */
  inside() {
    if (!this.ranges.size) return null;
    const ids = [...this.ranges.keys()];
    const found = this.data.points.filter((_, n) => ids.every((id) => this.#holds(id, this.axes.get(id).values[n])));
    return new Set(found.map((point) => point.run));
  }

  /** The ranges in the language of filters; null where it cannot say one of them. */
  asFilter() {
    const parts = [];
    for (const [id, range] of this.ranges) {
      const axis = this.axes.get(id);
      const ways = range.length ? [axis.kind === "category" ? among(axis, range) : between(axis, range)] : [];
      if (this.open.has(id) && axis.without) ways.push(axis.without);
      if (!ways.length || ways.includes(null)) return null;
      parts.push(this.open.has(id) ? `(${ways.join(" or ")})` : ways[0]);
    }
    return parts.join(" and ");
  }
}

function among(axis, places) {
  const literals = places.map((n) => axis.literals[n]);
  if (literals.includes(null)) return null;
  return literals.length === 1 ? `${axis.word} = ${literals[0]}` : `${axis.word} in (${literals.join(", ")})`;
}

function between(axis, [low, high]) {
  const ends = [low !== null && `${axis.word} >= ${low}`, high !== null && `${axis.word} <= ${high}`].filter(Boolean);
  return ends.join(" and ") || `${axis.word} is not null`;
}
