"""New objects become visible whole or not at all."""

import os
import random
import subprocess
import threading
from pathlib import Path

import pytest
from tests.support import git, make_repository

from repro.errors import ConflictError
from repro.store.git import Identity, open_repository
from repro.store.packs import LARGEST, MOST_PACKS, consolidate
from repro.store.quarantine import (
    PREFIX,
    CommitSpec,
    Existing,
    open_quarantine,
    publish,
    write_commits,
)
from repro.store.refs import RUNS, RefUpdate, list_refs, update_refs

ADA = Identity("Ada", "ada@example.org")


def record(root: Path, name: str, files: dict[str, bytes | Path | Existing]) -> str:
    repository = open_repository(root, os.environ)
    base = git(root, "rev-parse", "HEAD")
    with open_quarantine(repository) as quarantine:
        spec = CommitSpec(message=name, when=1e9, author=ADA, parents=[base], files=files)
        [commit] = write_commits(quarantine, [spec])
        refs = [RefUpdate(RUNS + name, new=commit)]
        publish(quarantine, tips=[commit], exclude=[base], refs=refs)
    return commit


def test_a_commit_has_its_files_parents_author_and_date(repository: Path) -> None:
    (repository / "big").write_bytes(b"from a file")
    blob = git(repository, "rev-parse", "HEAD:train.py")

    commit = record(
        repository,
        "aaaa",
        {
            "run.json": b"{}\n",
            'metrics/odd "na\\me\n.csv': b"\0binary",
            "artifacts/big": repository / "big",
            "code.py": Existing("100755", blob),
        },
    )

    assert git(repository, "show", f"{commit}:artifacts/big") == "from a file"
    listed = git(repository, "ls-tree", "-r", "-z", commit).split("\0")[:-1]
    assert [(line[:6], line.split("\t", 1)[1]) for line in listed] == [
        ("100644", "artifacts/big"),
        ("100755", "code.py"),
        ("100644", 'metrics/odd "na\\me\n.csv'),
        ("100644", "run.json"),
    ]
    shown = git(repository, "log", "-1", "--format=%an|%ae|%at|%s|%P", commit)
    assert shown == f"Ada|ada@example.org|1000000000|aaaa|{git(repository, 'rev-parse', 'HEAD')}"


def test_nothing_is_left_behind_but_one_pack_and_its_ref(repository: Path) -> None:
    before = set((repository / ".git" / "objects").rglob("*"))

    record(repository, "aaaa", {"run.json": b"{}\n"})

    new = {path.suffix for path in (repository / ".git" / "objects").rglob("*")} - {""}
    assert new == {".pack", ".idx"} | {path.suffix for path in before} - {""}
    assert list((repository / ".git" / "repro" / "quarantine").iterdir()) == []


def test_the_same_files_give_the_same_commit(repository: Path) -> None:
    first = record(repository, "aaaa", {"run.json": b"{}\n"})
    git(repository, "update-ref", "-d", RUNS + "aaaa")

    assert record(repository, "aaaa", {"run.json": b"{}\n"}) == first


def test_a_ref_that_somebody_made_first_is_a_conflict_and_stays(repository: Path) -> None:
    first = record(repository, "aaaa", {"run.json": b"1\n"})

    with pytest.raises(ConflictError):
        record(repository, "aaaa", {"run.json": b"2\n"})

    assert git(repository, "rev-parse", RUNS + "aaaa") == first


def test_an_object_that_lies_unreachable_in_the_repository_is_packed_too(repository: Path) -> None:
    git(repository, "hash-object", "-w", "--stdin", stdin=b"dropped stash\n")

    commit = record(repository, "aaaa", {"again.txt": b"dropped stash\n"})
    git(repository, "prune", "--expire=now")

    assert git(repository, "show", f"{commit}:again.txt") == "dropped stash"


def test_runs_survive_a_concurrent_gc_that_prunes_at_once(repository: Path) -> None:
    stop = threading.Event()

    def collect() -> None:
        while not stop.is_set():
            subprocess.run(
                ["git", "gc", "-q", "--prune=now"], cwd=repository, capture_output=True, check=False
            )

    thread = threading.Thread(target=collect)
    thread.start()
    try:
        names = [f"run{number}" for number in range(12)]
        for name in names:
            record(repository, name, {"run.json": name.encode(), "same": b"shared by all\n"})
    finally:
        stop.set()
        thread.join()

    git(repository, "fsck", "--strict", "--connectivity-only")
    shown = [git(repository, "show", f"{RUNS}{name}:run.json") for name in names]
    assert shown == names


