"""A record that was acknowledged is in the journal; what could not be kept is counted exactly."""

import errno
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repro.errors import InvalidInputError, NewerFormatError, StorageError, UsageError
from repro.store import journal as module
from repro.store.journal import LONGEST_RECORD, JournalWriter
from repro.store.journal_reader import parse_journal, parse_line, read_journals


def open_journal(folder: Path, rank: int = 0) -> JournalWriter:
    return JournalWriter(folder, run="abc", rank=rank, pid=os.getpid(), time=1.0)


def steps(folder: Path) -> list[int]:
    return [r["s"] for j in read_journals(folder) for r in j.records if r["k"] == "log"]


class FaultyWrite:
    """`os.write` that fails as told at chosen calls."""

    def __init__(
        self, fails: Callable[[int], bool], *, short: int | None = None, number: int = errno.ENOSPC
    ) -> None:
        self.fails = fails
        self.short = short
        self.number = number
        self.calls = 0

    def __call__(self, fd: int, data: bytes) -> int:
        self.calls += 1
        if not self.fails(self.calls):
            return os.write(fd, data)
        if self.short is not None:
            return os.write(fd, data[: self.short])
        raise OSError(self.number, os.strerror(self.number))


def test_what_was_written_reads_back(tmp_path: Path) -> None:
    with open_journal(tmp_path, rank=3) as journal:
        journal.log(-5, 2.5, {"loss": 0.1, "nan": "NaN"})
        journal.append({"k": "config", "c": {"lr": 1e-3, "bad": float("-inf")}, "t": 3.0})

    [found] = read_journals(tmp_path)

    assert found.name == journal.path.name == f"journal-{os.getpid()}-0.jsonl"
    assert (found.header["run"], found.header["rank"], found.header["t"]) == ("abc", 3, 1.0)
    assert found.records == [
        {"k": "log", "s": -5, "t": 2.5, "m": {"loss": 0.1, "nan": "NaN"}},
        {"k": "config", "c": {"lr": 1e-3, "bad": "-Infinity"}, "t": 3.0},
    ]
    assert found.skipped_lines == 0


