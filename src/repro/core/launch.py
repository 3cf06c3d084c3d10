"""The parent of a run's command: starts it, passes signals on, writes down how it ended."""

import errno
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from repro.atomic import write_file
from repro.core.command import Command
from repro.core.follow import Follower, OutputLog
from repro.core.outputs import (
    MetricPoints,
    Signature,
    collect_artifacts,
    collect_metrics,
    output_state,
)
from repro.core.project import Project
from repro.core.record import LiveRun
from repro.core.relay import Relay, wakeup
from repro.core.sampler import Sampler
from repro.core.terminal import Terminal
from repro.errors import CommandError, StorageError
from repro.model.canonical import format_json
from repro.model.run import Artifact, Status
from repro.store.journal import read_journals
from repro.store.process import find_process

OUTPUT = "output.log"
CHILD = "child.json"


@dataclass(frozen=True, slots=True)
class Streams:
    """Descriptors that the command's own three are connected with."""

    stdin: int = 0
    stdout: int = 1
    stderr: int = 2


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
    project: Project, live: LiveRun, command: Command, *, relay: Relay, streams: Streams
) -> Outcome:
    """Run the command of a started run to its end, and close the run's journal.

    On a terminal the command gets one of its own. Its output comes out of `streams` as it
    is written, and is kept in the live folder, with samples of the machine, the metrics and
    artifacts that `repro.yaml` names, and how it ended. Then the run can be sealed.

    Raises:
        CommandError: The system refused to start it; the record says so.
    """
    with live.journal:
        return _launch(project, live, command, relay, streams)


def _launch(
    project: Project, live: LiveRun, command: Command, relay: Relay, streams: Streams
) -> Outcome:
    settings = project.settings
    before = output_state(project.repository.root, [*settings.metrics, *settings.artifacts])
    refusal = None
    warnings: list[str] = []
    code = -relay.received[0] if relay.received else None
    if code is None:
        try:
            code = _run_child(project, live, command, relay, streams, warnings)
        except OSError as error:
            refusal = _refusal(command, error)
            code = refusal.exit_code
    outcome = _judge(code, relay.received)
    live.journal.append(
        {
            "k": "end",
            "status": str(outcome.status),
            "exit_code": outcome.exit_code,
            "signal": outcome.signal,
            "t": project.clock(),
        }
    )
    # The end is on disk first: collecting can take long, and a scheduler has little patience.
    if refusal is not None:
        raise refusal
    try:
        warnings += _collect(project, live, before)
    except KeyboardInterrupt:
        warnings.append("^C cut the collecting of metrics files and artifacts short")
    for warning in warnings:
        live.journal.append({"k": "warning", "v": warning, "t": project.clock()})
    return Outcome(outcome.status, outcome.exit_code, outcome.signal, tuple(warnings))


def _refusal(command: Command, error: OSError) -> CommandError:
    exit_code = 127 if error.errno == errno.ENOENT else 126
    reason = error.strerror or str(error)
    return CommandError(f"`{command.argv[0]}` cannot be started: {reason}", exit_code=exit_code)


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
    warnings: list[str],
) -> int:
    """Start the command and follow it to its end; its return code, -n for signal n."""
    log = OutputLog(live.dir / OUTPUT)
    with ExitStack() as stack:
        stack.callback(log.close)
        terminal = None
        if os.isatty(streams.stdout):
            terminal = Terminal(streams.stdin, streams.stdout)
            stack.callback(terminal.close)
        follower = Follower(
            log, terminal, stack.enter_context(wakeup(terminal.resize if terminal else None))
        )
        stack.callback(follower.close)
        has_session = terminal is not None
        stack.enter_context(relay.passing(is_own_session=has_session))
        child = _start(project, live, command, streams, terminal, follower)

        def send(number: int) -> None:
            if child.returncode is None:  # once it is reaped its pid may be somebody else's
                _send(child.pid, number, to_group=has_session)

        relay.connect(send)
        warnings += _note_child(live, child.pid)
        sampler = Sampler(
            child.pid,
            project.environ,
            lambda sample: live.journal.append({"k": "system", "t": project.clock(), "m": sample}),
        )
        sampler.start()
        stack.callback(sampler.stop)
        if terminal is not None:
            terminal.take_keyboard()
        code = follower.follow(lambda: _poll(child, terminal))
    if log.reason is not None:
        warnings.append(f"{log.lost:,} bytes of output are not kept: {log.reason}")
        live.journal.append({"k": "output", "lost": log.lost, "reason": log.reason})
    if follower.left_open:
        warnings.append("output of processes that outlived the command is not kept")
    return code


def _start(
    project: Project,
    live: LiveRun,
    command: Command,
    streams: Streams,
    terminal: Terminal | None,
    follower: Follower,
) -> "subprocess.Popen[bytes]":
    environ = {**project.environ, "REPRO_RUN_ID": live.id, "REPRO_LIVE_DIR": str(live.dir)}
    with ExitStack() as ours:  # our copies of the child's ends; reading ends when it lets go
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

        def spawn(argv: Sequence[str], program: Path) -> "subprocess.Popen[bytes]":
            return subprocess.Popen(
                argv,
                executable=program,
                cwd=command.cwd,
                env=environ,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=terminal is not None,
                preexec_fn=terminal.controller() if terminal else None,  # noqa: PLW1509
            )

        try:
            return spawn(command.argv, command.program)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            # A script without `#!`: every shell, and execvp(3), gives it to sh.
            shell = Path("/bin/sh")
            return spawn(["sh", str(command.program), *command.argv[1:]], shell)


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


def _note_child(live: LiveRun, pid: int) -> list[str]:
    """Say in the live folder who runs the command, for those who find it without its parent."""
    process = find_process(pid)
    if process is None:  # it has ended already
        return []
    try:
        write_file(live.dir / CHILD, format_json({**process.as_json()}))
    except StorageError as error:
        return [error.message]
    return []


def _send(pid: int, number: int, *, to_group: bool) -> None:
    try:
        if to_group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # it has ended, or runs as somebody else now


def _poll(child: "subprocess.Popen[bytes]", terminal: Terminal | None) -> int | None:
    pid, status = os.waitpid(child.pid, os.WNOHANG | os.WUNTRACED)
    if pid == 0:
        return None
    if os.WIFSTOPPED(status):
        if terminal is not None:
            terminal.suspend(child.pid)
        return None
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode


def _collect(project: Project, live: LiveRun, before: Mapping[str, Signature]) -> list[str]:
    """Put the metrics files and artifacts that are new into the journal; the warnings."""
    root = project.repository.root
    settings = project.settings
    warnings: list[str] = []
    if settings.metrics:
        now = project.clock()
        for found in collect_metrics(root, settings.metrics, before, _last_steps(live)):
            if isinstance(found, MetricPoints):
                live.journal.log(found.step, min(found.time, now), found.values)
            else:
                warnings.append(found)
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
            warnings.append(kept)
    return warnings


def _last_steps(live: LiveRun) -> dict[str, int]:
    """The highest step of each metric that the command logged through the SDK."""
    steps: dict[str, int] = {}
    for journal in read_journals(live.dir):
        for record in journal.records:
            if record.get("k") == "log" and int(journal.header.get("rank", 0)) == 0:
                for name in record["m"]:
                    steps[name] = max(record["s"], steps.get(name, record["s"]))
    return steps
