"""Artifacts and media: shown as far as that is harmless."""

import hashlib
import json
import re

from tests.support import git
from tests.support.projects import begin, end, open_here
from tests.support.records import make_record, open_at, write_run
from tests.support.webpages import TRAVERSALS, assert_inert, text_of

from repro.model.run import Artifact

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1"
SANDBOX = "sandbox; default-src 'none'"
PICTURE = (  # as a browser shows one
    "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
)


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def keep(root, files: dict[str, bytes], **changes):
    """A run with artifacts in git."""
    artifacts = tuple(
        Artifact(path, len(data), digest(data), "git") for path, data in files.items()
    )
    record = make_record(artifacts=artifacts, **changes)
    held = {f"artifacts/{path}": data for path, data in files.items()}
    return write_run(open_at(root), record, files=held).run.id


def test_whatever_could_run_is_only_saved(repository, browse):
    script = b"<script>alert(document.cookie)</script>"
    files = {
        "page.html": script,
        "plot.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "looks.png": script,
        "x.xhtml": script,
        "x.pdf": b"%PDF-1.7",
        "code.js": b"alert(1)",
    }
    run = keep(repository, files)
    client = browse(repository)
    for number, data in enumerate(files.values()):
        answer = client.get(f"/runs/{run}/artifacts/{number}/raw")

        assert answer.content == data
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert answer.headers["content-security-policy"] == SANDBOX
        assert answer.headers["x-content-type-options"] == "nosniff"
        preview = client.get(f"/runs/{run}/artifacts/{number}")
        assert_inert(preview.text)
        assert "<img" not in preview.text


def test_a_picture_is_shown_by_what_it_is_and_not_by_its_name(repository, browse):
    run = keep(repository, {"a.txt": PNG})
    client = browse(repository)
    shown = client.get(f"/runs/{run}/artifacts/0/raw")

    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["content-security-policy"] == PICTURE
    assert f'src="/runs/{run}/artifacts/0/raw"' in client.get(f"/runs/{run}/artifacts/0").text
    saved = client.get(f"/runs/{run}/artifacts/0/raw?save=1")
    assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''a.txt"


def test_an_artifact_has_a_number_and_nothing_else(repository, browse):
    run = keep(repository, {"a.txt": b"here"})
    client = browse(repository)
    for number in (*TRAVERSALS, "1", "-1", "0x0", "٠", "1e9", "9" * 30):
        for place in (f"artifacts/{number}", f"artifacts/{number}/raw", f"media/{number}"):
            answer = client.get(f"/runs/{run}/{place}")
            assert answer.status_code == 404, place
            assert "root:" not in answer.text


def test_whatever_names_a_run_leads_to_what_it_kept(repository, browse):
    run = keep(repository, {"a.txt": b"here"}, name="baseline")
    client = browse(repository)
    for name in (run[:6], "baseline", "@"):
        assert client.get(f"/runs/{name}/artifacts/0/raw").content == b"here"
        assert "here" in client.get(f"/runs/{name}/artifacts/0").text


def test_an_odd_name_breaks_no_header(repository, browse):
    run = keep(repository, {'x";\u202e é.bin': b"\0"})
    answer = browse(repository).get(f"/runs/{run}/artifacts/0/raw")

    name = "x%22%3B%E2%80%AE%20%C3%A9.bin"
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"


def test_tables_and_texts_have_a_preview_that_ends(repository, browse):
    rows = "".join(f"{n},<b>{n}</b>\n" for n in range(1000))
    files = {
        "t.csv": f"a,b\n{rows}".encode(),
        "log.txt": "".join(f"line {n}\n" for n in range(1000)).encode(),
        "bytes.dat": b"\0\1",
    }
    run = keep(repository, files)
    client = browse(repository)
    table, text, data = (client.get(f"/runs/{run}/artifacts/{n}").text for n in range(3))

    assert "<b>99</b>" in text_of(table)
    assert "<b>100</b>" not in text_of(table)
    assert_inert(table)
    assert "line 199" in text
    assert ">line 200<" not in text
    assert "Only its beginning" in text
    assert "There is no preview" in data


def test_a_link_in_a_record_is_no_artifact(repository, browse):
    """A record of somebody else may have one; what it names is on this machine."""
    run = keep(repository, {"a": b"/etc/passwd"})
    tree = git(repository, "rev-parse", f"refs/repro/runs/{run}^{{tree}}")
    blob = git(repository, "hash-object", "-w", "--stdin", stdin=b"/etc/passwd")
    inner = git(repository, "mktree", stdin=f"120000 blob {blob}\ta\n".encode())
    listed = git(repository, "ls-tree", tree).splitlines()
    kept = [line for line in listed if not line.endswith("\tartifacts")]
    whole = "\n".join([*kept, f"040000 tree {inner}\tartifacts", ""]).encode()
    made = git(repository, "mktree", stdin=whole)
    base = git(repository, "rev-parse", "HEAD")
    commit = git(repository, "commit-tree", made, "-p", base, "-m", "x")
    git(repository, "update-ref", f"refs/repro/runs/{run}", commit)
    answer = browse(repository).get(f"/runs/{run}/artifacts/0/raw")

    assert answer.status_code >= 400
    assert "root:" not in answer.text


