// The page of a run: tabs without a whole new page, lists that filter, output that is followed.
import { change } from "./change.js";
import { element, isPlainClick } from "./dom.js";
import { openEditor } from "./editor.js";
import { fetchBlock, refresh, say } from "./fragment.js";

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-tab]");
  if (!link || !isPlainClick(event)) return;
  event.preventDefault();
  try {
    if (!(await refresh("tab", link.href))) return;
    history.pushState(null, "", link.href);
    document.querySelector(".tabs [aria-current]")?.focus({ preventScroll: true });
  } catch {
    location.assign(link.href); // the whole page says what is wrong
  }
});

window.addEventListener("popstate", () => {
  if (document.getElementById("tab")) refresh("tab").catch(() => location.reload());
});

/** Fill what takes time, once it is there. */
async function load() {
  const place = document.querySelector("[data-load]");
  if (!place) return;
  const address = place.dataset.load;
  place.removeAttribute("data-load");
  place.setAttribute("aria-busy", "true");
  const waiting = element("p", { class: "note" }, "It is being examined …");
  place.replaceChildren(waiting);
  try {
    const template = document.createElement("template");
    template.innerHTML = await fetchBlock("tab", address);
    const filled = template.content.getElementById(place.id);
    if (filled && place.isConnected) place.replaceWith(filled);
  } catch (error) {
    place.removeAttribute("aria-busy");
    waiting.className = "error";
    waiting.textContent = error.message;
  }
}

// The address of a line of source text, to be sent to somebody.
document.addEventListener("click", (event) => {
  const number = event.target.closest("table.source td.no");
  if (number) location.replace(`#L${number.dataset.line}`);
});

document.addEventListener("input", (event) => {
  const field = event.target.closest("input[data-filter]");
  if (!field) return;
  const wanted = field.value.trim().toLowerCase();
  let n = 0;
  for (const row of document.querySelectorAll(`#${field.dataset.filter} tbody tr`)) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
    n += row.hidden ? 0 : 1;
  }
  say(`${n} shown`, 2000);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("#head button.edit");
  if (button) openEditor(button.closest("[data-edit]"), change);
});

let isSliding = false;

/** Show the media of the step that a slider is at; what it moves over meanwhile is left out. */
async function slide(form) {
  if (isSliding) return;
  isSliding = true;
  const wanted = form.elements.step.value;
  const url = new URL(`${form.action}?${new URLSearchParams(new FormData(form))}`);
  try {
    const template = document.createElement("template");
    template.innerHTML = await fetchBlock("tab", url.href);
    const shown = document.getElementById(form.dataset.slide);
    const filled = template.content.getElementById(form.dataset.slide);
    if (form.isConnected && shown && filled) {
      shown.replaceWith(filled);
      history.replaceState(null, "", url.href);
    }
  } catch (error) {
    say(error.message);
  }
  isSliding = false;
  if (form.isConnected && form.elements.step.value !== wanted) slide(form);
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-slide]");
  if (!form) return;
  form.querySelector("output").textContent = Number(form.elements.step.value).toLocaleString("en");
  slide(form);
});

let isFollowing = true;

/** Show the end of an output that grows, as long as nobody has scrolled away from it. */
function follow() {
  const box = document.querySelector("#output[data-follow]");
  const choice = document.getElementById("follow");
  if (!box) return;
  if (choice) {
    choice.checked = isFollowing;
    choice.onchange = () => { isFollowing = choice.checked; follow(); };
  }
  if (isFollowing) box.scrollTop = box.scrollHeight;
  box.onscroll = () => {
    isFollowing = box.scrollTop + box.clientHeight >= box.scrollHeight - 40;
    if (choice) choice.checked = isFollowing;
  };
}

/** Begin at the end of an output, which is what one looks for. */
function begin() {
  const box = document.getElementById("output");
  if (box && !box.dataset.follow) box.scrollTop = box.scrollHeight;
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  follow();
  load();
}

document.addEventListener("repro:put", begin);
begin();
