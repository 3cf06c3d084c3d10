"""`repro gc`: only what nothing needs goes, and what that is is said in bytes."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.projects import begin, make_run, open_here
from tests.support.records import NOW

from repro.core.oldundo import MOST
from repro.store.content import ContentStore

DAY = 86_400.0


def at(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Set the clock of the command line to so many days after the first records."""
    monkeypatch.setenv("REPRO_NOW", str(NOW + days * DAY))


def found(cli: Cli, *words: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(cli("gc", "--json", *words).out)
    return said


def test_a_removed_run_goes_after_its_time_and_not_before(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(repository, {"big.bin": os.urandom(100_000)})
    run = make_run(open_here(repository))
    (repository / "big.bin").unlink()
    at(monkeypatch, 1)
    cli("rm", run.id)

    at(monkeypatch, 30.9)
    early = found(cli, "--yes")
    at(monkeypatch, 31.1)
    cli("gc", code=1)
    planned = found(cli, "--dry-run")
    done = found(cli, "--yes")

    assert early["trash"] == {"runs": [], "bytes": 0, "kept": 1}
    assert planned["trash"] == done["trash"]
    assert done["trash"]["runs"] == [run.id]
    assert done["trash"]["bytes"] > 100_000
    assert git(repository, "for-each-ref", "refs/repro/") == ""


def test_what_git_frees_is_as_much_as_was_said(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(repository, {"big.bin": os.urandom(1 << 20)})
    run = make_run(open_here(repository))
    (repository / "big.bin").unlink()
    cli("rm", run.id)

    def size() -> int:
        git(repository, "gc", "-q", "--prune=now")
        return sum(path.stat().st_size for path in (repository / ".git/objects").rglob("*.pack"))

    before = size()
    said = found(cli, "--yes", "--keep-trash", "0s")["trash"]["bytes"]

    assert abs(before - size() - said) < 2000


def test_a_dry_run_changes_nothing(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository))
    cli("rm", run.id)
    ContentStore(repository / ".git/repro/store").put_bytes(b"unneeded")

    said = found(cli, "--dry-run", "--keep-trash", "0s", "--grace", "0")

    assert said["trash"]["runs"] == [run.id]
    assert len(said["store"]["unneeded"]) == 1
    cli("restore", run.id)
    assert len(list(ContentStore(repository / ".git/repro/store").entries())) == 1


def test_bytes_that_only_a_removed_run_needs_go_with_it(repository: Path, cli: Cli) -> None:
    write_files(repository, {"repro.yaml": "artifacts: [out.bin]\n"})
    words = "import os; open('out.bin', 'wb').write(os.urandom(2_000_000))"
    cli("run", "--", sys.executable, "-c", words)
    store = ContentStore(repository / ".git/repro/store")
    assert len(list(store.entries())) == 1

    assert found(cli, "--yes", "--grace", "0")["store"]["unneeded"] == []
    cli("rm", "@")
    assert found(cli, "--yes", "--grace", "0")["store"]["unneeded"] == []
    planned = found(cli, "--dry-run", "--grace", "0", "--keep-trash", "0s")["store"]
    done = found(cli, "--yes", "--grace", "0", "--keep-trash", "0s")["store"]

    assert planned == done
    assert done["bytes"] == 2_000_000
    assert list(store.entries()) == []


def test_while_a_run_is_in_progress_the_content_store_stays(repository: Path, cli: Cli) -> None:
    live = begin(open_here(repository))
    ContentStore(repository / ".git/repro/store").put_bytes(b"unneeded")

    said = found(cli, "--yes", "--grace", "0")

    assert said["store"] is None
    assert live.id in said["skipped"][0]
    assert len(list(ContentStore(repository / ".git/repro/store").entries())) == 1
    live.journal.close()


def test_old_states_go_and_the_newest_two_stay(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(open_here(repository))
    at(monkeypatch, 0)
    for number in range(4):
        write_files(repository, {"train.py": f"print({number})\n"})
        cli("checkout", run.id, "--save")
    kept = {f"refs/repro/undo/{number}" for number in (3, 4)}

    at(monkeypatch, 89)
    assert found(cli, "--yes")["undo"]["refs"] == []
    at(monkeypatch, 91)
    assert len(found(cli, "--yes")["undo"]["refs"]) == 2

    left = git(repository, "for-each-ref", "--format=%(refname)", "refs/repro/undo/")
    assert set(left.split()) == kept
    cli("undo")
    assert (repository / "train.py").read_text() == "print(3)\n"


def test_states_beyond_the_newest_go_whatever_their_age(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository))
    write_files(repository, {"train.py": "print('other')\n"})
    cli("checkout", run.id, "--save")
    oid = git(repository, "rev-parse", "refs/repro/undo/1")
    for number in range(2, MOST + 4):
        git(repository, "update-ref", f"refs/repro/undo/{number}", oid)

    gone = found(cli, "--yes")["undo"]["refs"]

    assert gone == [f"refs/repro/undo/{number}" for number in (3, 2, 1)]


def test_what_killed_processes_left_goes(repository: Path, cli: Cli) -> None:
    private = repository / ".git/repro"
    left = private / "quarantine" / "repro-quarantine-999999999-abc"
    write_files(left, {"objects/x": b"x" * 1000})
    keep = repository / ".git/objects/pack/pack-0.keep"
    theirs = keep.with_name("pack-1.keep")
    keep.write_text("repro 999999999\n")
    theirs.write_text("mine\n")
    for path in (left, keep, theirs):
        os.utime(path, (0, 0))

    said = found(cli)

    assert {str(left), str(keep)} <= {one["path"] for one in said["leftovers"]}
    assert not left.exists()
    assert not keep.exists()
    assert theirs.exists()


def test_objects_of_the_user_are_never_pruned(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository))
    dangling = git(repository, "hash-object", "-w", "--stdin", stdin=b"the user's own\n")
    cli("rm", run.id)

    cli("gc", "--yes", "--keep-trash", "0s", "--grace", "0")

    git(repository, "cat-file", "-e", dangling)


def test_a_wrong_length_of_time_is_one_error(repository: Path, cli: Cli) -> None:
    assert "such as `--keep-trash 30d`" in cli("gc", "--keep-trash", "soon", code=129).err
