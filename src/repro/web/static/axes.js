// The axes of parallel coordinates as a table of fields: shown or not, order, ranges, colour.
import { element } from "./dom.js";
import { formatNumber, nWithout } from "./scales.js";

function range(axis, brushes) {
  const now = brushes.ranges.get(axis.id);
  const isOpen = !now || brushes.open.has(axis.id);
  const isWhole = axis.kind === "category"
    ? (kept) => kept.length === axis.labels.length
    : (ends) => ends.length > 0 && ends.every((end) => end === null);
  const set = (kept, isOpenNow) => brushes.set(axis.id, isWhole(kept) && (isOpenNow || !nWithout(axis)) ? null : kept, isOpenNow);
  const none = !nWithout(axis) ? [] : [element("label", {}, element("input", {
    type: "checkbox", checked: isOpen, id: `axis-${axis.id}-none`, "aria-label": `${axis.title}: runs without a value`,
    onchange: (event) => set(now ?? (axis.kind === "category" ? axis.labels.map((_, n) => n) : [null, null]), event.target.checked),
  }), " none ")];
  if (axis.kind === "category") {
    return [...axis.labels.map((label, n) => element("label", {}, element("input", {
      type: "checkbox", checked: !now || now.includes(n), id: `axis-${axis.id}-${n}`,
      onchange: (event) => set(axis.labels.map((_, k) => k).filter((k) => (k === n ? event.target.checked : !now || now.includes(k))), isOpen),
    }), ` ${label} `)), ...none];
  }
  const field = (n, words, end) => element("input", {
    type: "text", inputmode: "decimal", size: 9, id: `axis-${axis.id}-${n}`, "aria-label": `${axis.title} ${words}`,
    placeholder: formatNumber(end), value: now?.[n] ?? "",
    onchange: (event) => {
      const text = event.target.value.trim();
      const ends = now?.length ? [...now] : [null, null];
      ends[n] = text === "" || !Number.isFinite(Number(text)) ? null : Number(text);
      set(ends, now ? isOpen : false);
    },
  });
  return [field(0, "from", axis.low), " to ", field(1, "to", axis.high), " ", ...none];
}

/** Fill `box` with the table; `view` as parallel coordinates take it, with `setTint`. */
export function showAxes(box, brushes, view) {
  const focused = document.activeElement?.id;
  const listed = [...view.order, ...[...brushes.axes.keys()].filter((id) => !view.order.includes(id))];
  const rows = listed.map((id) => {
    const axis = brushes.axes.get(id);
    const place = view.order.indexOf(id);
    const move = (by) => () => {
      const order = [...view.order];
      order.splice(place + by, 0, ...order.splice(place, 1));
      view.setOrder(order);
    };
    const isShown = place >= 0;
    return element("tr", {},
      element("th", { scope: "row" }, element("label", {}, element("input", {
        type: "checkbox", checked: isShown, id: `show-${id}`,
        onchange: () => view.setOrder(isShown ? view.order.filter((one) => one !== id) : [...view.order, id]),
      }), ` ${axis.title}`)),
      element("td", {}, ...(isShown ? [
        element("button", { type: "button", id: `left-${id}`, disabled: place === 0, "aria-label": `Move ${axis.title} to the left`, onclick: move(-1) }, "←"),
        element("button", { type: "button", id: `right-${id}`, disabled: place === view.order.length - 1, "aria-label": `Move ${axis.title} to the right`, onclick: move(1) }, "→"),
      ] : [])),
      element("td", {}, ...range(axis, brushes)),
      element("td", { class: "number" }, String(nWithout(axis) || "")));
  });
  box.replaceChildren(element("table", { class: "dense" },
    element("thead", {}, element("tr", {}, ...["axis", "order", "range", "without a value"].map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...rows)));
  if (focused) document.getElementById(focused)?.focus();
}

/** A field to choose an axis. */
export function chooser(words, ids, axes, chosen, onChange, { none } = {}) {
  const options = ids.map((id) => element("option", { value: id, selected: id === chosen }, axes.get(id).title));
  if (none) options.unshift(element("option", { value: "", selected: !chosen }, none));
  return element("label", {}, `${words} `, element("select", { onchange: (event) => onChange(event.target.value || null) }, ...options));
}
