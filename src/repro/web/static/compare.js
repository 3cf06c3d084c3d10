// The compare page: what is said on one part of it holds for the others.
import { asked, changed, reloadOnReturn, setAddress } from "./address.js";
import { startLinkedViews } from "./linkedviews.js";
import { startCurves } from "./curves.js";
import { isPlainClick } from "./dom.js";
import { refresh, say } from "./fragment.js";

reloadOnReturn();

// Links whose part of the page is made anew; the rest of the address is as it is by now.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-change], a[data-leave]");
  if (!link || !isPlainClick(event)) return;
  event.preventDefault();
  if (link.dataset.leave) {
    const left = link.dataset.leave.split(" ");
    const runs = asked("run").filter((one) => !left.includes(one));
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
    await startLinkedViews(box, document.getElementById("scatter"));
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
