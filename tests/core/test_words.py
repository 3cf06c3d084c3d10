"""What is said of a run in progress: it is there at once, and in the record, whoever is quicker."""

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from subprocess import PIPE
from zlib import crc32

import pytest
from tests.support import git
from tests.support.projects import begin, end, make_run, open_here

from repro.core.curate import rename_run, set_note, tag_run, untag_run
from repro.core.query import resolve_run
from repro.core.record import recover_runs, seal_run
from repro.core.sealing import sealing
from repro.core.start import LiveRun
from repro.core.words import say_pruned
from repro.errors import InvalidInputError, StorageError
from repro.model.run import Run
from repro.store.journal_reader import WORDS
from repro.store.refs import RUNS
from repro.store.words import append_words


def read_sealed(root: Path, run_id: str) -> Run:
    record = resolve_run(open_here(root), run_id)
    assert record.commit
    return record.run


def test_the_later_word_wins_whether_a_person_or_the_run_says_it(repository: Path) -> None:
    now = [1_000.0]
    project = open_here(repository, lambda: now[0])
    live = begin(project, name="start", tags=("a", "b"))
    here = resolve_run(project, live.id)
    now[0] = 1_010.0
    rename_run(project, here, "person")
    set_note(project, here, "person")
    untag_run(project, here, ["a"])
    tag_run(project, here, ["c"])
    for record in (
        {"k": "name", "t": 1_005.0, "v": "run, before"},
        {"k": "note", "t": 1_020.0, "v": "run, after"},
        {"k": "tags", "t": 1_021.0, "v": ["a"]},
    ):
        live.journal.append(record)
    expected = ("person", "run, after", ("b", "c", "a"))

    so_far = resolve_run(project, live.id).run
    live.journal.close()
    seal_run(project, live.dir)

    assert (so_far.name, so_far.note, so_far.tags) == expected
    sealed = read_sealed(repository, live.id)
    assert (sealed.name, sealed.note, sealed.tags) == expected


def test_a_clock_that_is_behind_does_not_make_a_word_an_older_one(repository: Path) -> None:
    project = open_here(repository, lambda: 1_000.0)
    live = begin(project)
    live.journal.append({"k": "name", "t": 5_000.0, "v": "run"})
    here = resolve_run(project, live.id)
    for name in ("one", "two"):
        rename_run(project, here, name)
        assert resolve_run(project, live.id).run.name == name
    live.journal.close()


def test_words_change_neither_when_the_run_ended_nor_what_happened(repository: Path) -> None:
    now = [1_000.0]
    project = open_here(repository, lambda: now[0])
    live = begin(project)
    live.journal.log(0, 1_003.0, {"loss": 1.0})
    now[0] = 2_000.0
    set_note(project, resolve_run(project, live.id), "long after")
    live.journal.close()

    sealed = seal_run(project, live.dir)

    assert (sealed.run.note, sealed.run.duration_s) == ("long after", 3.0)
    assert sealed.run.curation is None


@pytest.mark.parametrize(("exit_code", "pruned"), [(0, False), (1, True)])
def test_a_run_that_finished_all_the_same_was_not_pruned(
    repository: Path, exit_code: int, pruned: bool
) -> None:
    project = open_here(repository)
    live = begin(project)
    say_pruned(project, live.id)
    status = "failed" if exit_code else "finished"
    live.journal.append({"k": "end", "status": status, "exit_code": exit_code, "t": 1e9})
    live.journal.close()

    assert seal_run(project, live.dir).run.pruned is pruned
    say_pruned(project, live.id)  # too late, and nothing to say it to
    assert not live.dir.exists()


def test_a_note_and_what_changes_nothing(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project, tags=("a",), note="n")
    here = resolve_run(project, live.id)
    tag_run(project, here, ["a"])
    with pytest.raises(InvalidInputError, match="has no tag `b`"):
        untag_run(project, here, ["a", "b"])
    assert not (live.dir / WORDS).exists()

    set_note(project, here, "")
    assert resolve_run(project, live.id).run.note is None
    live.journal.close()
    assert seal_run(project, live.dir).run.note is None


def test_a_run_that_is_continued_keeps_what_is_said_meanwhile(repository: Path) -> None:
    project = open_here(repository)
    first = make_run(project, tags=("first",))
    live = begin(project, resume=first.id)
    tag_run(project, resolve_run(project, first.id), ["second"])
    live.journal.close()
    seal_run(project, live.dir)
    tag_run(project, resolve_run(project, first.id), ["third"])

    assert read_sealed(repository, first.id).tags == ("first", "second", "third")


def test_a_word_that_is_said_while_the_run_is_sealed_amends_it(repository: Path) -> None:
    """The record was read before, as by a page that is open."""
    project = open_here(repository)
    live = begin(project)
    here = resolve_run(project, live.id)
    said = threading.Thread(target=tag_run, args=(open_here(repository), here, ["late"]))
    with sealing(live.dir):
        said.start()
        live.journal.close()
        seal_run(project, live.dir)
    said.join()

    assert read_sealed(repository, live.id).tags == ("late",)


