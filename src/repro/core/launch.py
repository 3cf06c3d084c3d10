"""The parent of a run's command: starts it, passes signals on, writes down how it ended."""

import os
import signal
import subprocess
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from repro.atomic import write_file
from repro.core.command import Command, start_as_shell, start_error
from repro.core.deadline import TOO_LONG, Deadline
from repro.core.follow import Follower, OutputLog
from repro.core.hushing import hush_output
from repro.core.outputs import Signature, collect_artifacts, collect_metrics, output_state
from repro.core.project import Project
from repro.core.python_ran import note_python
from repro.core.randomness import child_environment
from repro.core.relay import Relay, wakeup
from repro.core.sampler import Sampler
from repro.core.start import LiveRun
from repro.core.terminal import Terminal
from repro.errors import StorageError
from repro.model.canonical import format_json
from repro.model.run import Artifact, Status
from repro.store.clonekey import read_marker
from repro.store.journal import read_journals
from repro.store.process import find_process
from repro.store.random_reports import pass_on

OUTPUT = "output.log"
CHILD = "child.json"


@dataclass(frozen=True, slots=True)
class Streams:
    """Descriptors that the command's own three are connected with."""

    stdin: int = 0
    stdout: int = 1
    stderr: int = 2


@dataclass(frozen=True, slots=True)
class _Span:
    """How long a command may go on, and whether what it started may outlive it."""

    limit_s: float | None
    is_alone: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended.

    Attributes:
        status: `finished` with exit code 0, `killed` by a signal or on our being told to end,
            else `failed`.
        exit_code: The command's own, 128 + n if signal n ended it.
        signal: Name of that signal, or of the one that told us to end.
        warnings: What could not be kept; the record has them too.
    """

    status: Status
    exit_code: int
    signal: str | None
    warnings: tuple[str, ...] = ()


def launch(
    project: Project,
    live: LiveRun,
    command: Command,
    *,
    relay: Relay,
    streams: Streams,
    timeout_s: float | None = None,
    is_alone: bool = False,
) -> Outcome:
    """Run the command of a started run to its end, and close the run's journal.

    On a terminal the command gets one of its own. Its output comes out of `streams` as it
    is written, and is kept in the live folder, with samples of the machine, the metrics and
    artifacts that `repro.yaml` names, and how it ended. Then the run can be sealed.

    Args:
        timeout_s: After so long the command and what it started are told to end (SIGTERM),
            and soon killed; for that it gets a session of its own.
        is_alone: Give it one in any case, and kill what is left in it when the command has ended.

    Raises:
        CommandError: The system refused to start it; the record says so.
    """
    try:
        return _launch(project, live, command, relay, streams, _Span(timeout_s, is_alone))
    finally:
        # The run stays in our hands until it is sealed: closing the journal gives its lock back.
        _note_holder(live, os.getpid())
        live.journal.close()


def _launch(
    project: Project,
    live: LiveRun,
    command: Command,
    relay: Relay,
    streams: Streams,
    span: _Span,
) -> Outcome:
    problems: list[str] = []
    before: dict[str, Signature] | None = None
    refusal = None
    try:
        settings = project.settings
        before = output_state(project.repository.root, [*settings.metrics, *settings.artifacts])
        code = -relay.received[0] if relay.received else None
        if code is None:
            code = _run_child(project, live, command, relay, streams, problems, span)
    except OSError as error:
        refusal = start_error(command, error)
        code = refusal.exit_code
    except KeyboardInterrupt:  # before the command had its chance to decide
        code = -signal.SIGINT
    outer = project.environ.get("REPRO_LIVE_DIR")
    if outer and project.environ.get("REPRO_FOREIGN"):  # a rerun is around us
        pass_on(live.dir, Path(outer))
    outcome = _judge(code, relay.received)
    # On disk before the collecting, which can take long: a scheduler has little patience.
    live.journal.append(
        {
            "k": "end",
            "status": str(outcome.status),
            "exit_code": outcome.exit_code,
            "signal": outcome.signal,
            "t": project.clock(),
        }
    )
    if refusal is not None:
        raise refusal
    try:
        with relay.interruptible():
            marker = read_marker(project.repository.private)
            hush_output(live.dir / OUTPUT, command.argv, project.environ, marker)
            note_python(project, live)
            if before is not None:
                problems += _collect(project, live, before)
    except KeyboardInterrupt:
        problems.append("^C cut the collecting of metrics files and artifacts short")
    for problem in problems:
        live.journal.append({"k": "warning", "v": problem, "t": project.clock()})
    return Outcome(outcome.status, outcome.exit_code, outcome.signal, tuple(problems))


def _judge(code: int, received: Sequence[int]) -> Outcome:
    if code < 0:
        return Outcome(Status.KILLED, 128 - code, _signal_name(-code))
    if received:
        return Outcome(Status.KILLED, code, _signal_name(received[0]))
    return Outcome(Status.FAILED if code else Status.FINISHED, code, None)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"SIG{number}"


def _run_child(
    project: Project,
    live: LiveRun,
    command: Command,
    relay: Relay,
    streams: Streams,
    problems: list[str],
    span: _Span,
) -> int:
    """Start the command and follow it to its end; its return code, -n for signal n."""
    log = OutputLog(live.dir / OUTPUT)
    with ExitStack() as stack:
        stack.callback(log.close)
        terminal = None
        if os.isatty(streams.stdout):
            terminal = Terminal(streams.stdin, streams.stdout)
            stack.callback(terminal.close)
        actions = {}
        if terminal is not None:
            actions = {signal.SIGWINCH: terminal.resize, signal.SIGTSTP: terminal.stop_child}
        follower = Follower(log, terminal, stack.enter_context(wakeup(actions)))
        stack.callback(follower.close)
        has_session = terminal is not None or span.limit_s is not None or span.is_alone
        stack.enter_context(relay.passing(is_own_session=has_session))
        child = _start(project, live, command, streams, terminal, follower, has_session=has_session)

        def send(number: int) -> None:
            if child.returncode is None:  # once it is reaped its pid may be somebody else's
                _send(child.pid, number, to_group=has_session)

        relay.connect(send)
        problems += _note_holder(live, child.pid)
        sampler = Sampler(
            child.pid,
            project.environ,
            lambda sample: live.journal.append({"k": "system", "t": project.clock(), "m": sample}),
        )
        sampler.start()
        stack.callback(sampler.stop)
        if terminal is not None:
            terminal.take_keyboard(child.pid)
        limit = Deadline(span.limit_s, child.pid)
        code = follower.follow(lambda: _poll(child, terminal, limit))
        if span.is_alone:
            _send(child.pid, signal.SIGKILL, to_group=True)  # as long as it has members
    if limit.is_past:
        problems.append(f"{TOO_LONG} {span.limit_s:g} s")
    if log.reason is not None:
        problems.append(f"{log.lost:,} bytes of output are not kept: {log.reason}")
        live.journal.append({"k": "output", "lost": log.lost, "reason": log.reason})
    if follower.left_open:
        problems.append("output of processes that outlived the command is not kept")
    return code


def _start(
    project: Project,
    live: LiveRun,
    command: Command,
    streams: Streams,
    terminal: Terminal | None,
    follower: Follower,
    *,
    has_session: bool,
) -> "subprocess.Popen[bytes]":
    environ = child_environment(live.randomness, project.environ, command.argv)
    environ |= {"REPRO_RUN_ID": live.id, "REPRO_LIVE_DIR": str(live.dir)}
    # Our copies of the child's ends: reading ends when the child alone lets go of its own.
    with ExitStack() as ours, warnings.catch_warnings():
        stdin = None if streams.stdin == 0 else streams.stdin
        if terminal is not None:
            ours.callback(terminal.close_child_end)
            follower.add_source(terminal.master, streams.stdout)
            stdout = terminal.child_end
            stdin = terminal.child_end if terminal.has_keyboard else stdin
        else:
            stdout = _add_pipe(follower, streams.stdout, ours)
        if terminal is not None and os.isatty(streams.stderr):
            stderr = stdout
        elif terminal is None and _is_same(streams.stdout, streams.stderr):
            stderr = stdout  # one pipe keeps the order that two would lose
        else:
            stderr = _add_pipe(follower, streams.stderr, ours)

        def spawn(one: Command) -> "subprocess.Popen[bytes]":
            # Python 3.12 warns of any code between fork and exec; ours is one system call.
            warnings.simplefilter("ignore", DeprecationWarning)
            return subprocess.Popen(
                one.argv,
                executable=one.program,
                cwd=one.cwd,
                env=environ,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=has_session,
                preexec_fn=terminal.controller() if terminal else None,
            )

        return start_as_shell(command, spawn)


def _add_pipe(follower: Follower, target: int, ours: ExitStack) -> int:
    reader, writer = os.pipe()
    follower.add_source(reader, target)
    ours.callback(os.close, writer)
    return writer


def _is_same(first: int, second: int) -> bool:
    try:
        return os.path.sameopenfile(first, second)
    except OSError:
        return False


def _note_holder(live: LiveRun, pid: int) -> list[str]:
    """Say in the live folder which process has the run in hand; what went wrong with that."""
    process = find_process(pid)
    if process is None:  # it has ended already
        return []
    try:
        write_file(live.dir / CHILD, format_json({**process.as_json()}))
    except StorageError as error:
        return [error.message]
    except FileNotFoundError:  # the command deleted the folder, which sealing will say
        return []
    return []


def _send(pid: int, number: int, *, to_group: bool) -> None:
    try:
        if to_group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # it has ended, or runs as somebody else now


def _poll(
    child: "subprocess.Popen[bytes]", terminal: Terminal | None, limit: Deadline
) -> int | None:
    limit.check()
    if child.returncode is None:
        pid, status = os.waitpid(child.pid, os.WNOHANG | os.WUNTRACED)
        if pid == 0:
            return None
        if os.WIFSTOPPED(status):
            if terminal is not None:
                terminal.suspend(child.pid)
            return None
        child.returncode = os.waitstatus_to_exitcode(status)
    return None if limit.is_waiting() else child.returncode


def _collect(project: Project, live: LiveRun, before: Mapping[str, Signature]) -> list[str]:
    """Put the metrics files and artifacts that are new into the journal; the warnings."""
    root = project.repository.root
    settings = project.settings
    problems: list[str] = []
    if settings.metrics:
        now = project.clock()
        for found in collect_metrics(root, settings.metrics, before, _last_steps(live)):
            if isinstance(found, str):
                problems.append(found)
                continue
            moment = min(found.time, now)
            live.journal.append({"k": "log", "s": found.step, "t": moment, "m": found.values})
    for kept in collect_artifacts(root, settings.artifacts, before, live.dir, project.store):
        if isinstance(kept, Artifact):
            live.journal.append(
                {
                    "k": "artifact",
                    "path": kept.path,
                    "size": kept.size,
                    "digest": kept.digest,
                    "where": kept.where,
                }
            )
        else:
            problems.append(kept)
    return problems


def _last_steps(live: LiveRun) -> dict[str, int]:
    """The highest step of each metric that the command logged through the SDK."""
    steps: dict[str, int] = {}
    for journal in read_journals(live.dir):
        for record in journal.records:
            if record.get("k") == "log" and int(journal.header.get("rank", 0)) == 0:
                for name in record["m"]:
                    steps[name] = max(record["s"], steps.get(name, record["s"]))
    return steps
