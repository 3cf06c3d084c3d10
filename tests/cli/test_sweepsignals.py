"""What tells a sweep to end is kept back until its loop asks, and counts by the moments."""

import signal
from pathlib import Path

import pytest
from tests.support.projects import open_here

from repro.cli.sweepoptions import find_gpus
from repro.cli.sweepsignals import ending_signals
from repro.core.sweep.options import Options, Stop
from repro.errors import UsageError


def test_the_first_time_is_soon_the_second_now_the_third_at_once() -> None:
    with ending_signals() as ending:
        assert ending.ask() is None
        signal.raise_signal(signal.SIGINT)
        assert [ending.ask(), ending.ask()] == [Stop.SOON, Stop.SOON]
        signal.raise_signal(signal.SIGTERM)
        assert ending.ask() is Stop.NOW
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            ending.ask()
    assert ending.received == [signal.SIGINT, signal.SIGTERM, signal.SIGINT]


def test_signals_that_come_at_once_are_one_wish() -> None:
    with ending_signals() as ending:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert ending.ask() is Stop.SOON


def test_what_came_after_the_last_question_is_known_and_ends_nothing() -> None:
    with ending_signals() as ending:
        signal.raise_signal(signal.SIGINT)
    assert ending.received == [signal.SIGINT]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending_signals() as ending:
            signal.raise_signal(signal.SIGHUP)
            assert ending.ask() is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_gpus_are_those_named_or_those_that_are_visible(repository, monkeypatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 3")
    project = open_here(repository)
    assert find_gpus(Options(gpus=("0", "5")), project) == ("0", "5")
    assert find_gpus(Options(gpus=("auto",)), project) == ("2", "3")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    if not Path("/proc/driver/nvidia").exists():
        with pytest.raises(UsageError, match="finds no GPU"):
            find_gpus(Options(gpus=("auto",)), open_here(repository))
