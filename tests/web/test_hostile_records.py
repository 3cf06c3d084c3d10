"""A record that somebody made to do harm: every page of it is shown, and nothing of it runs."""

import hashlib
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from tests.support import git
from tests.support.projects import open_here
from tests.support.records import NOW, a_summary, make_record, open_at, write_run
from tests.support.sweeps import ask, make_sweep, tell
from tests.support.web import PORT

from repro.core.sweep.book import LocalBook
from repro.model.medium import Bins, MediaFile, Medium
from repro.model.run import Artifact, Omitted
from repro.model.space import Categorical
from repro.model.sweep import Entry
from repro.store.media import format_media
from repro.web.pages.run import TABS

NASTY = (
    "</title></pre>\"'><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x1b[31m\u2028"
)
LINK = "javascript:alert(1)//[x](javascript:alert(1))"
PIXEL = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1"
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONG = 10**4000


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _config(word: str) -> dict[str, Any]:
    return {
        word: word, "long": word * 2000, "list": [word, {word: [word]}], "huge": _LONG,
        "nan": math.nan, "inf": -math.inf, "deep": {"a": {"b": {"c": {"": None}}}},
        "": "", " ": " ", "tiny": 5e-324, "vast": 1.7976931348623157e308,
    }  # fmt: skip


def _media(word: str) -> tuple[bytes, dict[str, bytes]]:
    picture = MediaFile(type="png", size=len(PIXEL), digest=_digest(PIXEL), where="git")
    gone = replace(picture, digest=_digest(b"gone"))
    page = b"\x89PNG\r\n\x1a\n<script>alert(1)</script>"
    media = [
        Medium(name=word, step=0, time=NOW, place=0, kind="image", caption=word, file=picture),
        Medium(name="gone", step=-(2**53) + 1, time=NOW, place=0, kind="image", file=gone),
        Medium(name="page", step=0, time=NOW, place=0, kind="image", caption=LINK,
               file=replace(picture, digest=_digest(page), size=len(page))),
        Medium(name="bins", step=2**53 - 1, time=NOW, place=0, kind="histogram",
               bins=Bins((-1e308, 0.0, 1e308), (0, 2**53 - 1), 0)),
        Medium(name="flat", step=0, time=NOW, place=0, kind="histogram",
               bins=Bins((0.0, 5e-324), (0,), 7)),
    ]  # fmt: skip
    held = {picture.path: PIXEL, f"media/{hashlib.sha256(page).hexdigest()}.png": page}
    return format_media(media), held


def _hostile(root, word: str, **changes: Any) -> str:
    """A run of which everything that can be said is `word`; its id."""
    files = {"a.html": word.encode(errors="surrogatepass"), "b.csv": (f"{word},x\n" * 3).encode(
        errors="surrogatepass"), "c.svg": b"<svg onload=alert(1)>"}  # fmt: skip
    artifacts = [Artifact(name, len(data), _digest(data), "git") for name, data in files.items()]
    artifacts += [
        Artifact("gone.bin", 5 << 30, _digest(b"gone"), "git"),
        Artifact("away.bin", 5 << 30, _digest(b"away"), "store"),
        Artifact("lies.bin", 1, _digest(b"another"), "git"),
        Artifact("link.png", 4, _digest(b"link"), "git"),
    ]
    index, pictures = _media(word)
    record = make_record(
        name=word[:200], note=f"{word}\n{LINK}\n" * 20, tags=("tag", LINK[:20]), warnings=(word,),
        config=_config(word), summary=_config(word), user=word, host=word, branch=word,
        environment={"python": word, "packages": {word: word, "torch": LINK}, "gpus": [word]},
        command=("python", word, LINK), cwd="a/b", omitted=(Omitted(word, 2**60, word),),
        metrics={
            word[:300]: a_summary(math.nan, min=math.nan, max=math.inf, mean=math.nan),
            LINK: a_summary(1e308, first=-1e308, min=-1e308, last_step=2**53 - 1, goal="minimize"),
            "loss": a_summary(5e-324, goal="maximize"),
        },
        artifacts=tuple(artifacts), **changes,
    )  # fmt: skip
    held = {f"artifacts/{name}": data for name, data in files.items()}
    held |= {"artifacts/lies.bin": b"lies", "media.jsonl": index, **pictures}
    output = f"{word}\r\n\x1b[2J\x1b]0;title\x07\x1b[999999999mred\x1b[0m\0{LINK}\n".encode(
        errors="surrogatepass"
    )
    return write_run(
        open_at(root), record, files={**held, "output.log": output * 50 + b"\xff\xfe"}
    ).run.id


