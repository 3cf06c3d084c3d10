"""B01 to B30: refs, run commits and what `run.json` says."""

import json
from typing import Any

from repro.model.run import MetricSummary
from repro.store.runs import encode_record
from tests.hostile.making import LINK, WHEN, Maker
from tests.hostile.table import Case, Elsewhere, Make, Row

_MISSING = "deadbeef" * 5


def files_of(maker: Maker, run_id: str, **changes: Any) -> dict[str, bytes]:
    """The files of a record that is sound but for the changes."""
    return encode_record(maker.record(run_id, maker.snapshot(maker.code), **changes))


def with_values(**values: Any) -> Make:
    """A run whose `run.json` has other values; an Ellipsis takes the key away."""

    def make(maker: Maker, run_id: str) -> str:
        run = {**json.loads(files_of(maker, run_id)["run.json"]), **values}
        run = {key: value for key, value in run.items() if value is not ...}
        return maker.run(run_id, files={"run.json": json.dumps(run).encode()})

    return make


def with_text(path: str, text: str | bytes) -> Make:
    """A run with a file of its record written anew."""
    data = text if isinstance(text, bytes) else text.encode()
    return lambda maker, run_id: maker.run(run_id, files={path: data})


def _with_commit(**parts: bytes) -> Make:
    def make(maker: Maker, run_id: str) -> str:
        tree = maker.folders(files_of(maker, run_id))
        return maker.commit(tree, [maker.snapshot(maker.code)], **parts)

    return make


def _as_parent(*parents: str) -> Make:
    return lambda maker, run_id: maker.run(run_id, earlier=parents)


def _of_another(maker: Maker, run_id: str) -> str:
    return maker.run(run_id, earlier=[maker.run("a00000000000")])


def _with_entry(mode: bytes, name: bytes, content: bytes) -> Make:
    def make(maker: Maker, run_id: str) -> str:
        return maker.run(run_id, extra=[(mode, name, maker.blob(content))])

    return make


def _kept(id_: str, what: str, then: str, *forms: Make) -> Case:
    return Case(id=id_, what=what, forms=forms, vetted="accepted", plain="written", then=then)


def _bad(id_: str, what: str, says: str, *forms: Make, plain: Any = "refused") -> Case:
    return Case(id=id_, what=what, forms=forms, says=says, plain=plain)


_NAMES = "tests/hostile/test_names.py::"
_WHO = b" 1764000000 +0000"
_LATE = {"ended": "9999-12-31T23:59:59.000000Z", "duration_s": -1.0}