SEAL = """
import os, sys
from pathlib import Path
from repro.core.project import open_project
from repro.core.record import seal_run
from repro.core.sealing import sealing

project = open_project(Path(sys.argv[1]), environ=os.environ, clock=lambda: 2e9, entropy=os.urandom)
folder = project.live / sys.argv[2]
with sealing(folder):
    print("held", flush=True)
    sys.stdin.readline()
    seal_run(project, folder)
"""


def test_a_word_that_is_said_while_another_process_seals_the_run_amends_it(
    repository: Path,
) -> None:
    project = open_here(repository)
    live = begin(project)
    here = resolve_run(project, live.id)
    live.journal.close()
    words = [sys.executable, "-c", SEAL, str(repository), live.id]
    with subprocess.Popen(words, stdin=PIPE, stdout=PIPE, text=True) as sealer:
        assert sealer.stdout is not None
        assert sealer.stdout.readline() == "held\n"
        said = threading.Thread(target=tag_run, args=(open_here(repository), here, ["late"]))
        said.start()
        sealer.communicate("go on\n")
        said.join()

    assert sealer.returncode == 0
    assert read_sealed(repository, live.id).tags == ("late",)


def test_a_word_after_a_seal_that_was_killed_before_it_cleaned_up_amends_the_run(
    repository: Path,
) -> None:
    project = open_here(repository)
    live = begin(project)
    here = resolve_run(project, live.id)
    kept = {path.name: path.read_bytes() for path in live.dir.iterdir() if path.is_file()}
    live.journal.close()
    seal_run(project, live.dir)
    live.dir.mkdir()
    for name, data in kept.items():
        (live.dir / name).write_bytes(data)

    tag_run(project, here, ["late"])

    assert read_sealed(repository, live.id).tags == ("late",)
    recover_runs(project)
    assert read_sealed(repository, live.id).tags == ("late",)


def test_people_and_the_seal_at_the_same_moment_lose_no_word(repository: Path) -> None:
    """Whichever word comes first: each is in the record, sealed or amended."""
    project = open_here(repository)
    live = begin(project)
    here = resolve_run(project, live.id)
    live.journal.close()
    together = threading.Barrier(5)

    def say(number: int) -> None:
        together.wait()
        tag_run(open_here(repository), here, [f"t{number}"])

    threads = [threading.Thread(target=say, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    together.wait()
    seal_run(project, live.dir)
    for thread in threads:
        thread.join()

    assert sorted(read_sealed(repository, live.id).tags) == ["t0", "t1", "t2", "t3"]
    assert not live.dir.exists()


def tear(live: LiveRun, n: int) -> None:
    """Leave the last bytes of what was said out, as a kill in the middle of a write would."""
    path = live.dir / WORDS
    os.truncate(path, path.stat().st_size - n)


@pytest.mark.parametrize("n", [1, 9, 30])
def test_a_word_that_was_torn_by_a_kill_costs_no_other(repository: Path, n: int) -> None:
    project = open_here(repository)
    live = begin(project)
    here = resolve_run(project, live.id)
    tag_run(project, here, ["one"])
    tag_run(project, here, ["torn"])
    tear(live, n)
    tag_run(project, here, ["two"])
    found = resolve_run(project, live.id).run.tags
    live.journal.close()  # the process of the run is gone, and the next command seals it
    [lost] = recover_runs(project).runs

    assert found == (("one", "torn", "two") if n == 1 else ("one", "two"))
    assert lost.tags == found
    assert lost.status == "lost"


def test_a_disk_that_is_full_is_said_and_no_half_word_stays(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    here = resolve_run(project, live.id)
    tag_run(project, here, ["one"])
    before = (live.dir / WORDS).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 9, hard))
    try:
        with pytest.raises(StorageError, match="no space left"):
            append_words(live.dir, [{"k": "tags", "v": ["two"]}], 9.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    live.journal.close()

    assert (live.dir / WORDS).read_bytes() == before


def test_a_line_in_the_words_that_no_repro_wrote_is_counted_and_left_out(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    here = resolve_run(project, live.id)
    tag_run(project, here, ["one"])
    with (live.dir / WORDS).open("ab") as file:
        for body in (b'{"k":"untag","t":9e9,"v":7}', b'{"k":"name","t":9e9,"v":[]}'):
            file.write(b"%08x %s\n" % (crc32(body), body))
        file.write(b"noise\n")
    tag_run(project, here, ["two"])
    live.journal.close()

    sealed = seal_run(project, live.dir).run

    assert (sealed.tags, sealed.skipped_lines) == (("one", "two"), 3)


def test_git_finds_nothing_wrong_with_what_was_sealed(repository: Path) -> None:
    live = begin(open_here(repository, time.time))
    tag_run(open_here(repository, time.time), resolve_run(open_here(repository), live.id), ["a"])
    end(live, repository)
    git(repository, "fsck", "--strict", "--connectivity-only")
    assert git(repository, "rev-list", "--count", f"{RUNS}{live.id}^..{RUNS}{live.id}") == "1"