def _commit_nasty_files(root) -> None:
    for name in (b"<script>alert(1)<", b"\xff\xfe\x1b[31m.py", "\u202etxt.exe".encode(), b"-rf"):
        path = root.joinpath(name.decode(errors="surrogateescape"))
        path.write_bytes(b"</pre><script>alert(1)</script>\x1b[31m\n" * 3 + b"\xff\n")
    (root / "link").symlink_to("/etc/passwd")
    (root / "up").symlink_to("../../../../../../etc")
    (root / ".gitattributes").write_text("* diff=evil filter=evil merge=evil\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "nasty")
    keys = "diff.evil.textconv diff.evil.command filter.evil.smudge filter.evil.clean diff.external"
    for key in f"{keys} core.pager pager.diff core.fsmonitor".split():
        git(root, "config", key, f"touch {root}/CANARY; cat")


class _Parts(HTMLParser):
    """What a browser makes of a page: its links, and whatever it would obey."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.live: list[tuple[str, object]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "script" and not (values.get("src") or "").startswith(("/static/", "/vendor/")):
            self.live.append((tag, attrs))
        if tag in ("iframe", "object", "embed", "base", "style", "applet", "frame"):
            self.live.append((tag, attrs))
        self.live += [(tag, one) for one in attrs if one[0].startswith("on") or one[0] == "style"]
        for key in ("href", "src", "action", "formaction", "data-source", "data-address"):
            if values.get(key):
                self.links.append(values[key])


class Crawler:
    """Asks for every address that any page names, and looks at what comes."""

    def __init__(self, client, root: Path, most: int) -> None:
        self.client = client
        self.root = root
        self.most = most
        self.seen: dict[str, int] = {}

    def walk(self, starts: list[str]) -> None:
        waiting = list(starts)
        while waiting and len(self.seen) < self.most:
            address = waiting.pop(0)
            if address in self.seen:
                continue
            answer = self.client.get(address)
            self.seen[address] = answer.status_code
            assert not (self.root / "CANARY").exists(), address
            waiting += self.look(address, answer)

    def look(self, address: str, answer) -> list[str]:
        assert answer.status_code in (200, 400, 404, 422), (address, answer.status_code)
        assert "bug in repro" not in answer.text, address
        assert "root:x:0" not in answer.text, address
        kind = answer.headers["content-type"].partition(";")[0]
        if kind != "text/html":
            is_ours = answer.url.path.startswith(("/static/", "/vendor/", "/api/"))
            policy = answer.headers["content-security-policy"]
            assert is_ours or policy.startswith("sandbox"), address
            return []
        found = _CONTROLS.search(answer.text)
        assert found is None, (address, answer.text[max(0, found.start() - 90) : found.end() + 20])
        page = _Parts(answer.text)
        assert page.live == [], address
        there = [urljoin(str(answer.url), one) for one in page.links]
        own = f"http://127.0.0.1:{PORT}/"
        assert [one for one in there if not one.startswith(own)] == [], address
        return [
            one.partition("#")[0]
            for one in there
            if not one.startswith((f"{own}static/", f"{own}vendor/", f"{own}live"))
        ]


def test_every_page_that_a_hostile_record_leads_to_is_inert(repository, browse):
    word = NASTY
    _commit_nasty_files(repository)
    runs = [_hostile(repository, word) for _ in range(2)]
    project = open_here(repository)
    space = {"lr": Categorical((0.1, 0.2)), "opt": Categorical((word,))}
    at = make_sweep(project, space=space, metric="loss", note=word)
    entries: list[Entry] = []
    entries += [ask(n, run, params={"lr": 0.1, "opt": word}) for n, run in enumerate(runs)]
    entries += [tell(0, runs[0], -1e308), tell(1, runs[1], 1e308)]
    LocalBook(project, at.sweep.id).write(lambda _: entries)
    (repository / "CANARY").unlink(missing_ok=True)  # a sweep takes a snapshot, with filters
    crawler = Crawler(browse(repository), repository, most=100)
    both = f"run={runs[0]}&run={runs[1]}"
    crawler.walk([
        "/", "/?panel=columns", "/?group=name", "/sweeps", f"/sweeps/{at.sweep.id}",
        *(f"/runs/{runs[0]}?tab={tab}" for tab in TABS), f"/runs/{runs[0]}?tab=reproduce&examine=1",
        f"/diff?a={runs[0]}&b={runs[1]}", f"/compare?{both}&metric={quote(word[:300])}&metric=loss",
        f"/compare?{both}&all=1&lay=rows", f"/api/coordinates?{both}", "/api/complete?q=config.",
        f"/runs/{runs[0]}/files", f"/runs/{runs[0]}/output", f"/runs/{runs[0]}/patch",
        *(f"/runs/{runs[0]}/artifacts/{n}" for n in range(7)),
        *(f"/runs/{runs[0]}/artifacts/{n}/raw" for n in range(7)),
        *(f"/runs/{runs[0]}/media/{n}" for n in ("0", "0" * 16, "%2e%2e", "%00")),
    ])  # fmt: skip
    broken = {address for address, status in crawler.seen.items() if status == 422}
    # Bytes that are not those of their digests.
    assert all(re.search(r"/artifacts/\d+|/media/", one) for one in broken), broken


def test_a_record_with_more_than_anybody_reads_is_shown_in_part(repository, browse):
    config = {f"param{n}": n for n in range(5_000)}
    artifacts = tuple(Artifact(f"f{n}", 1, _digest(b"x"), "git") for n in range(5_000))
    record = make_record(config=config, artifacts=artifacts, note="word " * 200_000)
    run = write_run(open_at(repository), record).run.id
    other = write_run(open_at(repository), make_record(config={"lr": 1})).run.id
    client = browse(repository)
    for address in (
        "/", "/?panel=columns", f"/runs/{run}", f"/runs/{run}?tab=artifacts",
        f"/diff?a={run}&b={other}", f"/compare?run={run}&run={other}&all=1",
    ):  # fmt: skip
        answer = client.get(address)

        assert answer.status_code == 200
        assert len(answer.content) < 1_500_000, address
    assert "The first 2,000 of 5,000" in client.get(f"/runs/{run}").text


def test_what_cannot_be_read_of_a_run_keeps_nothing_else_of_it_from_being_shown(repository, browse):
    file = MediaFile(type="json", size=5, digest=_digest(b"gone"), where="git")
    table = Medium(name="t", step=0, time=NOW, place=0, kind="table", file=file, columns=1)
    metrics = {"loss": a_summary(0.25)}
    runs = {
        "metrics": {"metrics/0.csv": b"\xff\x1b[31m"},
        "index of media": {"media.jsonl": b"{"},
        "table": {"media.jsonl": format_media([table])},
    }
    client = browse(repository)
    for what, files in runs.items():
        record = make_record(name="still-here", metrics=metrics)
        run = write_run(open_at(repository), record, files=files).run.id
        answers = [client.get(f"/runs/{run}?tab={tab}") for tab in TABS]

        assert {one.status_code for one in answers} == {200}, what
        assert any('class="error"' in one.text for one in answers) or what == "metrics"
        assert "0.25" in answers[0].text
