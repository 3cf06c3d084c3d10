"""A page of another site in the browser of somebody who looks at runs."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.support.projects import make_run, open_here

from repro.core.query import list_runs

EVIL = b"<!doctype html><meta charset=utf-8><title>evil</title><h1>evil</h1>"
# Each gives what it learned, or what kept it from that.
TRIES = """async ([own, run]) => {
  const seen = {};
  const tried = async (name, act) => {
    try { seen[name] = await act(); } catch (error) { seen[name] = `kept out: ${error.name}`; }
  };
  const loads = (tag, set) => new Promise((done) => {
    const one = document.createElement(tag);
    one.onload = () => done("loaded");
    one.onerror = () => done("kept out");
    setTimeout(() => done("kept out: silent"), 4000);
    set(one);
    document.body.append(one);
  });
  const wish = JSON.stringify({ runs: [run], add: ["theirs"] });
  const rude = { credentials: "include" };
  await tried("fetch", async () => (await fetch(own, rude)).text());
  await tried("opaque", async () => (await fetch(own, { ...rude, mode: "no-cors" })).text());
  await tried("stream", () => new Promise((done) => {
    const source = new EventSource(`${own}/live`, { withCredentials: true });
    source.onopen = () => done("open");
    source.onerror = () => done("kept out");
  }));
  await tried("socket", () => new Promise((done) => {
    const socket = new WebSocket(`${own.replace("http", "ws")}/live`);
    socket.onopen = () => done("open");
    socket.onerror = () => done("kept out");
  }));
  await tried("script", () => loads("script", (one) => { one.src = `${own}/static/page.js`; }));
  await tried("picture", () => loads("img", (one) => { one.src = `${own}/static/icon.svg`; }));
  await tried("style", () => loads("link", (one) => {
    one.rel = "stylesheet";
    one.href = `${own}/static/base.css`;
  }));
  await tried("change", async () => (await fetch(`${own}/curate/tags`, {
    ...rude, method: "POST", body: wish, headers: { "content-type": "application/json" },
  })).text());
  await tried("text", async () => (await fetch(`${own}/curate/tags`, {
    ...rude, method: "POST", body: wish, mode: "no-cors",
  })).text());
  await tried("form", () => loads("iframe", (one) => {
    one.name = "sink";
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action: `${own}/curate/tags`, target: "sink",
                          enctype: "text/plain" });
    const field = document.createElement("input");
    Object.assign(field, { name: wish, value: "" });
    form.append(field);
    document.body.append(form);
    setTimeout(() => form.submit(), 200);
  }));
  await tried("frame", async () => {
    const frame = document.createElement("iframe");
    frame.src = own;
    document.body.append(frame);
    await new Promise((done) => { frame.onload = done; setTimeout(done, 3000); });
    return frame.contentDocument ? frame.contentDocument.title : "kept out";
  });
  await tried("window", async () => {
    const opened = window.open(own);
    await new Promise((done) => setTimeout(done, 2000));
    return opened && !opened.closed ? opened.document.title : "kept out";
  });
  return seen;
}"""


@pytest.fixture
def evil() -> Iterator[str]:
    """The origin of somebody else's server on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(EVIL)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_page_of_another_site_learns_nothing_and_changes_nothing(
    repository, ui, browse, troubles, evil, name
):
    run = make_run(open_here(repository), name="secret-plan")
    server = ui(repository)
    context = browse()
    own = context.new_page()
    own.goto(server.address)
    assert own.get_by_text("secret-plan").count() == 1
    theirs = context.new_page()
    # By the one name it is the same site, to which strict cookies go, by the other another one.
    theirs.goto(evil.replace("127.0.0.1", name))
    seen = theirs.evaluate(TRIES, [server.origin, run.id])

    assert "secret-plan" not in str(seen)
    del seen["form"]  # a frame is loaded, whatever is in it
    assert {key: said for key, said in seen.items() if not said.startswith("kept out")} == {}
    [record] = list_runs(open_here(repository)).records
    assert record.run.tags == ()
    own.reload()
    assert own.get_by_text("secret-plan").count() == 1
    troubles.clear()  # much was refused, which browsers complain of
