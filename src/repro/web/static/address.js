// The state of a view is in its address; this changes parts of it.

/** What the address says under a key, all of it. */
export const asked = (key) => new URL(location).searchParams.getAll(key);

/** Change keys of the query: a text, a list, or null to take one out. */
export function changed(changes, from = location.href) {
  const url = new URL(from, location.href);
  for (const [key, value] of Object.entries(changes)) {
    url.searchParams.delete(key);
    for (const one of value === null ? [] : [value].flat()) url.searchParams.append(key, one);
  }
  return url;
}

/** Show a change in the address bar; with `isStep`, going back undoes it. */
export function setAddress(changes, { isStep = false } = {}) {
  const url = changed(changes);
  if (url.href === location.href) return;
  history[isStep ? "pushState" : "replaceState"](null, "", url);
}

/** A query as people read it: what needs no percent in one has none. */
export function readable(params) {
  return params.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
}

/** Make the page anew where somebody goes back: what it shows is made from the address. */
export function reloadOnReturn() {
  window.addEventListener("popstate", () => location.reload());
}
