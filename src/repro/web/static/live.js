// One stream from the server while the page is looked at; blocks marked `data-live` follow it.
// It begins where the page was read: what changed before it stood is told first.
import { isAsking, putBlock, refresh, say } from "./fragment.js";

let stream = null;
let isBehind = false;
let isFollowing = false;
let isDue = false;

/** Whether somebody is in the middle of something that a new block would take away. */
function isBusy(element) {
  const focused = document.activeElement;
  const writes = "input:not([type=checkbox]), textarea, select, [contenteditable]";
  return (element.contains(focused) && focused.matches(writes)) || element.querySelector(".editor");
}

/** Follow a change; those that come meanwhile are followed together. */
async function follow() {
  isDue = true;
  if (isFollowing) return;
  isFollowing = true;
  while (isDue) {
    isDue = false;
    await followOnce();
  }
  isFollowing = false;
}

async function followOnce() {
  document.dispatchEvent(new CustomEvent("repro:change"));
  for (const element of document.querySelectorAll("[data-live]")) {
    if (isBusy(element)) continue;
    if (isAsking(element.dataset.live)) { // what somebody wished to see goes first
      setTimeout(follow, 300);
      continue;
    }
    try {
      await refresh(element.dataset.live);
    } catch (error) {
      if (error.isBlock) putBlock(error.message);
      else isBehind = true; // the stream says when the server is back
    }
  }
}

function open() {
  if (stream || document.hidden) return;
  const { dataset } = document.body;
  stream = new EventSource(`/live?since=${dataset.seen}`);
  stream.addEventListener("change", (event) => {
    dataset.seen = event.data;
    follow();
  });
  stream.addEventListener("open", () => {
    if (isBehind) follow();
    isBehind = false;
    say("");
  });
  stream.addEventListener("error", () => {
    isBehind = true;
    if (stream?.readyState === EventSource.CLOSED) close();
    say("The server does not answer; this page tries again.", 0);
  });
}

function close() {
  stream?.close();
  stream = null;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) close();
  else { isBehind = true; open(); }
});
// A browser opens few connections to a host: a page that is left gives its own back.
window.addEventListener("pagehide", close);
window.addEventListener("pageshow", (event) => { if (event.persisted) { isBehind = true; open(); } });
open();
