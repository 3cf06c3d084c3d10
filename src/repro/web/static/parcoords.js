// Parallel coordinates: a line a run across axes that can be brushed and put in another order.
import { onTheme } from "./chart.js";
import { changeRuns, isInside, litRun, onRuns } from "./runstate.js";
import { nWithout, placeOn, ticksWithEnds, valueAt } from "./scales.js";

const NS = "http://www.w3.org/2000/svg";
const [TOP, BOTTOM, HEIGHT] = [40, 16, 320];
const WIDE = { left: 60, right: 60, gap: 104 }; // of the first axis, of the last one, between two
const NARROW = { left: 30, right: 52, gap: 62 }; // on a phone, where the last one shall be in sight
const NARROWEST = 520; // what is no phone
const [LETTER, LETTER_HEIGHT] = [6.4, 14]; // of the texts at an axis
const [GAP, NONE] = [30, 20]; // below the axes where a run lacks a value; how far down its line goes

function make(name, attributes, parent, text) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

export class Parcoords {
  /**
   * @param box Where it is drawn.
   * @param data Of /api/coordinates.
   * @param view `{order, tint}`: ids of the axes shown, and a function that colours a point.
   * @param signal Aborts when it is no longer shown.
   */
  constructor(box, data, brushes, view, signal) {
    Object.assign(this, { box, data, brushes, view });
    this.byId = brushes.axes;
    const observer = new ResizeObserver(() => this.draw());
    observer.observe(box);
    signal.addEventListener("abort", () => observer.disconnect());
    brushes.onChange(() => this.mark());
    onRuns((names) => { if (names.includes("lit")) this.light(); }, signal);
    onTheme(() => this.draw(), signal);
  }

  get axes() {
    return this.view.order.map((id) => this.byId.get(id)).filter(Boolean);
  }

  draw() {
    const { axes } = this;
    this.room = this.box.clientWidth < NARROWEST ? NARROW : WIDE;
    const { left, right, gap } = this.room;
    const width = Math.max(this.box.clientWidth - 2, left + (axes.length - 1) * gap + right);
    if (width <= 2) return;
    this.width = width;
    this.length = HEIGHT - TOP - BOTTOM;
    const height = HEIGHT + (axes.some((axis) => axis.values.includes(null)) ? GAP : 0);
    const svg = make("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", class: "parcoords" });
    const n = this.data.points.length;
    svg.setAttribute("aria-label", `Parallel coordinates of ${n} runs across ${axes.map((one) => one.title).join(", ")}; ranges can be typed below`);
    this.lines = make("g", { class: "lines", fill: "none" }, svg);
    this.paths = new Map();
    this.data.points.forEach((_, place) => this.#line(place, axes));
    this.axesOf = make("g", {}, svg);
    const { scrollLeft } = this.box;
    this.box.replaceChildren(svg);
    this.box.scrollLeft = scrollLeft;
    this.svg = svg;
    this.mark();
    this.light();
  }

  /** Show the ranges, and which runs lie in them. */
  mark() {
    if (!this.svg) return;
    for (const [run, line] of this.paths) line.classList.toggle("outside", !isInside(run));
    // Those inside lie above the others.
    this.lines.append(...this.lines.querySelectorAll("path:not(.outside)"));
    this.axesOf.replaceChildren();
    this.axes.forEach((axis, place) => this.#axis(this.axesOf, axis, this.x(place)));
  }

  x(place) {
    return this.axes.length > 1 ? this.room.left + place * this.gap : this.width / 2;
  }

  /** Where a value lies; below the axis where there is none. */
  y(axis, value) {
    const at = placeOn(axis, value);
    return at === null ? TOP + this.length + NONE : TOP + (1 - at) * this.length;
  }

  /** How far it is from one axis to the next. */
  get gap() {
    return (this.width - this.room.left - this.room.right) / Math.max(1, this.axes.length - 1);
  }

  #line(place, axes) {
    const point = this.data.points[place];
    const places = axes.map((axis, n) => `${this.x(n).toFixed(1)} ${this.y(axis, axis.values[place]).toFixed(1)}`);
    const line = make("path", { d: `M${places.join("L")}`, stroke: this.view.tint(point, place), "data-run": point.run }, this.lines);
    make("title", {}, line, `${point.name || point.label} (${point.status})`);
    this.paths.set(point.run, line);
  }

  light() {
    const run = litRun();
    for (const line of this.lines?.querySelectorAll(".lit") ?? []) line.classList.remove("lit");
    this.lines?.classList.toggle("dim", run !== null && this.paths.has(run));
    this.paths?.get(run)?.classList.add("lit");
  }

