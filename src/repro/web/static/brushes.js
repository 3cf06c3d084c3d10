// Ranges on axes: which runs lie in all of them, as part of the address, as a filter.
import { asked, setAddress } from "./address.js";
import { changeRuns } from "./runstate.js";

/**
 * The ranges of one view. Of a number `[low, high]`, either may be null; of categories the places
 * of those that are in.
 */
export class Brushes {
  constructor(data, axes) {
    this.data = data;
    this.axes = axes; // by id
    this.ranges = new Map();
    this.listeners = [];
    this.#readAll();
  }

  #readAll() {
    for (const text of asked("brush")) this.#read(text);
  }

  #read(text) {
    try {
      const [id, low, high] = JSON.parse(text);
      const axis = this.axes.get(id);
      if (!axis) return;
      if (axis.kind === "category") this.ranges.set(id, low.map((label) => axis.labels.indexOf(label)).filter((n) => n >= 0));
      else this.ranges.set(id, [low, high].map((one) => (typeof one === "number" ? one : null)));
    } catch { /* an address that somebody wrote by hand */ }
  }

  onChange(callback) {
    this.listeners.push(callback);
  }

  /** Set the range of an axis, or take it away with null. */
  set(id, range) {
    if (range === null) this.ranges.delete(id);
    else this.ranges.set(id, range);
    this.tell();
  }

  /** Take the ranges that the address has by now. */
  restore() {
    this.ranges.clear();
    this.#readAll();
    this.tell();
  }

  clear() {
    this.ranges.clear();
    this.tell();
  }

  tell() {
    const texts = [...this.ranges].map(([id, range]) => {
      const axis = this.axes.get(id);
      return JSON.stringify(axis.kind === "category" ? [id, range.map((n) => axis.labels[n])] : [id, ...range]);
    });
    setAddress({ brush: texts });
    changeRuns({ inside: this.inside() });
    for (const callback of this.listeners) callback();
  }

  #holds(id, value) {
    const range = this.ranges.get(id);
    if (value === null) return false;
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
      if (axis.kind === "category") {
        const literals = range.map((n) => axis.literals[n]);
        if (!literals.length || literals.includes(null)) return null;
        parts.push(literals.length === 1 ? `${axis.word} = ${literals[0]}` : `${axis.word} in (${literals.join(", ")})`);
      } else {
        if (range[0] !== null) parts.push(`${axis.word} >= ${range[0]}`);
        if (range[1] !== null) parts.push(`${axis.word} <= ${range[1]}`);
      }
    }
    return parts.join(" and ");
  }
}
