// Parts of a page asked for anew: the server renders them, the address says what they show.
import { element } from "./dom.js";

/**
 * Fetch one block of the page at `address`; throws an Error with what the server said, `isBlock`
 * where that is a block to put in instead.
 */
export async function fetchBlock(name, address, signal) {
  const answer = await fetch(address, { headers: { "X-Fragment": name }, signal });
  const text = await answer.text();
  const isBlock = answer.headers.has("X-Instead");
  if (!answer.ok || isBlock) {
    const error = new Error(text.trim() || `the server answered ${answer.status}`);
    throw Object.assign(error, { isBlock });
  }
  return text;
}

/**
 * Put a block in the place of the element with the same id; focus stays where it was. One in which
 * somebody writes stays.
 */
export function putBlock(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const focused = document.activeElement?.id;
  for (const fresh of [...template.content.children]) {
    const old = fresh.id && document.getElementById(fresh.id);
    if (!old || old.querySelector(".editor")) continue; // nobody's words are taken away
    const boxes = [...old.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
    old.replaceWith(fresh);
    fresh.querySelectorAll(".scroll").forEach((box, n) => {
      if (boxes[n]) [box.scrollLeft, box.scrollTop] = boxes[n];
    });
    fresh.dispatchEvent(new CustomEvent("repro:put", { bubbles: true }));
  }
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
}

const asking = new Map();

/** Fetch a block and put it in; a newer wish for the same block ends an older one. */
export async function refresh(name, address = location.href) {
  asking.get(name)?.abort();
  const controller = new AbortController();
  asking.set(name, controller);
  try {
    putBlock(await fetchBlock(name, address, controller.signal));
    return true;
  } catch (error) {
    if (error.name === "AbortError") return false;
    throw error;
  } finally {
    if (asking.get(name) === controller) asking.delete(name);
  }
}

/** Whether a block is on its way. */
export function isAsking(name) {
  return asking.has(name);
}

/** Say something to everybody, screen readers too; `act` is what a button in it does. */
export function say(text, forMs = 6000, label = "", act = null) {
  const place = document.getElementById("said");
  place.textContent = text;
  if (act) {
    const button = element("button", { type: "button" }, label);
    button.addEventListener("click", act, { once: true });
    place.append(" ", button);
  }
  clearTimeout(say.timer);
  if (forMs) say.timer = setTimeout(() => { place.textContent = ""; }, forMs);
}

/** Fetch JSON; throws an Error with what the server said instead. `options` as `fetch` has them. */
export async function fetchJson(address, options = {}) {
  const answer = await fetch(address, { headers: { Accept: "application/json" }, ...options });
  const text = await answer.text();
  let said;
  try { said = JSON.parse(text); } catch { throw new Error(text.trim()); }
  if (said.error) throw new Error(said.hint ? `${said.message} (${said.hint})` : said.message);
  return said;
}

/** Send a change; gives `{done, problems}`, or throws what the server said. */
export function post(path, wish) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  return fetchJson(path, { method: "POST", headers, body: JSON.stringify(wish) });
}
