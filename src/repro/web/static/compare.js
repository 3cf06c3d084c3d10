// The compare page: what is said on one part of it holds for the others.
import { changed, setAddress } from "./address.js";
import { startAmong } from "./among.js";
import { startCurves } from "./curves.js";
import { refresh, say } from "./fragment.js";

document.documentElement.classList.add("scripted");

// Links whose part of the page is made anew; the rest of the address is as it is by now.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-change], a[data-leave]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.dataset.leave) {
    const left = link.dataset.leave.split(" ");
    const runs = new URL(location).searchParams.getAll("run").filter((one) => !left.includes(one));
    location.assign(changed({ run: runs }));
    return;
  }
  const changes = Object.fromEntries([...new URLSearchParams(link.dataset.change)].map(([key, value]) => [key, value || null]));
  setAddress(changes, { isStep: true });
  try {
    await refresh("beside");
  } catch (error) {
    say(error.message);
  }
});

async function weigh() {
  const section = document.getElementById("importance");
  if (!section?.dataset.later) return;
  section.setAttribute("aria-busy", "true");
  try {
    await refresh("importance", section.dataset.later);
  } catch (error) {
    say(error.message);
  }
}

async function among() {
  const box = document.getElementById("parcoords");
  if (!box) return;
  try {
    await startAmong(box, document.getElementById("scatter"));
  } catch (error) {
    box.textContent = error.message;
  }
}

async function start() {
  const curves = document.getElementById("chartform") ? startCurves() : null;
  await Promise.all([curves, among()]);
  await weigh();
}

start();
