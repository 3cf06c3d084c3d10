"""What a terminal shows of a sweep in progress fits into it, and has what matters."""

import re

import pytest
from tests.support.sweeps import AGENT, ask, make_spec, tell

from repro.cli.sweepframe import Pace, draw_frame
from repro.core.sweep.looking import TrialLook
from repro.model.space import Uniform
from repro.model.sweep import Ledger, Sweep, SweepAt, TrialState
from repro.model.sweepspec import Method

SPACE = {"lr": Uniform(0.0, 1.0), "dropout": Uniform(0.0, 1.0)}


def a_sweep(n_over: int, n_running: int, *, cap: int | None = 10, name: str = "wide") -> SweepAt:
    """Of its trials that are over, the first one failed, and each other is better than before."""
    spec = make_spec(method=Method.RANDOM, space=SPACE, metric="val_loss", run_cap=cap, name=name)
    sweep = Sweep(
        id="k7f3abcdefgh", base="0" * 40, created="2026-11-24T20:05:01.250000Z", user="Ada",
        host="here", spec=spec,
    )  # fmt: skip
    entries = []
    for number in range(n_over + n_running):
        run = f"run{number:03d}000000"
        params = {"lr": number / 100, "dropout": 0.5}
        entries.append(ask(number, run, params=params, agent=AGENT, time=100.0))
        if number < n_over:
            state = TrialState.FINISHED if number else TrialState.FAILED
            value = 1.0 / number if number else None
            entries.append(tell(number, run, value, state=state, duration_s=2.0))
    return SweepAt(sweep=sweep, commit="1" * 40, ledger=Ledger().extended(entries))


def frame(at: SweepAt, *, width: int = 80, height: int = 24, passed_s: float = 8.0, looks=()):
    over = [trial.number for trial in at.progress.trials if trial.is_over]
    return draw_frame(
        at,
        dict(looks),
        short="k7f3ab",
        ended=over,
        pace=Pace(passed_s=passed_s, n_before=0),
        now=103.0,
        size=(width, height),
    )


def test_it_says_how_far_it_is_what_is_left_and_what_is_best() -> None:
    looks = {"run004000000": TrialLook("7/9", 0.125), "run005000000": TrialLook("", None)}
    lines = frame(a_sweep(4, 2), looks=looks)

    assert lines == [
        "sweep k7f3ab (wide)  ██████████░░░░░░░░░░░░░░░░░  4/10  1 failed, 8.0s, 12s left",
        "best   val_loss 0.33333, trial 3",
        "trial  state     val_loss  step  time    lr  dropout",
        "    4  running     0.1250   7/9  3.0s  0.04      0.5",
        "    5  running          -        3.0s  0.05      0.5",
        "    3  finished    0.3333        2.0s  0.03      0.5",
        "    2  finished    0.5000        2.0s  0.02      0.5",
        "    1  finished    1.0000        2.0s  0.01      0.5",
        "    0  failed           -        2.0s     0      0.5",
    ]


@pytest.mark.parametrize("width", [10, 20, 40, 60, 200])
@pytest.mark.parametrize("height", [1, 3, 8, 50])
def test_no_window_is_too_small(width: int, height: int) -> None:
    lines = frame(a_sweep(30, 40, cap=1000), width=width, height=height)

    assert 1 <= len(lines) <= height
    assert all(len(line) <= max(width, len("trial")) for line in lines)


def test_params_go_first_where_there_is_no_room() -> None:
    lines = frame(a_sweep(4, 2), width=50)

    assert lines[0] == "sweep k7f3ab (wide)  4/10  1 failed, 8.0s, 12s le…"
    assert lines[2] == "trial  state     val_loss  time    lr  dropout"


def test_what_is_left_is_not_said_before_anybody_can_know() -> None:
    assert "left" not in frame(a_sweep(0, 2))[0]
    assert "left" not in frame(a_sweep(4, 2, cap=None))[0]
    assert "█" not in frame(a_sweep(4, 2, cap=None))[0]


def test_trials_in_progress_without_room_are_counted() -> None:
    lines = frame(a_sweep(2, 30, cap=100), height=10)

    assert re.fullmatch("… and [0-9]+ more", lines[-1])


def test_a_name_from_elsewhere_is_escaped() -> None:
    assert "\x1b" not in "".join(frame(a_sweep(1, 1, name="a\x1b[2Jb")))