CASES: tuple[Row, ...] = (
    Elsewhere(
        id="B01",
        what="`repro checkout '--upload-pack=touch x'`",
        outcome="refused: no run is named so, and git is given names behind `--end-of-options`",
        tests=(f"{_NAMES}test_no_name_of_a_run_is_an_option",),
    ),
    Elsewhere(
        id="B02",
        what="id `-rf`, in a ref and on the command line",
        outcome="never a run: an id is 12 letters of one alphabet",
        tests=(f"{_NAMES}test_no_name_of_a_run_is_an_option", f"{_NAMES}test_odd_refs_are_no_runs"),
    ),
    *(
        Elsewhere(id=id_, what=what, outcome="as B02", tests=(f"{_NAMES}{test}",))
        for id_, what, test in (
            ("B03", "id `../../heads/main`", "test_no_name_of_a_run_is_an_option"),
            ("B04", "id `a.lock`", "test_no_name_of_a_run_is_an_option"),
            ("B05", "ids `@{` and `HEAD`", "test_no_name_of_a_run_is_an_option"),
            ("B06", "refs `…/x` and `…/x/y`", "test_odd_refs_are_no_runs"),
            ("B07", "ids `RUN1` and `run1`", "test_odd_refs_are_no_runs"),
            ("B08", "ids of 300 bytes and 64 KiB", "test_no_name_of_a_run_is_an_option"),
            ("B09", "ids with a Cyrillic `а`, `<FF>`, U+202E", "test_odd_refs_are_no_runs"),
        )
    ),
    Elsewhere(
        id="B10",
        what="a prefix of two ids; an id that begins as a commit does",
        outcome="refused, the runs that it may be are named; an id is a run first",
        tests=(f"{_NAMES}test_a_prefix_of_two_runs_is_refused",),
    ),
    _bad(
        "B11",
        "ref that names a blob, a tree, a tag",
        "not a commit",
        lambda maker, run_id: maker.hello,
        lambda maker, run_id: maker.code,
        lambda maker, run_id: maker.write(
            "tag",
            b"object %b\ntype commit\ntag x\ntagger %b\n\nx\n" % (maker.run(run_id).encode(), WHEN),
        ),
        plain="either",
    ),
    Elsewhere(
        id="B12",
        what="symbolic ref as a run, to a branch",
        outcome="no run; never written through",
        tests=(f"{_NAMES}test_a_symbolic_ref_is_not_written_through",),
    ),
    Elsewhere(
        id="B13",
        what="ref that names nothing",
        outcome="that run is named as damaged, all others are listed",
        tests=(f"{_NAMES}test_a_ref_to_nothing_hides_no_other_run",),
    ),
    Elsewhere(
        id="B14",
        what="remote that moved an id we have",
        outcome="amendments are merged by `pull`; all else is refused by name, and ours stays",
        tests=(
            "tests/core/test_fetch.py::"
            "test_another_run_under_an_id_of_ours_is_refused_and_both_are_named",
            "tests/core/test_fetch.py::test_a_run_that_was_replaced_on_the_remote_is_refused",
            "tests/core/test_fetch.py::test_pull_merges_what_two_said_of_a_run_at_once",
        ),
    ),
    Elsewhere(
        id="B15",
        what="remote that deleted an id we have",
        outcome="ours stays, and that it is gone there is told",
        tests=(
            "tests/core/test_fetch.py::test_a_run_that_the_remote_deleted_stays_and_is_told_of",
        ),
    ),
    Elsewhere(
        id="B16",
        what="remote with 100,000 refs",
        outcome="one question; older runs are packed under archive refs",
        tests=(
            "tests/core/test_arriving.py::test_an_archive_comes_as_one_ref_with_all_of_its_runs",
        ),
    ),
    _kept(
        "B17",
        "dates beyond all bounds in the commit, the year 9999, an end before the start, a negative duration",
        "shown as they are; the order stays total",
        _with_commit(author=b"A <a@b> 9223372036854775807 +0000"),
        _with_commit(committer=b"A <a@b> foo +0000"),
        _with_commit(author=b"A <a@b> -1 +0000"),
        with_values(**_LATE),
        with_values(started="9999-12-31T23:59:59.000000Z", ended="2000-01-01T00:00:00.000000Z"),
    ),
    _bad(
        "B18",
        "message of 2 MB, NUL in the header",
        "more than the limit of 1,048,576|nulInHeader|malformed|unterminated",
        _with_commit(message=b"x" * (2 << 20)),
        _with_commit(author=b"A\0 <a@b>" + _WHO),
        plain="written",
    ),
    _kept(
        "B19",
        "author `ESC]0;pwned BEL`, `<img src=x onerror=…>`, `=cmd|…`",
        "shown escaped",
        with_values(
            user="\x1b]0;pwned\x07", host="=cmd|' /C calc'!A0", name="<img src=x onerror=alert(1)>"
        ),
        with_values(tags=["\x1b[2J", "\u202eevil", "=1+1"], note="\x1b[31m"),
    ),
    _kept(
        "B20",
        "a run that is its own parent, or the parent of its parent",
        "a link that is shown; nobody follows it without end",
        lambda maker, run_id: with_values(parent=run_id, rerun_of=run_id)(maker, run_id),
    ),
    _bad(
        "B21",
        "chain of 10,005 amendments",
        "more often than the limit of 10,000",
        lambda maker, run_id: _amended(maker, run_id, 10_005),
        plain="written",
    ),
    _bad(
        "B22",
        "record of another run; an amendment of another run; a ref whose name is no id",
        "another run",
        lambda maker, run_id: maker.run("a00000000000"),
        _of_another,
        plain="either",
    ),
    _bad(
        "B23",
        '`format` 999, 2^70, -1, 1.5, `"1"`, null, none',
        "newer repro|`format`",
        *(with_values(format=value) for value in (999, 2**70, 1.5, "1", None, ..., -1, 0)),
    ),
    _kept(
        "B24",
        "keys that nobody knows",
        "kept; what a reader must know has a new `format`",
        with_values(required_features=["x"], zzz={"a": [1]}),
    ),
    _bad(
        "B25",
        "two ids that name one commit",
        "another run",
        lambda maker, run_id: maker.run("a00000000000", name="two"),
        plain="either",
    ),
    _bad(
        "B26",
        "snapshot `--exec=x`, `deadbeef…`, none; first parent that is missing, or no commit",
        "`snapshot`|`base`|first parent|missing|names no code|not a commit|corrupt|not have",
        with_values(snapshot="--exec=x"),
        with_values(base="--exec=x"),
        with_values(snapshot=_MISSING),
        lambda maker, run_id: maker.commit_record(files_of(maker, run_id), _MISSING),
        lambda maker, run_id: maker.commit_record(files_of(maker, run_id), maker.hello),
        lambda maker, run_id: maker.commit(maker.folders(files_of(maker, run_id)), []),
        _as_parent(_MISSING),
        plain="either",
    ),
    _kept(
        "B26b",
        "base `deadbeef…` that nobody has",
        "the snapshot is restored all the same",
        with_values(base=_MISSING),
    ),
    _kept(
        "B27",
        "status `running` in a run from elsewhere",
        "shown; nothing here is signalled or recovered for it",
        with_values(status="running", ended=None, exit_code=None),
    ),
    _kept(
        "B28",
        'command `["rm", "-rf", "~"]`',
        "shown; `rerun` asks before it runs what somebody else recorded",
        with_values(command=["rm", "-rf", "~"]),
    ),
    _kept(
        "B29",
        "packages `-e git+ssh://evil/x`, `--index-url http://evil`, `./local.whl`",
        "entries that name nothing to install are named, not installed; addresses are asked about",
        lambda maker, run_id: maker.run(
            run_id,
            environment={
                "packages": {
                    "count": 3,
                    "digest": "sha256:" + "0" * 64,
                    "list": [
                        {"name": "-e git+ssh://evil/x", "version": "1"},
                        {"name": "--index-url http://evil", "version": "--pre"},
                        {"name": "local", "version": "1", "origin": {"url": "file:./local.whl"}},
                    ],
                },
                "indexes": {"default": "http://evil.example", "extra": ["-r /etc/passwd"]},
            },
        ),
    ),
    _bad(
        "B30",
        "note of 10 MB, tags of 10 MB",
        "more than the limit of 4,194,304",
        with_values(note="x" * 10_000_000),
        with_values(tags=["x" * 100] * 100_000),
        plain="written",
    ),
    _bad(
        "B30b",
        "`run.json` or `output.log` as a link, a folder where a file belongs",
        "no plain file|missing or corrupt|is no run|holds a link",
        _with_entry(LINK, b"output.log", b"/etc/passwd"),
        lambda maker, run_id: maker.run(
            run_id,
            extra=[
                (b"40000", b"metrics", maker.tree([(LINK, b"0.csv", maker.blob(b"/etc/passwd"))]))
            ],
        ),
        plain="written",
    ),
)


def _amended(maker: Maker, run_id: str, times: int) -> str:
    commit = maker.run(run_id)
    payload = maker.read(commit).decode()
    tree, snapshot = payload.split()[1], payload.split()[3]
    for _ in range(times):
        commit = maker.commit(tree, [snapshot, commit])
    return commit


def a_metric(**changes: Any) -> MetricSummary:
    """The summary of a metric with one point."""
    values: dict[str, Any] = {
        "last": 1.0, "last_step": 0, "first": 1.0, "min": 1.0, "min_step": 0,
        "max": 1.0, "max_step": 0, "mean": 1.0, "count": 1, "goal": None,
    }  # fmt: skip
    return MetricSummary(**{**values, **changes})
