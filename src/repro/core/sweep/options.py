"""How a sweep is run by one process, and how that ended, as frozen values."""

from dataclasses import dataclass
from enum import Enum, StrEnum

from repro.errors import ReproError
from repro.model.sweep import SweepAt


class Stop(Enum):
    """What whoever runs a sweep asks of it meanwhile."""

    SOON = "soon"  # start no trial, tell those that run to end, and wait for them
    NOW = "now"  # the same, and kill them


class Reason(StrEnum):
    """Why a sweep goes on no more in this process."""

    DONE = "done"  # all trials are over
    TARGET = "target"  # one is as good as the target
    COUNT = "count"  # this process was to do no more
    STOPPED = "stopped"  # by `repro sweep stop`
    INTERRUPTED = "interrupted"  # by ^C or SIGTERM
    TIME = "time"  # it took as long as it may
    FAILURES = "failures"  # the first trials all failed
    NO_METRIC = "no-metric"  # a trial never logged it, which was not to be accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a sweep is run.

    Attributes:
        retries: Another attempt for a trial whose run was lost, so often.
        is_strict: Stop when the first trial that is over has not logged the metric, as a crash.
        reuse: Take the results of an earlier run of the very same conditions.
        timeout_s: Of one trial: then its command is told to end, and the trial has failed.
        max_time_s: Of all of it: then no trial is started, and those that run are told to end.
        gpus: As `CUDA_VISIBLE_DEVICES` names them; each running trial gets one, by turns.
        max_failures: Stop when so many trials are over and all of them failed; 0 never does.
        count: At most so many attempts are started by this process.
        resume: Whether a sweep that was stopped goes on.
        retry_failed: Whether the trials that failed so far get another attempt.
        run_cap: At most so many trials from now on, all before included; with `resume`.
        look_s: So often is looked whether somebody else wrote into the ledger.
        beat_s: At least so often others are told that this process is alive; None never.
    """

    retries: int = 2
    is_strict: bool = False
    reuse: bool = False
    timeout_s: float | None = None
    max_time_s: float | None = None
    gpus: tuple[str, ...] = ()
    max_failures: int = 5
    count: int | None = None
    resume: bool = False
    retry_failed: bool = False
    run_cap: int | None = None
    look_s: float = 1.0
    beat_s: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended.

    Attributes:
        at: The sweep as it is then.
        n_begun: How many attempts this process started.
        error: What is wrong, for `FAILURES` and `NO_METRIC`.
    """

    at: SweepAt
    reason: Reason
    n_begun: int
    error: ReproError | None = None
