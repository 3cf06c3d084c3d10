// Elements of a page made, and clicks on its links read.

/**
 * Make an element. Of the attributes `on…` are listeners, `true` is one without a value, `false`
 * and undefined are none.
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Whether a click wants only what its link leads to: no tab, no window, no file. */
export function isPlainClick(event) {
  return !event.button && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}
