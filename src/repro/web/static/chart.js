// Charts drawn by plotly, whose script is fetched when the first one is wanted.

let loading = null;

/** Give plotly; its script is fetched once. */
export function loadPlotly() {
  loading ??= new Promise((resolve, reject) => {
    // Plotly adds the style sheet of its maps, which the policy of the page refuses with a message
    // on the console; an element with the name of that sheet makes it think that it is there.
    const find = Document.prototype.getElementById;
    document.getElementById = (id) =>
      /^[0-9a-f]{64}$/.test(id) ? document.documentElement : find.call(document, id);
    const script = document.createElement("script");
    script.src = "/vendor/plotly.js";
    script.addEventListener("load", () => { delete document.getElementById; resolve(window.Plotly); });
    script.addEventListener("error", () => {
      delete document.getElementById;
      loading = null;
      reject(new Error("the script of the charts cannot be fetched"));
    });
    document.head.append(script);
  });
  return loading;
}

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Call back when the page turns light or dark, until `signal` aborts. */
export function onTheme(redraw, signal) {
  dark.addEventListener("change", redraw, { signal });
}

/** The colours of the page as it is now. */
export function theme() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    ground: of("--ground"), raised: of("--raised"), text: of("--text"), quiet: of("--quiet"),
    line: of("--line"), strong: of("--strong-line"), sans: of("--sans"), accent: of("--accent"),
    colours: Array.from({ length: 10 }, (_, n) => of(`--c${n}`)),
  };
}

/** A text for plotly, which reads some tags in texts. */
export function plain(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** An axis as all charts have it. */
export function axis(title, { isLog = false, type, ...rest } = {}) {
  const now = theme();
  return {
    title: { text: plain(title), font: { size: 11, color: now.quiet }, standoff: 6 },
    type: type ?? (isLog ? "log" : "linear"),
    gridcolor: now.line, zeroline: false, linecolor: now.strong, tickcolor: now.strong,
    tickfont: { size: 11, color: now.quiet }, automargin: true, nticks: 6, exponentformat: "e", minexponent: 5, separatethousands: true,
    ...rest,
  };
}

/** The layout that all charts start from. */
export function layout(rest) {
  const now = theme();
  return {
    margin: { l: 48, r: 10, t: 8, b: 32 }, showlegend: false, hovermode: "closest", hoverdistance: 24,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: now.sans, size: 12, color: now.text },
    hoverlabel: { bgcolor: now.raised, bordercolor: now.strong, font: { color: now.text, size: 12 }, align: "left" },
    ...rest,
  };
}

const isCoarse = matchMedia("(pointer: coarse)");

/** What a drag does: nothing on a phone, where it scrolls the page. */
export function dragging(mode) {
  return isCoarse.matches ? false : mode;
}

/** Let go of a chart that is no longer shown. */
export function letGo(place) {
  window.Plotly?.purge(place);
}

/** Draw, or draw anew; no bar of buttons, no link to anywhere. */
export async function draw(place, traces, wish) {
  const plotly = await loadPlotly();
  await plotly.react(place, traces, wish, { responsive: true, displayModeBar: false, displaylogo: false, doubleClick: false, showTips: false });
  return place;
}
