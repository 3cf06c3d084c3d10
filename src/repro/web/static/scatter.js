// Two axes against each other; a box drawn around points is a range on both.
import { axis as plotAxis, draw, dragging, layout, letGo, onTheme, plain } from "./chart.js";
import { changeRuns, onRuns, opacityOf } from "./runstate.js";
import { formatNumber, ticks } from "./scales.js";

export class Scatter {
  /**
   * @param remark What says how many runs have no place.
   * @param view `{x, y, tint}`: ids of two axes, and a function that colours a point.
   * @param signal Aborts when it is no longer shown.
   */
  constructor(place, remark, data, brushes, view, signal) {
    Object.assign(this, { place, remark, data, brushes, view, isListening: false });
    brushes.onChange(() => this.draw());
    onTheme(() => this.draw(), signal);
    onRuns((names) => { if (names.includes("lit")) this.fade(); }, signal);
    signal.addEventListener("abort", () => letGo(place));
  }

  #spread(axis) {
    if (axis.kind !== "category") return { isLog: axis.kind === "log" };
    const found = ticks(axis);
    const last = axis.labels.length - 1;
    return { tickvals: found.map(([at]) => at * (last || 1)), ticktext: found.map(([, text]) => plain(text)), range: [-0.5, last + 0.5] };
  }

  async draw() {
    const [x, y] = [this.view.x, this.view.y].map((id) => this.brushes.axes.get(id));
    const { points } = this.data;
    const told = (axis, n) => (axis.kind === "category" ? axis.labels[axis.values[n]] : formatNumber(axis.values[n]));
    const shown = points.map((_, n) => n).filter((n) => x.values[n] !== null && y.values[n] !== null);
    this.shown = shown;
    await draw(this.place, [{
      type: "scatter", mode: "markers", x: shown.map((n) => x.values[n]), y: shown.map((n) => y.values[n]),
      text: shown.map((n) => `${plain(points[n].name || points[n].label)}<br>${plain(x.title)} ${plain(told(x, n))}<br>${plain(y.title)} ${plain(told(y, n))}`),
      hovertemplate: "%{text}<extra></extra>",
      marker: { size: points.length > 200 ? 6 : 9, color: shown.map((n) => this.view.tint(points[n], n)), opacity: shown.map((n) => opacityOf(points[n].run)) },
      selected: { marker: {} }, unselected: { marker: {} },
    }], layout({
      xaxis: plotAxis(x.title, this.#spread(x)), yaxis: plotAxis(y.title, this.#spread(y)),
      dragmode: dragging("select"), selections: [], shapes: this.#box(x, y), margin: { l: 56, r: 12, t: 10, b: 40 },
      selectionrevision: Math.random(),
    }));
    this.place.dataset.drawn = String(shown.length);
    const n = points.length - shown.length;
    this.remark.textContent = n ? `${n} of ${points.length} have no finite value on one of these axes` : "";
    if (this.isListening) return;
    this.isListening = true;
    this.place.on("plotly_selected", (event) => this.#select(event));
    this.place.on("plotly_hover", (event) => changeRuns({ lit: points[this.shown[event.points[0].pointIndex]].run }));
    this.place.on("plotly_unhover", () => changeRuns({ lit: null }));
  }

  /** The ranges of both axes as a box. */
  #box(x, y) {
    const ends = (axis) => {
      const range = this.brushes.ranges.get(axis.id);
      if (!range?.length || axis.kind === "category") return null;
      return [range[0] ?? axis.low, range[1] ?? axis.high];
    };
    const [across, up] = [ends(x), ends(y)];
    if (!across && !up) return [];
    return [{
      type: "rect", layer: "below", line: { width: 0 }, fillcolor: "rgba(80,150,200,0.14)",
      xref: across ? "x" : "paper", x0: across?.[0] ?? 0, x1: across?.[1] ?? 1,
      yref: up ? "y" : "paper", y0: up?.[0] ?? 0, y1: up?.[1] ?? 1,
    }];
  }

  #select(event) {
    if (!event?.range) return;
    for (const [axis, [a, b]] of [[this.brushes.axes.get(this.view.x), event.range.x], [this.brushes.axes.get(this.view.y), event.range.y]]) {
      const [low, high] = a < b ? [a, b] : [b, a];
      if (axis.kind === "category") {
        const inside = axis.labels.map((_, n) => n).filter((n) => n >= low && n <= high);
        this.brushes.put(axis.id, inside);
      } else this.brushes.put(axis.id, [low, high].map((one) => Number(one.toPrecision(4))));
    }
    this.brushes.tell();
  }

  /** Light one point without drawing anew. */
  fade() {
    const nodes = this.place.querySelectorAll(".scatterlayer .point");
    nodes.forEach((node, n) => {
      const point = this.data.points[this.shown?.[n]];
      if (point) node.style.opacity = opacityOf(point.run);
    });
  }
}