  #axis(parent, axis, x) {
    const group = make("g", { class: "axis", transform: `translate(${x.toFixed(1)} 0)` }, parent);
    make("line", { y1: TOP, y2: TOP + this.length }, group);
    const n = nWithout(axis);
    if (n) {
      const none = make("text", { class: "none", x: 9, y: TOP + this.length + NONE + 4 }, group, "none");
      make("title", {}, none, `${n} of ${axis.values.length} have no finite value here`);
      make("circle", { class: "none", r: 3, cy: TOP + this.length + NONE }, group);
    }
    const title = make("text", { y: 16, "text-anchor": "middle", class: "title" }, group);
    const most = Math.max(8, Math.floor((this.width / this.axes.length) / 7.2));
    title.textContent = axis.title.length > most ? `${axis.title.slice(0, most / 2 - 1)}…${axis.title.slice(1 - most / 2)}` : axis.title;
    make("title", {}, title, `${axis.title}: drag sideways to move the axis`);
    if (axis.goal) make("text", { y: 30, "text-anchor": "middle", class: "goal" }, group, axis.goal === "minimize" ? "↓ better" : "↑ better");
    const free = axis === this.axes.at(-1) ? this.room.right : this.gap - 4; // up to the edge, or the next one
    const letters = Math.min(14, Math.max(4, Math.floor((free - 8) / LETTER)));
    for (const [at, text] of ticksWithEnds(axis)) {
      const y = TOP + (1 - at) * this.length;
      const shown = text.length > letters ? `${text.slice(0, letters - 1)}…` : text;
      make("line", { x1: -4, x2: 0, y1: y, y2: y }, group);
      // Else the lines would run through the text.
      make("rect", { x: 4, y: y - LETTER_HEIGHT / 2, width: shown.length * LETTER + 4, height: LETTER_HEIGHT, rx: 3, class: "behind" }, group);
      make("text", { x: 6, y: y + 4, class: "tick" }, group, shown);
    }
    const range = this.brushes.ranges.get(axis.id);
    if (range) this.#brush(group, axis, range);
    const hit = make("rect", { x: -14, y: TOP - 6, width: 28, height: this.#reach(axis) - TOP + 12, class: "hit", "data-axis": axis.id }, group);
    hit.addEventListener("pointerdown", (event) => this.#brushing(event, axis, group));
    title.addEventListener("pointerdown", (event) => this.#moving(event, axis, group));
  }

  /** How far down a range may go: to the place of runs without a value, where there are any. */
  #reach(axis) {
    return TOP + this.length + (nWithout(axis) ? NONE + 4 : 0);
  }

  #brush(group, axis, range) {
    const half = axis.kind === "category" ? this.length / Math.max(2, axis.labels.length) / 3 : 0;
    const ends = range.length ? [[range[0] ?? axis.low, range[1] ?? axis.high]] : [];
    const spans = axis.kind === "category" ? range.map((n) => [n, n]) : ends;
    if (this.brushes.open.has(axis.id)) make("rect", { x: -7, width: 14, y: this.y(axis, null) - 7, height: 14, class: "brush" }, group);
    for (const [low, high] of spans) {
      const clamp = (value) => Math.min(TOP + this.length, Math.max(TOP, this.y(axis, Math.max(value, axis.kind === "log" ? axis.low / 1e3 : -Infinity))));
      const [above, below] = [clamp(high) - half, clamp(low) + half];
      make("rect", { x: -7, width: 14, y: above, height: Math.max(3, below - above), class: "brush" }, group);
    }
  }

  #brushing(event, axis, group) {
    if (event.button) return;
    event.preventDefault();
    const top = this.svg.getBoundingClientRect().top;
    const start = event.clientY - top;
    const shown = make("rect", { x: -7, width: 14, y: start, height: 0, class: "brush" }, group);
    const place = (y) => 1 - (y - TOP) / this.length;
    const span = (moved) => [start, moved.clientY - top].sort((a, b) => a - b);
    const move = (moved) => {
      const [above, below] = span(moved);
      shown.setAttribute("y", Math.max(TOP, above));
      shown.setAttribute("height", Math.max(0, Math.min(this.#reach(axis), below) - Math.max(TOP, above)));
    };
    const end = (moved) => {
      window.removeEventListener("pointermove", move);
      const [above, below] = span(moved);
      const isOpen = nWithout(axis) > 0 && below >= this.y(axis, null) - 6;
      if (below - above < 4) this.brushes.set(axis.id, null);
      else if (axis.kind === "category") {
        const inside = axis.labels.map((_, n) => n).filter((n) => this.y(axis, n) >= above - 6 && this.y(axis, n) <= below + 6);
        this.brushes.set(axis.id, inside.length || isOpen ? inside : null, isOpen);
      } else {
        const [low, high] = [place(below), place(above)];
        const round = (one) => Number(valueAt(axis, one).toPrecision(4));
        const kept = isOpen && high < 0 ? [] : [low <= 0 ? null : round(low), high >= 1 ? null : round(high)];
        this.brushes.set(axis.id, kept, isOpen);
      }
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end, { once: true });
  }

  #moving(event, axis, group) {
    if (event.button) return;
    event.preventDefault();
    const left = this.svg.getBoundingClientRect().left;
    const move = (moved) => group.setAttribute("transform", `translate(${(moved.clientX - left).toFixed(1)} 0)`);
    const end = (moved) => {
      window.removeEventListener("pointermove", move);
      const others = this.view.order.filter((id) => id !== axis.id);
      const at = (moved.clientX - left - this.room.left) / Math.max(1, this.gap);
      others.splice(Math.min(others.length, Math.max(0, Math.round(at))), 0, axis.id);
      this.view.setOrder(others);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end, { once: true });
  }

  /** Whether a pointer over a line lights its run. */
  static follow(box) {
    box.addEventListener("pointerleave", () => changeRuns({ lit: null }));
  }
}
