"""Every hostile input of the table: what comes in, and what a restore makes of it."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.making import Maker
from tests.hostile.rows import CASES, ROWS
from tests.hostile.table import Case, Elsewhere
from tests.support import git, make_repository, write_files
from tests.support.once import shared_folder

_TESTS = Path(__file__).parents[1]
_CANARY = {"a.txt": b"precious", "b/c.txt": b"three days of training"}
_MEMORY = 512 << 20
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
_FORMS = {
    case.id: [f"h{n:03d}{m:08d}" for m in range(len(case.forms))] for n, case in enumerate(CASES)
}
_RESTORED = [case for case in CASES if case.id[0] in "AC"]


@dataclass(frozen=True)
class Tried:
    """What became of all inputs."""

    accepted: set[str]
    refused: dict[str, str]
    commands: dict[tuple[str, str], dict[str, Any]]
    peaks: list[dict[str, int]]
    fsck: tuple[str, str]
    root: Path


_tried: list[Tried] = []
_begun: list[bool] = []


@pytest.fixture
def tried(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """All inputs, tried once: fetched and vetted, then as after a plain `git fetch`."""
    if not _tried and not _begun:
        _begun.append(True)  # a failure is not tried again by each test
        with shared_folder(tmp_path_factory, "hostile") as folder:
            answers = folder / "answers.json"
            if not answers.exists():
                answers.write_text(json.dumps(_try_all(folder / "top")))
        _tried.append(_read(json.loads(answers.read_bytes()), folder / "top"))
    assert _tried, "the inputs could not be tried: see the first failure"
    return _tried[0]


def _read(answers: dict[str, Any], top: Path) -> Tried:
    vetted, plain = answers["vetted"], answers["plain"]
    return Tried(
        accepted=set(vetted["vetted"]["accepted"]),
        refused=vetted["vetted"]["refused"],
        commands={(one["words"][0], one["words"][-1]): one for one in plain["tried"]},
        peaks=[vetted["peak"], plain["peak"]],
        fsck=tuple(answers["fsck"]),
        root=top,
    )


def _try_all(top: Path) -> dict[str, Any]:
    root = make_repository(top / "project")
    write_files(top / "canary", dict(_CANARY))
    git(root, "config", "filter.other.smudge", "touch CANARY")
    maker = Maker(top / "attack", git(root, "rev-parse", "HEAD"))
    arrivals = {
        run_id: make(maker, run_id)
        for case in CASES
        for run_id, make in zip(_FORMS[case.id], case.forms, strict=True)
    }
    good = {f"g{n:011d}": "" for n in range(3)}
    arrivals |= {run_id: maker.run(run_id) for run_id in good}
    maker.flush()
    before = git(root, "fsck", "--strict")
    vetted = _drive(top, arrivals, [])
    fsck = (before, git(root, "fsck", "--strict"))
    # As a plain `git fetch` brings it, which checks nothing.
    shutil.copytree(top / "attack", root / ".git/objects", dirs_exist_ok=True)
    lines = [f"{oid} refs/repro/runs/{run_id}\n" for run_id, oid in sorted(arrivals.items())]
    header = "# pack-refs with: peeled fully-peeled sorted \n"
    (root / ".git/packed-refs").write_text(header + "".join(lines))
    commands = [["ls"], ["ls", "--json"], ["find"], ["grep", "hello", *good]]
    commands += [["show", _FORMS[case.id][0]] for case in CASES if case not in _RESTORED]
    commands += [["checkout", "--data", "-w", str(top / "out" / one), one] for one in _restored()]
    commands += [[verb, one] for one in _forms("A60", "A61", "A62") for verb in ("diff", "doctor")]
    return {"vetted": vetted, "fsck": fsck, "plain": _drive(top, {}, commands)}


def _restored() -> list[str]:
    return [_FORMS[case.id][0] for case in _RESTORED]


def _forms(*ids: str) -> list[str]:
    return [_FORMS[one][0] for one in ids]


def _drive(top: Path, arrivals: dict[str, str], commands: list[list[str]]) -> dict[str, Any]:
    (top / "plan.json").write_text(json.dumps({"arrivals": arrivals, "commands": commands}))
    words = [sys.executable, "-m", "tests.hostile.driver", str(top)]
    done = subprocess.run(words, cwd=_TESTS.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((top / "outcomes.json").read_text())
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_comes_by_fetch_is_as_the_table_says(tried: Tried, case: Case) -> None:
    for run_id in _FORMS[case.id]:
        if case.vetted == "accepted":
            assert run_id in tried.accepted, tried.refused.get(run_id)
        else:
            reason = tried.refused.get(run_id, "it was accepted")
            assert re.search(case.says, reason), reason
            assert not _CONTROL.search(reason)
            assert "\n" not in reason


def test_sound_runs_come_in_beside_all_hostile_ones(tried: Tried) -> None:
    good = {run_id for run_id in tried.accepted if run_id.startswith("g")}
    assert len(good) == 3


@pytest.mark.parametrize("case", _RESTORED, ids=lambda case: case.id)
def test_what_came_otherwise_is_restored_or_refused_in_one_line(tried: Tried, case: Case) -> None:
    done = tried.commands["checkout", _FORMS[case.id][0]]
    assert (done["code"] == 0) == (case.plain == "written") or case.plain == "either", done["err"]
    if done["code"] != 0:
        [line] = [one for one in done["err"].splitlines() if not one.startswith("hint: ")][:1]
        assert line.startswith("repro: ")


def test_every_command_ends_without_traceback_or_control_byte(tried: Tried) -> None:
    for (verb, what), done in tried.commands.items():
        assert "Traceback" not in done["err"], f"{verb} {what}: {done['err']}"
        assert done["code"] in (0, 1, 128, 129), f"{verb} {what}: {done['err']}"
        assert not _CONTROL.search(done["out"] + done["err"]), f"{verb} {what}"


def test_damaged_runs_hide_none_of_the_others_from_a_list(tried: Tried) -> None:
    listed = json.loads(tried.commands["ls", "--json"]["out"])
    assert {f"g{n:011d}" for n in range(3)} <= {run["id"] for run in listed}


def test_nothing_is_written_outside_and_nothing_is_executed(tried: Tried) -> None:
    canary = tried.root / "canary"
    found = {
        p.relative_to(canary).as_posix(): p.read_bytes() for p in canary.rglob("*") if p.is_file()
    }
    assert found == _CANARY
    names = {name for _, _, files in os.walk(tried.root) for name in files}
    assert "CANARY" not in names
    known = {"attack", "canary", "outcomes.json", "out", "plan.json", "project"}
    assert {entry.name for entry in tried.root.iterdir()} <= known
    assert git(tried.root / "project", "status", "--porcelain") == ""
    assert not list((tried.root / "project/.git/hooks").glob("post-checkout"))


def test_vetting_leaves_the_repository_as_it_was(tried: Tried) -> None:
    before, after = tried.fsck
    assert before == after


def test_memory_stays_within_its_bound(tried: Tried) -> None:
    assert all(peak["own"] < _MEMORY and peak["git"] < _MEMORY for peak in tried.peaks)


def test_all_numbers_of_the_threat_model_are_in_the_table() -> None:
    counts = {"A": 70, "B": 30, "C": 20, "D": 30, "E": 16, "F": 18, "G": 24}
    wanted = {f"{part}{n:02d}" for part, count in counts.items() for n in range(1, count + 1)}
    assert wanted == {row.id[:3] for row in ROWS}
    assert len({row.id for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if isinstance(row, Elsewhere)], ids=lambda row: row.id
)
def test_what_is_tried_elsewhere_has_a_test_there(row: Elsewhere) -> None:
    for name in row.tests:
        path, _, function = name.partition("::")
        text = (_TESTS.parent / path).read_text()
        assert not function or f"def {function}(" in text
