// Runs among their params: parallel coordinates, scatter, and the ranges that both share.
import { asked, changed, setAddress } from "./address.js";
import { chooser, showAxes } from "./axes.js";
import { Brushes } from "./brushes.js";
import { element } from "./dom.js";
import { fetchJson } from "./fragment.js";
import { Parcoords } from "./parcoords.js";
import { changeRuns } from "./runstate.js";
import { tinter } from "./scales.js";
import { Scatter } from "./scatter.js";

const MOST_NAMED = 200; // runs in an address

const colourOf = (run) => {
  const chip = document.querySelector(`.legend [data-run="${run}"]`);
  return chip ? Number(chip.dataset.colour) : -1;
};

/**
 * The filter that finds the runs in the ranges among those compared; null where there is none.
 * Those chosen by name are no others that lie in the ranges, too.
 */
function filterOf(brushes, inside) {
  if (asked("run").length) {
    return inside.size && inside.size <= MOST_NAMED ? `id in (${[...inside].map((id) => `'${id}'`).join(", ")})` : null;
  }
  const ranges = brushes.asFilter();
  const [where] = asked("q");
  return ranges && [where?.trim() && `(${where})`, ranges].filter(Boolean).join(" and ");
}

function chosenBar(brushes, signal) {
  const bar = document.getElementById("chosen");
  if (!bar) return;
  document.getElementById("chosen-clear").addEventListener("click", () => brushes.clear(), { signal });
  const tell = () => {
    const inside = brushes.inside();
    bar.hidden = inside === null;
    if (inside === null) return;
    document.getElementById("chosen-count").textContent = `${inside.size} of ${brushes.data.points.length} runs in the ranges`;
    const filter = filterOf(brushes, inside);
    // An address holds so many names; more runs are found by the filter again.
    const changes = inside.size <= MOST_NAMED ? { run: [...inside], q: null } : { q: filter };
    const compare = document.getElementById("chosen-compare");
    compare.hidden = !inside.size || (inside.size > MOST_NAMED && !filter);
    compare.href = changed({ ...changes, brush: null, base: null, hide: null });
    const link = document.getElementById("chosen-filter");
    link.hidden = !filter;
    link.href = `/?q=${encodeURIComponent(filter ?? "")}`;
  };
  brushes.onChange(tell);
  tell();
}

let shown = null; // as JSON
let ending = new AbortController();
let current = null;

/** Show the ranges that the address has by now; false where there is nothing to show them in. */
export function restoreRanges() {
  current?.brushes.restore();
  return current !== null;
}

/** Draw them anew where the runs have changed; not while somebody works there, who would lose it. */
export async function refreshLinkedViews(box, place) {
  const isHeld = [box, place].some((one) => one?.contains(document.activeElement));
  if (!current?.brushes.ranges.size && !isHeld) await startLinkedViews(box, place);
}

/** Draw the runs of `box.dataset.source` into it, and into `place` where there is one. */
export async function startLinkedViews(box, place) {
  const data = await fetchJson(box.dataset.source);
  if (JSON.stringify(data) === shown) return;
  shown = JSON.stringify(data);
  ending.abort();
  ending = new AbortController();
  const { signal } = ending;
  const axes = new Map(data.axes.map((axis) => [axis.id, axis]));
  if (data.points.length < 2 || axes.size < 2) {
    box.replaceChildren(element("p", { class: "quiet" }, "There are not two things to compare runs by."));
    place?.closest("section").toggleAttribute("hidden", true);
    current = null;
    return;
  }
  place?.closest("section").toggleAttribute("hidden", false);
  const brushes = new Brushes(data, axes);
  const ids = [...axes.keys()];
  const usual = data.shown.map((n) => ids[n]);
  const metrics = ids.filter((id) => axes.get(id).is_metric);
  const known = (values) => values.filter((id) => axes.has(id));
  const order = known(asked("axis"));
  const target = usual.filter((id) => axes.get(id).is_metric).at(-1) ?? metrics[0] ?? ids.at(-1);
  const hasColours = data.points.length <= 10 && document.querySelector(".legend") !== null;
  const [tint = hasColours ? null : target] = known(asked("tint"));
  const view = { order: order.length ? order : usual, tintAxis: tint, tint: tinter(axes.get(tint), colourOf) };

  const scroll = element("div", { class: "scroll plain", tabindex: "0", role: "region", "aria-label": "Lines of the runs" });
  const fields = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Axes" });
  const details = element("details", { open: box.querySelector("details")?.open }, element("summary", { class: "quiet" }, "Axes, order and ranges"), fields);
  const parcoords = new Parcoords(scroll, data, brushes, view, signal);
  const again = () => { parcoords.draw(); showAxes(fields, brushes, view); };
  view.setOrder = (ids) => { view.order = ids; setAddress({ axis: ids }); again(); };
  const setTint = (id) => {
    view.tintAxis = id;
    view.tint = tinter(axes.get(id), colourOf);
    setAddress({ tint: id });
    parcoords.draw();
    scatter?.draw();
  };
  const tools = element("p", { class: "tools" }, chooser("colour by", ids, axes, tint, setTint, { none: "run" }),
    element("span", { class: "quiet" }, "Drag along an axis to keep a range, click it to let go; drag a title to move its axis."));
  box.replaceChildren(tools, scroll, details);
  Parcoords.follow(scroll);
  brushes.onChange(() => showAxes(fields, brushes, view));
  again();
  changeRuns({ inside: brushes.inside() });
  chosenBar(brushes, signal);

  current = { brushes };
  let scatter = null;
  if (place) {
    const params = ids.filter((id) => !axes.get(id).is_metric);
    const pick = (key, usual) => known(asked(key))[0] ?? usual;
    const numeric = params.find((id) => axes.get(id).kind !== "category");
    const pair = { x: pick("sx", numeric ?? params[0] ?? metrics[0]), y: pick("sy", target), get tint() { return view.tint; } };
    const plot = element("div", { class: "plot large" });
    const remark = element("p", { class: "remark quiet" });
    scatter = new Scatter(plot, remark, data, brushes, pair, signal);
    const set = (key, name) => (id) => { pair[key] = id; setAddress({ [name]: id }); scatter.draw(); };
    place.replaceChildren(element("p", { class: "tools" },
      chooser("x", ids, axes, pair.x, set("x", "sx")), chooser("y", ids, axes, pair.y, set("y", "sy")),
      element("span", { class: "quiet" }, "Drag a box around runs to keep them.")), plot, remark);
    await scatter.draw();
  }
}
