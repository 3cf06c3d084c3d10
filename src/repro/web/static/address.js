// The state of a view is in its address; this changes parts of it.

let shown = new URL(location); // what the page shows

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
  shown = url;
}

/** A query as people read it: what needs no percent in one has none. */
export function readable(params) {
  return params.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
}

/**
 * Have `restore(keys)` show what the address says where somebody goes back, with the keys of the
 * query that have changed; where it gives false the page is made anew.
 */
export function onReturn(restore) {
  window.addEventListener("popstate", () => {
    const [before, now] = [shown.searchParams, new URL(location).searchParams];
    shown = new URL(location);
    const keys = [...new Set([...before.keys(), ...now.keys()])];
    const moved = keys.filter((key) => String(before.getAll(key)) !== String(now.getAll(key)));
    if (moved.length && !restore(moved)) location.reload();
  });
}
