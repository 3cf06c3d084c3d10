// Ways to go on with a filter, offered under its box: a combobox as WAI-ARIA describes it.
import { element } from "./dom.js";
import { fetchJson } from "./fragment.js";

const QUIET_MS = 60;

/** The place of a character as JavaScript counts it, which takes some for two. */
function unitsBefore(text, place) {
  return [...text].slice(0, place).join("").length;
}

/** Offer words for `box` in `list`; gives a way to close it. */
export function attachCompletion(box, list) {
  let offered = [];
  let active = -1;
  let asked = 0;
  let timer = 0;
  let ownSpace = -1; // behind the space that came with a word, for whoever types one, too

  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", list.id);
  box.setAttribute("aria-expanded", "false");

  function close() {
    clearTimeout(timer);
    asked += 1; // an answer that is on its way comes too late
    offered = [];
    active = -1;
    list.hidden = true;
    list.replaceChildren();
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  }

  async function ask() {
    const mine = (asked += 1);
    const at = box.selectionStart;
    const n = [...box.value.slice(0, at)].length; // the server counts characters
    const query = new URLSearchParams({ q: box.value, at: n });
    let found;
    try {
      found = await fetchJson(`/api/complete?${query}`);
    } catch {
      return; // nothing is offered while the server is away
    }
    if (mine !== asked || document.activeElement !== box) return;
    const words = found.words.map((one) => ({ ...one, start: unitsBefore(box.value, one.start) }));
    offer(words.filter((one) => one.text !== box.value.slice(one.start, at)));
  }

  function offer(words) {
    if (!words.length) return close();
    offered = words;
    active = -1;
    list.replaceChildren(...words.map((word, place) => {
      const attributes = { id: `word-${place}`, role: "option", "aria-selected": "false" };
      return element("li", attributes, element("span", {}, word.text), element("small", {}, word.what));
    }));
    list.hidden = false;
    list.scrollTop = 0;
    box.setAttribute("aria-expanded", "true");
    box.removeAttribute("aria-activedescendant");
  }

  function move(by) {
    clearTimeout(timer);
    asked += 1; // no answer that is on its way takes away what somebody goes through
    list.children[active]?.setAttribute("aria-selected", "false");
    const n = offered.length;
    active = active < 0 && by < 0 ? n - 1 : (active + by + n) % n;
    const item = list.children[active];
    item.setAttribute("aria-selected", "true");
    item.scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", item.id);
  }

  function take(word) {
    const at = box.selectionStart;
    const space = word.text.endsWith(".") || /^[\s)]/.test(box.value.slice(at)) ? "" : " ";
    box.setRangeText(word.text + space, word.start, at, "end");
    ownSpace = space ? box.selectionStart : -1;
    close();
    box.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  /** Whether a part of the word that is offered has been typed. */
  function hasBegun() {
    return offered.length > 0 && box.selectionStart > offered[0].start;
  }

  box.addEventListener("beforeinput", (event) => {
    if (event.data === " " && box.selectionStart === ownSpace && box.selectionEnd === ownSpace) {
      event.preventDefault();
    }
    ownSpace = -1;
  });
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, QUIET_MS);
  });
  box.addEventListener("blur", close);
  box.addEventListener("keydown", (event) => {
    const isOpen = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (isOpen) move(event.key === "ArrowDown" ? 1 : -1);
      else ask();
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && isOpen && active >= 0) {
      event.preventDefault();
      take(offered[active]);
    } else if (event.key === "Tab" && !event.shiftKey && isOpen && (active >= 0 || hasBegun())) {
      event.preventDefault();
      take(offered[Math.max(active, 0)]);
    }
  });
  // Before the box loses the focus, which would close the list.
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const item = event.target.closest("li");
    if (item) take(offered[[...list.children].indexOf(item)]);
  });
  return { close };
}