def test_a_journal_is_for_nobody_else_to_read(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        assert journal.path.stat().st_mode & 0o777 == 0o600


def test_each_writer_gets_a_file_of_its_own(tmp_path: Path) -> None:
    with open_journal(tmp_path) as first, open_journal(tmp_path) as second:
        assert first.path != second.path


def test_journals_come_by_rank_and_then_by_time(tmp_path: Path) -> None:
    for rank in (2, 0, 1):
        open_journal(tmp_path, rank=rank).close()

    assert [journal.header["rank"] for journal in read_journals(tmp_path)] == [0, 1, 2]


def test_a_record_is_on_disk_before_the_call_returns(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        journal.log(7, 1.0, {"x": 1.0})

        assert steps(tmp_path) == [7]


def test_cut_at_every_byte_the_whole_lines_are_kept(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        for step in range(3):
            journal.log(step, 1.0, {"x": 1.0})
    data = journal.path.read_bytes()

    for end in range(len(data)):
        found = parse_journal(data[:end], name="j")
        whole = data[:end].count(b"\n")
        expected = max(0, whole - 1)
        # A line that lacks nothing but its line feed counts as well.
        assert len(found.records) in (expected, expected + 1)
        assert [r["s"] for r in found.records] == list(range(len(found.records)))


def test_a_flipped_bit_costs_one_line_which_is_counted(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        for step in range(5):
            journal.log(step, 1.0, {"x": 1.0})
    data = bytearray(journal.path.read_bytes())
    data[data.index(b'"s":2') + 4] ^= 1

    found = parse_journal(bytes(data), name="j")

    assert [r["s"] for r in found.records] == [0, 1, 3, 4]
    assert found.skipped_lines == 1


def test_zeros_after_a_power_loss_are_one_damaged_line(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        journal.log(0, 1.0, {"x": 1.0})

    found = parse_journal(journal.path.read_bytes() + b"\0" * 4096, name="j")

    assert (len(found.records), found.skipped_lines) == (1, 1)


def test_a_line_behind_a_torn_one_is_found(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        journal.log(0, 1.0, {"x": 1.0})
        journal.log(1, 1.0, {"x": 1.0})
    header, first, second, _ = journal.path.read_bytes().split(b"\n")

    found = parse_journal(header + b"\n" + first[:-9] + second + b"\n", name="j")

    assert [r["s"] for r in found.records] == [1]
    assert found.skipped_lines == 1


def test_a_newer_journal_is_refused_by_name(tmp_path: Path) -> None:
    line = module._line({"k": "journal", "format": 2})
    (tmp_path / "journal-1-0.jsonl").write_bytes(line)

    with pytest.raises(NewerFormatError, match=r"journal-1-0\.jsonl"):
        read_journals(tmp_path)


def test_an_empty_journal_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "journal-1-0.jsonl").touch()

    [found] = read_journals(tmp_path)

    assert (found.header, found.records, found.skipped_lines) == ({}, [], 0)


@pytest.mark.parametrize("line", [b"", b"00000000 {}", b"zzzz", b"\xff" * 20, b"5f8b2bd6 [1]"])
def test_what_is_no_record_is_none(line: bytes) -> None:
    assert parse_line(line) is None


def test_an_event_that_could_not_be_read_back_is_refused(tmp_path: Path) -> None:
    deep: dict[str, Any] = {}
    for _ in range(20_000):
        deep = {"x": deep}
    with open_journal(tmp_path) as journal, pytest.raises((InvalidInputError, RecursionError)):
        journal.append({"k": "config", "c": deep})


def test_an_event_too_large_for_a_record_is_refused(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal, pytest.raises(InvalidInputError, match="summary"):
        journal.append({"k": "summary", "s": {"x": "x" * LONGEST_RECORD}})


def test_32_threads_share_a_journal_without_losing_or_tearing_a_line(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:

        def work(first: int) -> None:
            for step in range(first, first + 200):
                journal.log(step, 1.0, {"x": 1.0, "y" * (step % 700 + 1): 2.0})

        threads = [threading.Thread(target=work, args=(n * 1000,)) for n in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    [found] = read_journals(tmp_path)
    assert sorted(r["s"] for r in found.records) == sorted(
        n * 1000 + k for n in range(32) for k in range(200)
    )
    assert found.skipped_lines == 0


@pytest.mark.parametrize("short", [None, 0, 1, 40])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("at", range(1, 6))
def test_a_write_that_fails_once_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: int | None, number: int, at: int
) -> None:
    said: list[str] = []
    with open_journal(tmp_path) as journal:
        journal.warn = said.append
        monkeypatch.setattr(
            module, "_write", FaultyWrite(lambda n: n == at, short=short, number=number)
        )
        for step in range(6):
            journal.log(step, 1.0, {"x": 1.0})

    [found] = read_journals(tmp_path)
    assert [r["s"] for r in found.records if r["k"] == "log"] == list(range(6))
    assert found.skipped_lines == 0
    assert (len(said), journal.lost) == (1, 0)


def test_a_disk_that_stays_full_loses_exactly_what_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    journal = open_journal(tmp_path)
    journal.warn = said.append
    journal.log(0, 1.0, {"x": 1.0, "y": 2.0})
    monkeypatch.setattr(module, "_write", FaultyWrite(lambda n: True, short=13))
    for step in range(1, 101):
        journal.log(step, 1.0, {"x": 1.0, "y": 2.0})
    journal.append({"k": "note", "v": "gone"})
    assert journal.lost == 0  # they wait
    journal.close()

    assert (journal.lost, journal.lost_records) == (200, 1)
    assert steps(tmp_path) == [0]
    assert len(said) == 1


def test_the_count_of_what_is_lost_is_in_the_journal_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEEP_BYTES", 1000)
    journal = open_journal(tmp_path)
    journal.warn = lambda message: None
    monkeypatch.setattr(module, "_write", FaultyWrite(lambda n: True))
    for step in range(100):
        journal.log(step, 1.0, {"x": 1.0, "y": 2.0})
    monkeypatch.setattr(module, "_write", os.write)
    journal.close()

    [found] = read_journals(tmp_path)
    kept = [r["s"] for r in found.records if r["k"] == "log"]
    [lost] = [r["n"] for r in found.records if r["k"] == "lost"]
    assert kept == list(range(100 - len(kept), 100))
    assert lost == journal.lost == 2 * (100 - len(kept))


def test_in_strict_mode_a_failed_write_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_journal(tmp_path) as journal:
        journal.strict = True
        journal.warn = lambda message: None
        monkeypatch.setattr(module, "_write", FaultyWrite(lambda n: n < 3))
        with pytest.raises(StorageError, match="No space left"):
            journal.log(0, 1.0, {"x": 1.0})


FULL = """
import os, resource, sys
from pathlib import Path
from repro.store.journal import JournalWriter

journal = JournalWriter(Path(sys.argv[1]), run="abc", rank=0, pid=os.getpid(), time=1.0)
journal.warn = lambda message: None
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
for step in range(1000):
    if step == 100:
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal.path.stat().st_size + 250, hard))
    if step == 800:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    journal.log(step, 1.0, {"x": 1.0})
journal.close()
print(journal.lost)
"""


def test_a_file_system_that_is_full_for_a_while_loses_nothing(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY

    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True
    )

    [found] = read_journals(tmp_path)
    assert [r["s"] for r in found.records] == list(range(1000))
    assert (done.stdout, found.skipped_lines) == ("0\n", 0)


def test_after_a_failed_sync_a_fresh_file_takes_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = [True]

    def sync_data(fd: int) -> None:
        if fails.pop() if fails else False:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fdatasync(fd)

    with open_journal(tmp_path) as journal:
        journal.log(0, 1.0, {"x": 1.0})
        before = journal.path.stat().st_ino
        monkeypatch.setattr(module, "_sync_data", sync_data)
        journal.sync()
        journal.log(1, 1.0, {"x": 1.0})

        assert journal.path.stat().st_ino != before
        assert not fails
    assert steps(tmp_path) == [0, 1]


def test_a_program_that_closes_all_descriptors_loses_nothing(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        journal.warn = lambda message: None
        journal.log(0, 1.0, {"x": 1.0})
        os.close(journal._fd)
        journal.log(1, 1.0, {"x": 1.0})

    assert steps(tmp_path) == [0, 1]


def test_closing_twice_is_nothing_and_logging_after_it_an_error(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.close()
    journal.close()

    with pytest.raises(UsageError, match="closed"):
        journal.log(0, 1.0, {"x": 1.0})
    with pytest.raises(UsageError, match="closed"):
        journal.append({"k": "note", "v": "late"})


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises((StorageError, OSError)):
        open_journal(tmp_path / "file")
