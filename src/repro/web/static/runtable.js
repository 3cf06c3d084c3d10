// The table of runs: links that need no new page, and rows that show that they have changed.
import { addressWith, go, isMoving, param } from "./view.js";

/** Whether a link only changes what this page shows. */
function staysHere(link) {
  return link.origin === location.origin && link.pathname === location.pathname && !link.hash
    && link.getAttribute("role") !== "button";
}

function sortAlsoBy(link) {
  const { sort: word, order } = link.dataset;
  const turned = order === "ascending" ? `-${word}` : word;
  const others = param("sort").split(",").filter((one) => one && one.replace(/^-/, "") !== word);
  return addressWith({ sort: [...others, turned].join(",") });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#table a, a.example");
  if (!link || event.defaultPrevented || event.button || !staysHere(link)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.shiftKey && !link.dataset.sort) return;
  event.preventDefault();
  link.closest("details.help")?.removeAttribute("open");
  go(event.shiftKey ? sortAlsoBy(link) : link.href);
});

document.getElementById("group").addEventListener("change", (event) => {
  go(addressWith({ group: event.target.value, sort: "" }));
});

window.addEventListener("popstate", () => go(location.href, "stay"));

document.addEventListener("repro:moved", () => {
  const select = document.getElementById("group");
  const wanted = param("group");
  if (![...select.options].some((option) => option.value === wanted)) {
    select.add(new Option(wanted, wanted));
  }
  select.value = wanted;
});

let stamps = readStamps();

function readStamps() {
  const rows = document.querySelectorAll("#table tr[data-run]");
  return new Map([...rows].map((row) => [row.dataset.run, row.dataset.stamp]));
}

document.addEventListener("repro:put", (event) => {
  if (event.target.id !== "table") return;
  const before = stamps;
  stamps = readStamps();
  if (isMoving) return;
  for (const [run, stamp] of stamps) {
    if (before.get(run) === stamp) continue;
    const row = document.querySelector(`tr[data-run="${run}"]`);
    row.classList.add(before.has(run) ? "changed" : "new");
  }
});
