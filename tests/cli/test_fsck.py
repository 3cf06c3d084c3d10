"""`repro fsck`: what is broken is found, and named with the runs that it touches."""

import json
import os
import random
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, make_repository, write_files
from tests.support.cli import Cli
from tests.support.projects import begin, make_run, open_here
from tests.support.records import make_record, open_at, run_id, write_run
from tests.support.signing import allow_key, use_ssh_key
from tests.support.warm import repro

from repro.core.signatures import sign_run

FLIPS = int(os.environ.get("REPRO_CRASH_FLIPS", "2"))  # of each kind of file


def checked(cli: Cli, *words: str, code: int = 1) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = json.loads(cli("fsck", "--json", *words, code=code).out)["faults"]
    return said


@pytest.fixture(scope="module")
def filled(shelf: Path) -> Path:
    """A repository with three runs: a clean one, a dirty one, one with data and artifacts."""
    root = make_repository(shelf / "project")
    files = {f"data/{name}.bin": os.urandom(3000) for name in "ab"}
    write_files(root, {**files, "repro.yaml": "data: {d: {path: data, keep: true}}\n"})
    write_files(root, {".gitignore": "data\n"})
    git(root, "add", ".gitignore", "repro.yaml")
    git(root, "commit", "-qm", "data")
    write = "import repro; repro.init(); [repro.log({'loss': 1.0 / (n + 1)}) for n in range(50)]"
    assert repro("run", "-n", "one", "--", sys.executable, "-c", write, cwd=root).returncode == 0
    write_files(root, {"train.py": "print('dirty')\n", "more/new.py": "new\n"})
    assert repro("run", "-n", "two", "--", sys.executable, "-c", write, cwd=root).returncode == 0
    config = "artifacts: [out.bin]\ndata: {d: {path: data, keep: true}}\n"
    write_files(root, {"repro.yaml": config})
    out = "import os; open('out.bin', 'wb').write(os.urandom(1_200_000))"
    assert repro("run", "-n", "three", "--", sys.executable, "-c", out, cwd=root).returncode == 0
    assert repro("ls", cwd=root).returncode == 0
    return root


@pytest.fixture
def copy(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "copy"
    shutil.copytree(filled, root, symlinks=True)
    monkeypatch.chdir(root)
    return root


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place // 8] ^= 1 << place % 8
    path.chmod(path.stat().st_mode | stat.S_IWUSR)
    path.write_bytes(data)


def test_where_all_is_well_that_is_said(copy: Path, cli: Cli) -> None:
    done = cli("fsck")
    assert done.out == ""
    assert "looked at 3 runs and 3 kept files" in done.err
    assert "all is well" in done.err


@pytest.mark.parametrize("kind", ["pack", "idx", "store", "ref", "loose"])
def test_flipped_bits_are_found(copy: Path, cli: Cli, kind: str) -> None:
    if kind == "loose":
        for pack in (copy / ".git/objects/pack").glob("*.pack"):
            moved = copy / "moved.pack"
            pack.replace(moved)
            pack.with_suffix(".idx").unlink()
            git(copy, "unpack-objects", "-q", stdin=moved.read_bytes())
            moved.unlink()
    folders = {
        "pack": ".git/objects/pack/*.pack", "idx": ".git/objects/pack/*.idx",
        "store": ".git/repro/store/*/*/*", "ref": ".git/refs/repro/runs/*",
        "loose": ".git/objects/??/*",
    }  # fmt: skip
    paths = sorted(copy.glob(folders[kind]))
    rng = random.Random(kind)
    runs = {run["id"] for run in json.loads(cli("ls", "--json").out)}
    listed = git(copy, "for-each-ref")
    found = 0
    for _ in range(FLIPS):
        path = rng.choice(paths)
        before = path.read_bytes()
        flip(path, rng.randrange(len(before) * 8))
        # git takes the hex digits of a ref in either case.
        if kind != "ref" or git(copy, "for-each-ref") != listed:
            faults = checked(cli)
            assert {run for fault in faults for run in fault["runs"]} <= runs
            found += 1
        path.write_bytes(before)

    assert found > 0
    cli("fsck")


def test_a_damaged_object_is_named_with_the_runs_that_reach_it_alone(copy: Path, cli: Cli) -> None:
    runs = {run["name"]: run["id"] for run in json.loads(cli("ls", "--json").out)}
    blob = git(copy, "rev-parse", f"refs/repro/runs/{runs['two']}^1:more/new.py")
    log = git(copy, "rev-parse", f"refs/repro/runs/{runs['one']}:metrics.json")
    for pack in list((copy / ".git/objects/pack").glob("*.pack")):
        data = pack.read_bytes()
        for part in pack.parent.glob(f"{pack.stem}.*"):
            part.unlink()
        git(copy, "unpack-objects", "-q", stdin=data)
    for oid in (blob, log):
        flip(copy / ".git/objects" / oid[:2] / oid[2:], 100)

    found = {fault["what"]: set(fault["runs"]) for fault in checked(cli)}

    assert found[blob] == {runs["two"], runs["three"]}
    assert runs["one"] in found[log]
    assert runs["three"] not in found[log]


def test_a_missing_object_is_named_with_its_run(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository), {"loss": 1.0})
    oid = git(repository, "rev-parse", f"refs/repro/runs/{run.id}:run.json")
    for pack in list((repository / ".git/objects/pack").glob("*.pack")):
        data = pack.read_bytes()
        for part in pack.parent.glob(f"{pack.stem}.*"):
            part.unlink()
        git(repository, "unpack-objects", "-q", stdin=data)
    (repository / ".git/objects" / oid[:2] / oid[2:]).unlink()

    [fault] = checked(cli)

    assert (fault["promise"], fault["what"], fault["runs"]) == ("F5", oid, [run.id])