def test_bytes_that_are_not_here_are_said_to_be_missing(repository, browse):
    record = make_record(artifacts=(Artifact("w.pt", 5 << 20, digest(b"gone"), "store"),))
    run = write_run(open_at(repository), record).run.id
    client = browse(repository)

    assert "repro pull --data" in client.get(f"/runs/{run}/artifacts/0").text
    assert client.get(f"/runs/{run}/artifacts/0/raw").status_code >= 400
    assert client.get(f"/runs/{run}?tab=artifacts").status_code == 200


def test_bytes_that_are_not_those_of_the_digest_are_not_handed_out(repository, browse):
    record = make_record(artifacts=(Artifact("a", 3, digest(b"was"), "git"),))
    run = write_run(open_at(repository), record, files={"artifacts/a": b"is!"}).run.id
    answer = browse(repository).get(f"/runs/{run}/artifacts/0/raw")

    assert answer.status_code == 422
    assert "not those of its digest" in answer.text


def test_an_artifact_of_a_run_in_progress_is_there_already(repository, browse):
    project = open_here(repository)
    live = begin(project)
    folder = live.dir / "artifacts"
    folder.mkdir()
    (folder / digest(b"so far").removeprefix("sha256:")).write_bytes(b"so far")
    said = {"path": "a.txt", "size": 6, "digest": digest(b"so far"), "where": "git"}
    live.journal.append({"k": "artifact", "t": project.clock(), **said})
    answer = browse(repository).get(f"/runs/{live.id}/artifacts/0/raw")
    end(live, repository)

    assert answer.content == b"so far"


def test_media_are_shown(repository, browse):
    table = b'{"columns":["<b>","n"],"rows":[["<script>",1],[null,2.5]]}\n'
    lines = [
        {"name": "hist", "step": 1, "time": 1.0, "place": 0, "kind": "histogram",
         "edges": [0, 1, 2], "counts": [3, 1], "skipped": 0},
        {"name": "img", "step": 0, "time": 1.0, "place": 0, "kind": "image",
         "caption": "<i>caption",
         "file": {"type": "png", "size": len(PNG), "digest": digest(PNG), "where": "git"}},
        {"name": "tab", "step": 0, "time": 1.0, "place": 0, "kind": "table", "rows": 2,
         "left_out": 0, "columns": 2,
         "file": {"type": "json", "size": len(table), "digest": digest(table), "where": "git"}},
    ]  # fmt: skip
    files = {
        "media.jsonl": b"".join(
            json.dumps(one, sort_keys=True, separators=(",", ":")).encode() + b"\n" for one in lines
        ),
        f"media/{digest(PNG)[7:]}.png": PNG,
        f"media/{digest(table)[7:]}.json": table,
    }
    run = write_run(open_at(repository), make_record(), files=files).run.id
    client = browse(repository)
    page = client.get(f"/runs/{run}?tab=media").text

    assert_inert(page)
    words = text_of(page)
    assert "Media 3" in words
    assert "img step 0 <i>caption" in words
    assert "<script> 1" in words
    assert "histogram from 0 to 2, at most 3" in words
    [address] = set(re.findall(r'(?:src|href)="(/runs/[^"]+/media/[^"]+)"', page))
    picture = client.get(address)
    assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")
    for odd in (digest(table)[7:23], "0" * 16, "", "1", "../media.jsonl"):
        assert client.get(f"/runs/{run}/media/{odd}").status_code == 404, odd


def test_the_address_of_a_picture_stays_its_own_while_a_run_logs_more(repository, browse):
    project = open_here(repository)
    live = begin(project)
    first, later = PNG, PNG + b"\0"
    client = browse(repository)

    def log_picture(name: str, data: bytes) -> None:
        file = {"type": "png", "size": len(data), "digest": digest(data), "where": "git"}
        path = live.dir / f"media/{digest(data)[7:]}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        said = {name: [{"kind": "image", "file": file}]}
        live.journal.append({"k": "media", "s": 0, "t": project.clock(), "v": said})

    log_picture("b", first)
    page = client.get(f"/runs/{live.id}?tab=media").text
    [address] = set(re.findall(r'src="(/runs/[^"]+/media/[^"]+)"', page))
    log_picture("a", later)  # which comes before it
    so_far = client.get(address)
    end(live, repository)

    assert so_far.content == client.get(address).content == first
    assert client.get(f"/runs/{live.id}/media/{digest(later)[7:23]}").content == later
