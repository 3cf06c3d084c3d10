"""`repro sweep work`, and the processes of a sweep on this machine: they run its trials."""

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

import click

from repro.cli.opening import open_around
from repro.core.sweep.messages import format_end, parse_job
from repro.core.sweep.worker import run_once, serve

_CHUNK = 1 << 16


@click.command(hidden=True)
def work() -> None:
    """Run one trial, given as JSON on standard input, and say on standard output how it ended.

    Engines such as Ray and Slurm start this on the machine that is to run the trial.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # whatever starts this may keep some back
    sweep, task = parse_job(sys.stdin.buffer.read())
    with _answering() as answers:
        answers.write(format_end(run_once(open_around(), sweep, task)) + "\n")


def main(_: Sequence[str]) -> None:
    """Run trials as messages on standard input say, until it ends."""
    # Between two trials; during one it is for its command. What is left is tidied up first.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with suppress(BrokenPipeError), _answering() as answers:

        def answer(message: Mapping[str, Any]) -> None:
            with suppress(OSError):  # nobody hears it any more
                answers.write(json.dumps(message) + "\n")
                answers.flush()

        serve(open_around(), _read_messages(sys.stdin.fileno()), answer)


def _read_messages(source: int) -> Iterator[Mapping[str, Any]]:
    """What is said on a descriptor.

    A thread waits for it, which must hold no lock of a Python file when this process ends.
    """
    rest = b""
    while data := os.read(source, _CHUNK):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            with suppress(ValueError):
                message = json.loads(line)
                if isinstance(message, dict):
                    yield message


@contextmanager
def _answering() -> Iterator[IO[str]]:
    """Give standard output for answers alone: whatever else is printed goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(os.dup(kept), "w") as answers:
            yield answers
    finally:
        os.dup2(kept, 1)
        os.close(kept)
