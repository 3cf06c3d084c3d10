"""A sweep run to its end in this process, and what is said of it then."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from repro.cli import render
from repro.cli.importance import print_influences
from repro.cli.runtable import lay_out
from repro.cli.sweepbest import print_trial
from repro.cli.sweeplive import Live
from repro.cli.sweepoptions import Running, find_gpus, say_jobs
from repro.cli.sweepsignals import ending_signals
from repro.cli.sweeptable import lay_trials, short_runs
from repro.core.project import Project
from repro.core.sweep.best import find_best_trials
from repro.core.sweep.book import LocalBook
from repro.core.sweep.claiming import count_trials
from repro.core.sweep.describe import full_sweep_json
from repro.core.sweep.figures import ranked_trials
from repro.core.sweep.known import short_sweep
from repro.core.sweep.loop import run_sweep
from repro.core.sweep.options import Options, Outcome, Reason
from repro.core.sweep.protocols import Book, Launcher, Others
from repro.core.sweep.standing import is_done
from repro.core.sweep.weighing import weigh_trials
from repro.core.sweep.words import describe_counts
from repro.model.readable import count_of, format_duration
from repro.model.sweep import OVER, Sweep, SweepAt, TrialState
from repro.model.text import escape

Share = Callable[[Callable[[], bool]], tuple[Book, Others]]

_MOST_TRIALS = 20
_MOST_PARAMS = 10  # of which it is said whether they matter; `repro sweep show` says more

_WORDS = {
    Reason.DONE: "is done",
    Reason.TARGET: "reached its target",
    Reason.COUNT: "has no more for this process",
    Reason.STOPPED: "was stopped",
    Reason.INTERRUPTED: "was interrupted",
    Reason.TIME: "has had its time",
    Reason.FAILURES: "was ended by failures of all of its trials",
    Reason.NO_METRIC: "was ended for want of its metric",
}


def run_here(
    project: Project,
    at: SweepAt,
    running: Running,
    options: Options,
    *,
    share: Share | None = None,
) -> int:
    """Run a sweep to its end, tell of it meanwhile, and show what came out; the exit code.

    Args:
        share: Gives the ledger and the others, where it is not this clone's alone; it is told what
            says whether the user wants an end.

    Raises:
        ReproError: As the loop of a sweep and its launcher.
    """
    short = short_sweep(project, at.sweep.id)
    say_jobs(running.jobs, running.launcher)
    wish = replace(options, gpus=find_gpus(options, project))
    started = project.clock()
    with (
        ending_signals() as ending,
        closing(open_launcher(project, at.sweep, running)) as launcher,
        Live(project, at, short, is_strict=options.is_strict, is_shared=share is not None) as live,
    ):
        _say_begin(at, short, options)
        book, others = _alone(project, at) if share is None else share(ending.is_wished)
        done = run_sweep(
            project, book, launcher, wish, tell=live.tell, should_stop=ending.ask, others=others
        )
    done = replace(done, reason=_find_reason(done))
    again = f"repro sweep {'resume' if share is None else 'agent'} {short}"
    if share is not None and done.at.progress.stopped is not None:
        again += " --resume"
    if running.jobs > 1:  # nothing remembers it
        again += f" -j {running.jobs}"
    _say_end(done, short, project.clock() - started, again)
    if running.as_json:
        render.data_json(full_sweep_json(done.at, now=project.clock()))
    elif share is None:  # else most of the runs are elsewhere
        _show(project, done.at, short)
    if ending.received:
        return 128 + ending.received[0]
    if done.reason is Reason.COUNT:
        return 0
    is_over = done.reason in (Reason.DONE, Reason.TARGET)
    return 0 if is_over and done.at.progress.count(TrialState.FINISHED) else 1


def _find_reason(done: Outcome) -> Reason:
    """Why it went on no more: that it was ended is nothing where nothing was left to do."""
    is_ended = done.reason in (Reason.STOPPED, Reason.TIME)
    return Reason.DONE if is_ended and is_done(done.at) else done.reason


def _say_begin(at: SweepAt, short: str, options: Options) -> None:
    """Name the sweep before anything of it is run: also where no terminal shows it."""
    name = f" ({escape(at.sweep.spec.name)})" if at.sweep.spec.name else ""
    cap = at.progress.run_cap if options.run_cap is None else options.run_cap
    wanted, n_over = count_trials(at.sweep.spec, cap), at.progress.count(*OVER)
    n_over -= at.progress.count(TrialState.FAILED) if options.retry_failed else 0
    size = "trials without end" if wanted is None else count_of(wanted, "trial")
    over = f", {n_over:,} of them over" if n_over else ""
    render.note(f"repro: sweep {short}{name}: {size}{over}, by {at.sweep.spec.method.value}")


def _alone(project: Project, at: SweepAt) -> tuple[Book, None]:
    return LocalBook(project, at.sweep.id), None


def check_engine(project: Project, running: Running) -> None:
    """Refuse what can run no trial from here, before a sweep is made for it.

    Raises:
        ReproError: The engine is not installed, knows no such option, or there is no GPU.
    """
    find_gpus(running.options, project)
    if running.launcher == "ray":
        from repro.core.sweep.ray_launcher import load_ray  # noqa: PLC0415
        from repro.model.launching import read_ray_options  # noqa: PLC0415

        read_ray_options(running.settings)
        load_ray()
    elif running.launcher == "slurm":
        from repro.core.sweep.slurm_launcher import load_submitit  # noqa: PLC0415
        from repro.model.launching import read_slurm_options  # noqa: PLC0415

        read_slurm_options(running.settings)
        load_submitit()


def open_launcher(project: Project, sweep: Sweep, running: Running) -> Launcher:
    """Give what runs the trials.

    Raises:
        ReproError: What it needs is not installed, or not there.
    """
    # Here, for each brings what it needs itself.
    if running.launcher == "ray":
        from repro.core.sweep.ray_launcher import make_ray_launcher  # noqa: PLC0415
        from repro.model.launching import read_ray_options  # noqa: PLC0415

        options = read_ray_options(running.settings)
        return make_ray_launcher(project, sweep, running.jobs, options)
    if running.launcher == "slurm":
        from repro.core.sweep.slurm_launcher import make_slurm_launcher  # noqa: PLC0415
        from repro.model.launching import read_slurm_options  # noqa: PLC0415

        wanted = read_slurm_options(running.settings)
        return make_slurm_launcher(project, sweep, running.jobs, wanted)
    from repro.core.sweep.local import LocalLauncher  # noqa: PLC0415

    return LocalLauncher(project, sweep, running.jobs)


def _say_end(done: Outcome, short: str, passed_s: float, again: str) -> None:
    at = done.at
    counts = [f"{at.progress.count(TrialState.FINISHED):,} finished", *describe_counts(at)]
    spent = format_duration(passed_s)
    render.note(f"repro: sweep {short} {_WORDS[done.reason]} after {spent}: {', '.join(counts)}")
    if done.error is not None:
        render.note(f"repro: {escape(done.error.message)}")
        if done.error.hint:
            render.note(f"hint: {escape(done.error.hint)}")
    if done.reason is Reason.FAILURES and not at.sweep.spec.is_macro:
        render.note(
            "hint: params are added as --KEY=VALUE; `--no-args` leaves the command as it is"
        )
    if done.reason not in (Reason.DONE, Reason.TARGET, Reason.NO_METRIC):
        render.note(f"hint: `{again}` goes on")


def _show(project: Project, at: SweepAt, short: str) -> None:
    """Print what came out: the best trial with what goes with it, or the trials themselves."""
    ranked = ranked_trials(at)
    if at.sweep.spec.metric is None or not ranked:
        _show_trials(project, at)
        return
    found = find_best_trials(project, at)
    print_trial(at, ranked[0], found)
    weighed = weigh_trials(at)
    if any(one.strength is not None for one in weighed.influences):
        render.out("")
        print_influences(weighed, _MOST_PARAMS)
    render.flush()
    render.note(f"hint: `repro sweep best {short} --checkout -w DIR` brings its code into DIR")
    render.note(f"hint: `repro sweep show {short}` shows all trials")


def _show_trials(project: Project, at: SweepAt) -> None:
    trials = at.progress.trials[:_MOST_TRIALS]
    if not trials:
        return
    columns = lay_trials(at, trials, short_runs(project, trials), now=project.clock())
    render.out(lay_out(columns, width=render.width())[0])
    render.flush()
    more = len(at.progress.trials) - len(trials)
    if more:
        render.note(f"… and {more:,} more: `repro sweep show {at.sweep.id} -n 0` shows all")