def test_a_damaged_entry_of_the_store_is_named_with_the_runs_that_need_it(
    copy: Path, cli: Cli
) -> None:
    three = json.loads(cli("show", "three", "--json").out)
    digest = three["artifacts"][0]["digest"]
    name = digest.removeprefix("sha256:")
    flip(copy / ".git/repro/store" / name[:2] / name[2:4] / name, 77)

    [fault] = checked(cli)

    assert (fault["promise"], fault["what"], fault["runs"]) == ("F11", digest, [three["id"]])
    assert "`repro data pull`" in fault["hint"]


def test_kept_bytes_that_are_gone_are_named_with_the_runs_that_need_them(
    copy: Path, cli: Cli
) -> None:
    runs = {run["id"] for run in json.loads(cli("ls", "--json").out)}
    smallest = min((copy / ".git/repro/store").glob("??/??/*"), key=lambda one: one.stat().st_size)
    smallest.unlink()

    [fault] = checked(cli)

    assert set(fault["runs"]) == runs
    assert "gone" in fault["reason"]


def test_an_index_that_says_something_else_is_found(copy: Path, cli: Cli) -> None:
    import sqlite3  # noqa: PLC0415

    path = copy / ".git/repro/index.db"
    runs = {run["name"]: run["id"] for run in json.loads(cli("ls", "--json").out)}
    for change in (
        "UPDATE run SET host = 'another' WHERE name = 'two'",
        "DELETE FROM series WHERE run = (SELECT num FROM run WHERE name = 'two')",
        "UPDATE doc SET doc = x'00' WHERE run = (SELECT num FROM run WHERE name = 'two')",
    ):
        before = path.read_bytes()
        with sqlite3.connect(path) as db:
            db.execute(change)
        db.close()

        [fault] = checked(cli)

        assert (fault["where"], fault["runs"]) == ("index", [runs["two"]])
        path.write_bytes(before)
    path.write_bytes(b"not a database at all, for it is too short" * 100)
    assert [fault["where"] for fault in checked(cli)] == ["index"]


def test_a_run_whose_ref_is_gone_is_found_and_comes_back_by_the_hint(copy: Path, cli: Cli) -> None:
    one = json.loads(cli("show", "one", "--json").out)["id"]
    git(copy, "update-ref", "-d", f"refs/repro/runs/{one}")

    [fault] = checked(cli)

    assert (fault["promise"], fault["runs"]) == ("F4", [one])
    git(copy, *fault["hint"].split("`")[1].split()[1:])
    cli("fsck")
    cli("rm", "one")
    cli("fsck")
    cli("gc", "--yes", "--keep-trash", "0s")
    cli("fsck")


