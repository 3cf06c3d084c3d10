"""E01 to E16: artifacts and media."""

import hashlib
import json
from typing import Any

from repro.model.run import Artifact
from tests.hostile.cases_records import files_of
from tests.hostile.making import FILE, FOLDER, Maker
from tests.hostile.table import Case, Elsewhere, Make, Row

_PICKLE = b"cos\nsystem\n(S'touch CANARY'\ntR."


def _artifacts(*files: tuple[str, bytes], **changes: Any) -> Make:
    """A run with these artifacts in git."""

    def make(maker: Maker, run_id: str) -> str:
        listed = [Artifact(path, len(data), f"sha256:{'0' * 64}", "git") for path, data in files]
        record = files_of(maker, run_id, artifacts=tuple(listed), **changes)
        return maker.commit_record(
            {**record, **{f"artifacts/{path}": data for path, data in files}},
            maker.snapshot(maker.code),
        )

    return make


def _kept(id_: str, what: str, then: str, *forms: Make) -> Case:
    return Case(id=id_, what=what, forms=forms, vetted="accepted", plain="written", then=then)


def _unlisted(maker: Maker, run_id: str) -> str:
    inner = maker.tree([(FILE, b"..", maker.hello)])
    return maker.run(run_id, extra=[(FOLDER, b"artifacts", inner)])


def _media(line: bytes, files: dict[str, bytes] | None = None) -> Make:
    """A run with this text of `media.jsonl`."""
    return lambda maker, run_id: maker.run(run_id, files={"media.jsonl": line, **(files or {})})


def _image(kind: str, data: bytes, size: int | None = None, digest: str = "") -> bytes:
    """A line of `media.jsonl` that says what is asked for."""
    digest = digest or f"sha256:{hashlib.sha256(data).hexdigest()}"
    size = len(data) if size is None else size
    file = {"type": kind, "size": size, "digest": digest, "where": "git"}
    line = {"name": "<b>", "step": 0, "time": 1.0, "place": 0, "kind": "image", "file": file}
    return json.dumps(line).encode() + b"\n"


_SVG = b"<svg onload=alert(1)>"
_HEX = hashlib.sha256(_SVG).hexdigest()

_BYTES = "bytes: listed, compared by digest, never opened"
_LATER = "bytes: listed; there is no web view yet"

CASES: tuple[Row, ...] = (
    _kept("E01", "pickle that calls `os.system`", _BYTES, _artifacts(("model.pkl", _PICKLE))),
    _kept(
        "E02",
        "`.pt`, `.joblib`, `.npy` with a pickle in it",
        _BYTES,
        _artifacts(
            ("a.joblib", _PICKLE),
            ("a.npy", b"\x93NUMPY\x01\x00" + _PICKLE),
            ("a.pt", b"PK\x03\x04" + _PICKLE),
        ),
    ),
    _kept(
        "E03",
        "`.html`, `.svg`, `.ipynb` with a script",
        _LATER,
        _artifacts(
            ("a.html", b"<script>alert(1)</script>"),
            ("a.ipynb", b"{}"),
            ("a.svg", b"<svg onload=alert(1)>"),
        ),
    ),
    _kept(
        "E04",
        "tar with `../`, absolute names, links",
        "bytes: repro unpacks no archive of a run",
        _artifacts(("a.tar", b"../x" + b"\0" * 508)),
    ),
    _kept(
        "E05",
        "tar that tricks `realpath` (CVE-2025-4517)",
        "as E04",
        _artifacts(("a.tar", b"d" * 247 + b"\0" * 265)),
    ),
    _kept(
        "E06",
        "archive that grows a million times",
        "as E04",
        _artifacts(("42.zip", b"PK\x05\x06" + b"\0" * 18)),
    ),
    _kept(
        "E07",
        "PNG of 100,000 by 100,000",
        _LATER,
        _artifacts(("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\x86\xa0\0\1\x86\xa0")),
    ),
    _kept(
        "E08",
        "`index.html`, `favicon.ico`",
        _LATER,
        _artifacts(("favicon.ico", b"x"), ("index.html", b"x")),
    ),
    _kept(
        "E09",
        "`.txt` full of HTML",
        _LATER,
        _artifacts(("a.txt", b"<html><script>alert(1)</script>")),
    ),
    Case(
        id="E09b",
        what="artifact `../../x`, `.git/config`, one that is not there, one of another size, one in the tree only",
        forms=(
            _artifacts(("../../x", b"x")),
            _artifacts((".git/config", b"x")),
            lambda maker, run_id: maker.run(
                run_id, artifacts=(Artifact("a", 1, f"sha256:{'0' * 64}", "git"),)
            ),
            lambda maker, run_id: maker.commit_record(
                {
                    **files_of(
                        maker, run_id, artifacts=(Artifact("a", 5, f"sha256:{'0' * 64}", "git"),)
                    ),
                    "artifacts/a": b"x",
                },
                maker.snapshot(maker.code),
            ),
            _unlisted,
        ),
        says="leads (out|into)|does not hold",
        plain="either",
    ),
    Elsewhere(
        id="E10",
        what="10 GB through `log_artifact`",
        outcome="goes to the content store, past 1 MiB never into git",
        tests=("tests/core/test_outputs.py::test_more_than_a_mebibyte_goes_to_the_content_store",),
    ),
    Elsewhere(
        id="E11",
        what="`log_artifact` of a device, a FIFO, a socket, a loop of links",
        outcome="refused at once, by name",
        tests=("tests/core/test_outputs.py::test_special_files_are_refused_at_once",),
    ),
    Elsewhere(
        id="E12",
        what="file that grows while it is hashed",
        outcome="read again, or refused by name",
        tests=(
            "tests/store/test_content.py::test_a_file_that_changes_while_it_is_read_is_refused",
            "tests/core/test_outputs.py::test_a_file_that_says_another_size_than_it_has_is_refused",
        ),
    ),
    Elsewhere(
        id="E13",
        what="file that becomes a link meanwhile",
        outcome="a link is refused, and so is what changed since it was looked at",
        tests=(
            "tests/core/test_outputs.py::test_a_symlink_is_refused",
            "tests/store/test_content.py::test_a_file_that_changes_while_it_is_read_is_refused",
        ),
    ),
    _kept(
        "E14",
        "two artifacts whose names differ in case",
        "two entries of a list",
        _artifacts(("A", b"x"), ("a", b"x")),
    ),
    _kept(
        "E15",
        "medium that says it is a PNG, and is an SVG",
        "no picture: what is shown begins as one of four types does",
        _media(_image("png", _SVG), {f"media/{_HEX}.png": _SVG}),
    ),
    Case(
        id="E16",
        what="medium of type `svg` or `../x`, with a digest that is a path, that is not there, of another size; `media.jsonl` cut off, or a medium twice",
        forms=(
            _media(_image("svg", _SVG), {f"media/{_HEX}.svg": _SVG}),
            _media(_image("../../x", _SVG)),
            _media(_image("png", _SVG, digest="sha256:../../../etc/passwd")),
            _media(_image("png", _SVG)),
            _media(_image("png", _SVG, size=1 << 40), {f"media/{_HEX}.png": _SVG}),
            _media(_image("png", _SVG, size=5), {f"media/{_HEX}.png": _SVG}),
            _media(_image("png", _SVG)[:-1], {f"media/{_HEX}.png": _SVG}),
            _media(_image("png", _SVG) * 2, {f"media/{_HEX}.png": _SVG}),
        ),
        says="no type|no sha256|does not hold|more than|cut off|twice",
        plain="either",
    ),
)