def test_many_small_packs_are_rolled_up_and_nothing_is_lost(repository: Path) -> None:
    own = record(repository, "own", {"run.json": b"0"})
    git(repository, "gc", "-q")
    others = set((repository / ".git" / "objects" / "pack").glob("*.pack"))
    count = MOST_PACKS + 3
    for number in range(count):
        record(repository, f"run{number}", {"run.json": str(number).encode()})

    consolidate(open_repository(repository, os.environ), now=1e9)

    packs = set((repository / ".git" / "objects" / "pack").glob("*.pack"))
    assert others <= packs
    assert len(packs - others) < MOST_PACKS / 4
    shown = [git(repository, "show", f"{RUNS}run{number}:run.json") for number in range(count)]
    assert shown == [str(number) for number in range(count)]
    assert git(repository, "cat-file", "-t", own) == "commit"
    git(repository, "fsck", "--strict")


def test_a_large_pack_is_neither_rolled_up_nor_in_the_way_of_small_ones(repository: Path) -> None:
    handle = open_repository(repository, os.environ)
    for number in range(MOST_PACKS + 1):
        record(repository, f"run{number}", {"run.json": str(number).encode()})
    folder = handle.objects / "pack"
    large = [folder / f"pack-{n:040x}.pack" for n in range(2)]
    for pack in large:  # holes, and without an index: git could not roll them up
        pack.touch()
        os.truncate(pack, LARGEST + 1)
        (handle.private / "packs" / pack.stem).touch()

    consolidate(handle, now=1e9)

    left = set(folder.glob("*.pack"))
    assert set(large) < left
    assert len(left) < MOST_PACKS / 4


def test_packs_too_large_for_a_search_of_deltas_are_rolled_up_whole(repository: Path) -> None:
    data = [random.Random(number).randbytes(200_000) for number in range(MOST_PACKS + 1)]
    for number, content in enumerate(data):
        record(repository, f"run{number}", {"model.bin": content})

    consolidate(open_repository(repository, os.environ), now=1e9)

    assert len(list((repository / ".git/objects/pack").glob("*.pack"))) < MOST_PACKS / 4
    git(repository, "fsck", "--strict")
    for number, content in enumerate(data):
        shown = subprocess.run(
            ["git", "show", f"{RUNS}run{number}:model.bin"],
            cwd=repository, capture_output=True, check=True,
        )  # fmt: skip
        assert shown.stdout == content


def test_many_loose_refs_are_packed(repository: Path) -> None:
    handle = open_repository(repository, os.environ)
    head = git(repository, "rev-parse", "HEAD")
    update_refs(handle.git, [RefUpdate(f"{RUNS}r{number}", new=head) for number in range(300)])

    consolidate(handle, now=1e9)

    folder = repository / ".git" / RUNS
    assert not folder.exists() or list(folder.iterdir()) == []
    assert len(list_refs(handle.git, RUNS)) == 300


def test_what_a_killed_process_left_is_swept_a_day_later(repository: Path) -> None:
    handle = open_repository(repository, os.environ)
    left = handle.private / "quarantine" / f"{PREFIX}{2**22 + 1}-abc"
    (left / "objects").mkdir(parents=True)
    used = left.with_name(f"{PREFIX}{os.getpid()}-abc")
    used.mkdir()
    keep = handle.objects / "pack" / "pack-123.keep"
    keep.parent.mkdir(exist_ok=True)
    keep.write_text("repro 999\n")
    mine = keep.with_name("pack-456.keep")
    mine.write_text("kept by the user\n")
    made = left.stat().st_mtime

    consolidate(handle, now=made + 3600)
    assert left.exists()
    consolidate(handle, now=made + 90000)

    assert not left.exists()
    assert used.exists()
    assert not keep.exists()
    assert mine.exists()


def test_a_path_with_a_colon_can_be_borrowed_from(tmp_path: Path) -> None:
    root = make_repository(tmp_path / 'odd:"na\\me')

    commit = record(root, "aaaa", {"run.json": b"{}\n"})

    assert git(root, "cat-file", "-t", commit) == "commit"


def test_a_quarantine_takes_more_than_one_batch(repository: Path) -> None:
    handle = open_repository(repository, os.environ)
    base = git(repository, "rev-parse", "HEAD")

    with open_quarantine(handle) as quarantine:
        for name in ("aaaa", "bbbb"):
            spec = CommitSpec(
                message=name, when=1e9, author=ADA, parents=[base], files={name: b"x"}
            )
            [commit] = write_commits(quarantine, [spec])
            update = RefUpdate(RUNS + name, new=commit)
            publish(quarantine, tips=[commit], exclude=[base], refs=[update])

    assert git(repository, "show", f"{RUNS}aaaa:aaaa") == "x"
    assert git(repository, "show", f"{RUNS}bbbb:bbbb") == "x"
