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

// What is shown is made from the address: going back makes it anew.
window.addEventListener("popstate", () => location.reload());
