// Tags that runs have, offered to whoever types one.
import { element } from "./dom.js";
import { fetchJson } from "./fragment.js";

const LIST = "known-tags";

/** Offer the tags that there are in a text field, once somebody goes to it. */
export function offerTags(field) {
  field.setAttribute("list", LIST);
  field.addEventListener("focus", () => fill(), { once: true });
}

async function fill() {
  let list = document.getElementById(LIST);
  if (!list) {
    list = element("datalist", { id: LIST });
    document.body.append(list);
  }
  try {
    const { words } = await fetchJson(`/api/complete?${new URLSearchParams({ q: "tag = " })}`);
    const values = words.filter((word) => word.what === "value");
    list.replaceChildren(...values.map((word) => new Option(unquote(word.text))));
  } catch {
    // Nothing is offered while the server is away.
  }
}

/** A text as it was before a filter put it in quotes. */
function unquote(text) {
  if (!text.startsWith("'")) return text;
  return text.slice(1, -1).replaceAll("''", "'").replaceAll("\\\\", "\\");
}