def test_records_that_break_the_format_are_named(repository: Path, cli: Cli) -> None:
    opened = open_at(repository)
    write_run(opened, make_record(id=run_id("a")), files={"run.json": b"{"})
    write_run(opened, make_record(id=run_id("b")), ref_id=run_id("c"))
    write_run(opened, make_record(id=run_id("d")), files={"metrics/0.csv": b"step\n1,2,3\n"})
    bad = {"d": {"path": "d", "kind": "folder", "digest": f"xxh3:{'0' * 32}", "files": 1}}
    data = {"d": {**bad["d"], "bytes": 1, "kept": False}}
    write_run(opened, make_record(id=run_id("e"), data=data), files={"data/d/.page": b"nonsense\n"})

    found = {fault["runs"][0]: fault for fault in checked(cli)}

    assert set(found) == {run_id(name) for name in "acde"}
    assert found[run_id("e")]["promise"] == "F16"
    assert [one["runs"] for one in checked(cli, run_id("d"))] == [[run_id("d")]]


def test_a_ref_that_is_no_run_is_named(repository: Path, cli: Cli) -> None:
    make_run(open_here(repository))
    git(repository, "update-ref", "refs/repro/runs/nonsense", "HEAD")

    [fault] = checked(cli)

    assert (fault["promise"], fault["what"]) == ("F2", "nonsense")


def test_a_run_in_progress_is_no_fault(repository: Path, cli: Cli) -> None:
    live = begin(open_here(repository))
    cli("fsck")
    git(repository, "update-ref", "-d", f"refs/repro/live/{live.id}")
    assert [fault["where"] for fault in checked(cli)] == ["live"]
    live.journal.close()


def test_a_run_in_progress_that_cannot_be_read_is_named(repository: Path, cli: Cli) -> None:
    live = begin(open_here(repository))
    live.journal.close()
    (live.dir / "start.json").write_bytes(b"{")
    [fault] = checked(cli)
    assert (fault["promise"], fault["where"], fault["runs"]) == ("F7", "live", [live.id])


def test_nothing_is_made_and_nothing_changed(repository: Path, cli: Cli) -> None:
    make_run(open_here(repository))
    before = sorted((repository / ".git").rglob("*"))
    cli("fsck")
    assert sorted((repository / ".git").rglob("*")) == before


def test_entries_of_trash_and_undo_are_looked_at(repository: Path, cli: Cli) -> None:
    make_run(open_here(repository))
    git(repository, "update-ref", f"refs/repro/trash/{run_id('a')}", "HEAD")
    git(repository, "update-ref", "refs/repro/undo/1", "HEAD")

    assert {fault["where"] for fault in checked(cli)} == {"trash", "undo"}


def test_nothing_that_a_hostile_record_says_reaches_the_terminal(
    repository: Path, cli: Cli
) -> None:
    write_run(open_at(repository), make_record(id=run_id("a"), data={"\x1b[2J": 1}))
    assert "\x1b" not in cli("fsck", code=1).out


def test_signatures_are_checked_where_that_is_asked_for(
    repository: Path, cli: Cli, tmp_path: Path
) -> None:
    allow_key(repository, use_ssh_key(repository, tmp_path))
    signed, plain = (make_run(open_here(repository)) for _ in range(2))
    sign_run(open_here(repository), signed.id)

    listed = cli("fsck", "--signatures").out

    assert f"{signed.id} good, by ada@example.org" in listed
    assert f"{plain.id} none" in listed
    data = git(repository, "cat-file", "commit", f"refs/repro/runs/{signed.id}").encode() + b"\n"
    forged = git(repository, "hash-object", "-t", "commit", "-w", "--stdin", stdin=data + b"x\n")
    git(repository, "update-ref", f"refs/repro/runs/{signed.id}", forged)
    [fault] = checked(cli, "--signatures")
    assert (fault["where"], fault["runs"]) == ("signature", [signed.id])
    cli("fsck")
