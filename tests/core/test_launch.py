import json
import os
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from queue import SimpleQueue

import pytest
from tests.support import git, write_files
from tests.support.projects import begin, open_here
from tests.support.waiting import end_time_once, until

from repro.core.command import resolve_command
from repro.core.follow import OutputLog
from repro.core.launch import Outcome, Streams, launch
from repro.core.project import Project
from repro.core.record import seal_run
from repro.core.relay import Relay
from repro.core.sampler import Sampler, parse_gpus
from repro.core.start import LiveRun
from repro.errors import CommandError, UsageError
from repro.model.run import Run, Status
from repro.store.journal import is_live, read_journals
from repro.store.process import find_process, host_name

SH = "/bin/sh"


@dataclass
class Launched:
    """What came out of a launch: through the streams, into the live folder, as a value."""

    outcome: Outcome
    out: bytes
    err: bytes
    live: LiveRun

    @property
    def log(self) -> bytes:
        return (self.live.dir / "output.log").read_bytes()

    def records(self, kind: str) -> list[dict]:
        [journal] = read_journals(self.live.dir)
        return [record for record in journal.records if record["k"] == kind]


class Reader:
    """Reads a descriptor to its end in a thread, so that no writer ever waits."""

    def __init__(self, fd: int) -> None:
        self.data = b""
        self._fd = fd
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                part = os.read(self._fd, 1 << 16)
            except OSError:
                part = b""
            if not part:
                return
            self.data += part

    def end(self) -> bytes:
        self._thread.join()
        os.close(self._fd)
        return self.data


@pytest.fixture
def project(repository: Path) -> Project:
    return open_here(repository)


def run_launch(
    project: Project,
    argv: Sequence[str],
    *,
    relay: Relay | None = None,
    on_start: Callable[[LiveRun], None] | None = None,
    stdin: bytes | None = None,
    timeout_s: float | None = None,
) -> Launched:
    command = resolve_command(argv, cwd=Path.cwd(), environ=project.environ)
    live = begin(project, command=tuple(argv))
    if on_start:
        on_start(live)
    typed, keyboard = os.pipe()
    os.write(keyboard, stdin or b"")
    os.close(keyboard)
    out_reader, out = os.pipe()
    err_reader, err = os.pipe()
    readers = Reader(out_reader), Reader(err_reader)
    try:
        with relay or Relay() as relay:
            streams = Streams(typed, out, err)
            outcome = launch(
                project, live, command, relay=relay, streams=streams, timeout_s=timeout_s
            )
    finally:
        for fd in (typed, out, err):
            os.close(fd)
        texts = [reader.end() for reader in readers]
    return Launched(outcome, texts[0], texts[1], live)


def sh(project: Project, script: str, **more) -> Launched:
    return run_launch(project, [SH, "-c", script], **more)


def python(project: Project, script: str, **more) -> Launched:
    return run_launch(project, [sys.executable, "-c", script], **more)


def when(path: Path, act: Callable[[], None]) -> threading.Thread:
    """Do `act` once the child has made `path`."""

    def wait() -> None:
        until(path.exists, path.name)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_output_comes_through_byte_for_byte_and_is_kept(project):
    done = sh(project, r"printf 'a\0\377\r\n'; printf 'no newline' >&2")

    assert done.out == b"a\0\xff\r\n"
    assert done.err == b"no newline"
    assert sorted(done.log) == sorted(done.out + done.err)
    assert Outcome(Status.FINISHED, 0, None) == done.outcome


def test_output_is_kept_in_the_order_of_its_arrival(project):
    kept = 'until grep -q "$1 $i" "$REPRO_LIVE_DIR/output.log"; do sleep .01; done'
    done = sh(
        project,
        f"kept() {{ {kept}; }};"
        " for i in 1 2 3; do echo out $i; kept out; echo err $i >&2; kept err; done",
    )

    assert done.log == b"out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n"


def test_output_comes_through_at_once(project, tmp_path):
    reader, writer = os.pipe()
    live = begin(project)
    command = resolve_command(
        [SH, "-c", f"echo now; while ! test -e {tmp_path}/go; do sleep .01; done; echo then"],
        cwd=Path.cwd(),
        environ=project.environ,
    )
    seen = []

    def read() -> None:
        seen.append(os.read(reader, 100))
        (tmp_path / "go").touch()

    thread = threading.Thread(target=read)
    thread.start()
    with Relay() as relay:
        launch(project, live, command, relay=relay, streams=Streams(0, writer, writer))
    thread.join()

    assert seen == [b"now\n"]
    assert os.read(reader, 100) == b"then\n"


def test_one_target_for_both_streams_keeps_their_exact_order(project, tmp_path):
    script = "import os\nfor i in range(2000): os.write(1 + i % 2, b'%d\\n' % i)"
    live = begin(project)
    command = resolve_command(
        [sys.executable, "-c", script], cwd=Path.cwd(), environ=project.environ
    )
    with (tmp_path / "both").open("wb") as file, Relay() as relay:
        streams = Streams(0, file.fileno(), file.fileno())
        launch(project, live, command, relay=relay, streams=streams)

    expected = b"".join(b"%d\n" % i for i in range(2000))
    assert expected == (tmp_path / "both").read_bytes()
    assert expected == (live.dir / "output.log").read_bytes()


def test_much_output_on_both_streams_is_neither_lost_nor_stuck(project):
    script = "import os\nfor i in range(60): os.write(1, b'o' * 50_000); os.write(2, b'e' * 50_000)"
    done = python(project, script)

    assert done.out == b"o" * 3_000_000
    assert done.err == b"e" * 3_000_000
    assert len(done.log) == 6_000_000


def test_the_command_reads_our_stdin(project):
    assert sh(project, "cat", stdin=b"typed").out == b"typed"


def test_the_command_knows_its_run(project):
    done = sh(project, 'echo "$REPRO_RUN_ID $REPRO_LIVE_DIR"')

    assert f"{done.live.id} {done.live.dir}\n".encode() == done.out
    assert done.live.dir.is_absolute()


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("exit 0", Outcome(Status.FINISHED, 0, None)),
        ("exit 3", Outcome(Status.FAILED, 3, None)),
        ("exit 255", Outcome(Status.FAILED, 255, None)),
        ("kill -KILL $$", Outcome(Status.KILLED, 137, "SIGKILL")),
        ("kill -INT $$", Outcome(Status.KILLED, 130, "SIGINT")),
        ("kill -SEGV $$", Outcome(Status.KILLED, 139, "SIGSEGV")),
    ],
)
def test_how_the_command_ended_is_passed_on_and_recorded(project, script, outcome):
    done = sh(project, script)

    assert outcome == done.outcome
    [end] = done.records("end")
    assert (outcome.status, outcome.exit_code, outcome.signal) == (
        end["status"],
        end["exit_code"],
        end["signal"],
    )
    run = seal_run(project, done.live.dir).run
    assert (outcome.status, outcome.exit_code, outcome.signal) == (
        run.status,
        run.exit_code,
        run.signal,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_told_to_end_ends_the_command_and_the_run_is_killed(project, tmp_path, number):
    thread = when(tmp_path / "up", lambda: os.kill(os.getpid(), number))

    done = sh(project, f"touch {tmp_path}/up; exec sleep 60")
    thread.join()

    name = signal.Signals(number).name
    assert Outcome(Status.KILLED, 128 + number, name) == done.outcome
    assert seal_run(project, done.live.dir).run.status == Status.KILLED


def test_a_command_that_ends_well_when_told_to_end_is_still_killed(project, tmp_path):
    thread = when(tmp_path / "up", lambda: os.kill(os.getpid(), signal.SIGTERM))

    done = sh(
        project,
        f"trap 'echo saved; exit 0' TERM; touch {tmp_path}/up; while :; do sleep .05; done",
    )
    thread.join()

    assert done.out == b"saved\n"
    assert Outcome(Status.KILLED, 0, "SIGTERM") == done.outcome


def test_an_interrupt_without_a_terminal_reaches_the_command_which_decides(project, tmp_path):
    thread = when(tmp_path / "up", lambda: os.kill(os.getpid(), signal.SIGINT))

    done = sh(
        project, f"trap 'echo asked; exit 4' INT; touch {tmp_path}/up; while :; do sleep .05; done"
    )
    thread.join()

    assert done.out == b"asked\n"
    assert Outcome(Status.FAILED, 4, None) == done.outcome


def test_told_to_end_before_the_start_the_command_never_starts(project, tmp_path):
    relay = Relay()

    done = sh(
        project,
        f"touch {tmp_path}/started",
        relay=relay,
        on_start=lambda _: relay.received.append(signal.SIGTERM),
    )

    assert Outcome(Status.KILLED, 143, "SIGTERM") == done.outcome
    assert not (tmp_path / "started").exists()


def test_signals_are_ours_again_afterwards(project):
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD]
    before = [signal.getsignal(number) for number in numbers]

    sh(project, "true")

    assert before == [signal.getsignal(number) for number in numbers]


def test_an_ignored_signal_stays_ignored_by_the_command(project, monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        done = sh(project, "kill -HUP $$; echo alive")
    finally:
        signal.signal(signal.SIGHUP, before)

    assert done.out == b"alive\n"


def test_a_key_that_comes_once_the_command_has_ended_is_too_late():
    with Relay() as relay:
        with relay.passing(is_own_session=True):
            pass
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), relay.interruptible():
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_signals_wait_while_a_run_is_sealed(project):
    with Relay() as relay, relay.held():
        # To this thread: of a signal to the process, another thread of the test runner may
        # be the one that takes it.
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        assert relay.received == []
    assert relay.received == [signal.SIGTERM]


def test_what_outlives_the_command_does_not_hold_us(project):
    done = sh(project, "sleep 300 & echo $!; exit 5")

    pid = int(done.out)
    assert _is_there(pid)
    os.kill(pid, signal.SIGKILL)
    assert done.outcome.exit_code == 5
    assert done.outcome.warnings == ("output of processes that outlived the command is not kept",)


def test_the_last_words_of_what_outlives_the_command_are_heard(project, monkeypatch):
    monkeypatch.setattr("repro.core.follow.GRACE_S", 60.0)  # the machine may be busy
    done = sh(project, "(sleep .3; echo late) & echo early")

    assert done.out == b"early\nlate\n"
    assert done.outcome.warnings == ()


def test_a_reader_that_goes_away_ends_the_command_as_without_us(project):
    reader, writer = os.pipe()
    os.close(reader)
    live = begin(project)
    command = resolve_command(["yes"], cwd=Path.cwd(), environ=project.environ)
    with Relay() as relay:
        outcome = launch(project, live, command, relay=relay, streams=Streams(0, writer, 2))
    os.close(writer)

    assert outcome.signal == "SIGPIPE"
    assert (live.dir / "output.log").read_bytes().startswith(b"y\n")


def test_a_log_that_cannot_be_written_stops_nothing_and_is_said_once(project, tmp_path):
    def plant(live: LiveRun) -> None:  # a log never follows a symlink
        (live.dir / "output.log").symlink_to(tmp_path / "elsewhere")

    done = sh(project, "echo 12345; sleep .1; echo 67890", on_start=plant)

    assert done.out == b"12345\n67890\n"
    assert done.outcome.status == Status.FINISHED
    [warning] = done.outcome.warnings
    assert warning.startswith("12 bytes of output are not kept: ")
    assert [warning] == [record["v"] for record in done.records("warning")]
    assert [record["lost"] for record in done.records("output")] == [12]
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_counts_what_a_full_disk_refuses():
    log = OutputLog(Path("/dev/full"))
    log.write(b"12345")
    log.write(b"678")
    log.close()

    assert (log.lost, log.reason) == (8, "No space left on device")


def test_a_command_that_the_system_cannot_start_is_a_failed_run(project):
    write_files(Path.cwd(), {"broken": b"\x7fELF but not really"})
    Path("broken").chmod(0o755)

    live: list[LiveRun] = []
    with pytest.raises(CommandError) as caught:
        run_launch(project, ["./broken", "x" * (1 << 18)], on_start=live.append)

    assert caught.value.exit_code == 126
    run = seal_run(project, live[0].dir).run
    assert (run.status, run.exit_code) == (Status.FAILED, 126)


def test_a_script_without_an_interpreter_line_is_given_to_the_shell(project):
    write_files(Path.cwd(), {"script": 'echo "$0 $1"\n'})
    Path("script").chmod(0o755)

    done = run_launch(project, ["./script", "word"])

    assert done.out.split(b"/")[-1] == b"script word\n"


def test_while_the_command_runs_the_run_lives_even_without_its_parent(project, tmp_path):
    seen: list[dict] = []

    def look() -> None:
        [folder] = project.live.iterdir()
        seen.append(json.loads((folder / "child.json").read_bytes()))
        process = find_process(seen[0]["pid"])
        seen.append(process.as_json() if process else {})
        (tmp_path / "go").touch()

    thread = when(tmp_path / "up", look)
    done = sh(
        project,
        'until test -e "$REPRO_LIVE_DIR/child.json"; do sleep .01; done;'
        f" touch {tmp_path}/up; until test -e {tmp_path}/go; do sleep .01; done",
    )
    thread.join()

    assert seen[0] == seen[1]
    # Until it is sealed nobody else may take it for lost.
    assert is_live(done.live.dir, host=host_name(), now=0.0)


def test_metrics_files_and_artifacts_that_are_new_belong_to_the_run(repository):
    write_files(
        repository,
        {
            "repro.yaml": "metrics: [metrics.json, log.csv]\nartifacts: [models/*.pt]\n",
            "models/old.pt": "old",
        },
    )
    project = open_here(repository, clock=time.time)
    script = (
        "mkdir -p models; echo new > models/new.pt;"
        ' echo \'{"acc": 0.9, "bad": NaN}\' > metrics.json;'
        r" printf 'step,loss\n1,0.5\nx,0\n' > log.csv"
    )
    done = sh(project, script)

    assert [(record["s"], record["m"]) for record in done.records("log")] == [
        (1, {"loss": 0.5}),
        (0, {"acc": 0.9, "bad": "NaN"}),
    ]
    assert [record["path"] for record in done.records("artifact")] == ["models/new.pt"]
    [warning] = done.outcome.warnings
    assert warning == "`log.csv` line 3: no whole number as step; the line is left out"
    run = seal_run(project, done.live.dir).run
    assert (warning,) == run.warnings
    ref = f"refs/repro/runs/{run.id}"
    assert git(repository, "show", f"{ref}:artifacts/models/new.pt") == "new"


def test_a_value_from_a_file_joins_the_last_step_that_the_script_logged(repository):
    write_files(repository, {"repro.yaml": "metrics: [metrics.json]\n"})
    project = open_here(repository, clock=time.time)

    def log_steps(live: LiveRun) -> None:
        for step in range(5):
            live.journal.log(step, time.time(), {"loss": 1.0})

    done = sh(project, "echo '{\"loss\": 0.5}' > metrics.json", on_start=log_steps)

    assert [(one["s"], one["m"]) for one in done.records("log")][-1] == (4, {"loss": 0.5})


def test_on_a_terminal_the_command_has_one_of_the_same_size(project):
    outer, inner = os.openpty()
    termios.tcsetwinsize(inner, (33, 99))
    live = begin(project)
    script = (
        "import os; size = os.get_terminal_size();"
        " print(os.isatty(1), os.isatty(2), size.lines, size.columns, os.getsid(0) == os.getpid())"
    )
    command = resolve_command(
        [sys.executable, "-c", script], cwd=Path.cwd(), environ=project.environ
    )
    reader = Reader(outer)
    with Relay() as relay:
        launch(project, live, command, relay=relay, streams=Streams(0, inner, inner))
    os.close(inner)

    said = b"True True 33 99 True\r\n"
    assert said == (live.dir / "output.log").read_bytes()
    assert reader.end().replace(b"\r\r", b"\r") == said


def test_all_output_of_a_short_command_comes_through_a_terminal(project):
    outer, inner = os.openpty()
    live = begin(project)
    command = resolve_command(["seq", "20000"], cwd=Path.cwd(), environ=project.environ)
    reader = Reader(outer)
    with Relay() as relay:
        launch(project, live, command, relay=relay, streams=Streams(0, inner, inner))
    os.close(inner)
    reader.end()

    expected = b"".join(b"%d\r\n" % i for i in range(1, 20001))
    assert expected == (live.dir / "output.log").read_bytes()


def test_a_redirected_stderr_stays_apart_on_a_terminal(project):
    outer, inner = os.openpty()
    err_reader, err = os.pipe()
    live = begin(project)
    command = resolve_command(
        [SH, "-c", "echo out; echo err >&2"], cwd=Path.cwd(), environ=project.environ
    )
    reader = Reader(outer)
    with Relay() as relay:
        launch(project, live, command, relay=relay, streams=Streams(0, inner, err))
    os.close(inner)
    os.close(err)

    assert b"err" not in reader.end()
    assert os.read(err_reader, 100) == b"err\n"
    os.close(err_reader)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "bin"
    write_files(place, {"tool": "#!/bin/sh\n", "plain": "x", "lost": "#!/no/such/sh\n"})
    (place / "tool").chmod(0o755)
    (place / "lost").chmod(0o755)
    (place / "folder").mkdir()
    return place


def test_a_program_is_found_on_the_path_of_the_project(folder):
    command = resolve_command(["tool", "-x"], cwd=folder, environ={"PATH": f"/nowhere:{folder}"})

    assert (("tool", "-x"), folder / "tool", folder) == (
        command.argv,
        command.program,
        command.cwd,
    )


def test_a_path_with_a_slash_is_relative_to_the_folder_of_the_command(folder):
    assert folder / "tool" == resolve_command(["./tool"], cwd=folder, environ={}).program


@pytest.mark.parametrize(
    ("word", "exit_code", "message"),
    [
        ("absent", 127, "`absent` is not found on the PATH"),
        ("./absent", 127, "`./absent` is not found"),
        ("a\0b", 127, "`a\0b` is not found on the PATH"),
        ("plain", 126, "`plain` is not executable"),
        ("./plain", 126, "`./plain` is not executable"),
        ("./folder", 126, "`./folder` is a folder, not a program"),
        ("lost", 126, "`lost` is not executable: its interpreter `/no/such/sh` does not exist"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_shells_exit_code(folder, word, exit_code, message):
    with pytest.raises(CommandError) as caught:
        resolve_command([word], cwd=folder, environ={"PATH": str(folder)})

    assert (exit_code, message) == (caught.value.exit_code, caught.value.message)


def test_a_script_named_without_its_interpreter_gets_a_hint(folder):
    write_files(folder, {"train.py": "x"})

    with pytest.raises(CommandError) as caught:
        resolve_command(["train.py"], cwd=folder, environ={"PATH": "/nowhere"})

    assert caught.value.hint == "`repro run -- python train.py`"


def test_no_command_is_a_usage_error(folder):
    with pytest.raises(UsageError):
        resolve_command([], cwd=folder, environ={})


def test_samples_say_what_machine_and_processes_use():
    samples: list[dict[str, float]] = []
    came = threading.Event()
    sampler = Sampler(
        os.getpid(),
        {"PATH": ""},
        lambda sample: (samples.append(sample), came.set()),
        delay_s=0.0,
        interval_s=0.01,
    )
    sampler.start()
    assert came.wait(20)
    sampler.stop()
    count = len(samples)
    time.sleep(0.1)

    assert count == len(samples)
    assert {
        "cpu_percent",
        "memory_used_bytes",
        "memory_percent",
        "process_cpu_percent",
        "process_memory_bytes",
        "process_count",
    } == set(samples[0])
    assert samples[0]["process_memory_bytes"] > 1 << 20


def test_the_first_sample_is_no_share_of_nothing(monkeypatch: pytest.MonkeyPatch):
    shares = chain([0.0], repeat(42.0))  # as psutil says, which has nothing to compare with first
    monkeypatch.setattr("psutil.cpu_percent", lambda: next(shares))
    came: SimpleQueue[dict[str, float]] = SimpleQueue()
    sampler = Sampler(os.getpid(), {"PATH": ""}, came.put, delay_s=0.0, interval_s=0.01)
    sampler.start()
    first = came.get(timeout=20)
    sampler.stop()
    assert first["cpu_percent"] == 42.0


def test_a_short_run_imports_no_sampler():
    sampler = Sampler(os.getpid(), {}, lambda _: pytest.fail("too early"))
    sampler.start()
    sampler.stop()


def test_gpus_are_read_with_units_and_gaps():
    text = "0, 87, 1024, 24576, 61, 250.5\n1, [N/A], 0, 24576, 40, [N/A]\n"

    assert {
        "gpu0_utilization_percent": 87.0,
        "gpu0_memory_used_bytes": float(1 << 30),
        "gpu0_memory_total_bytes": float(24 << 30),
        "gpu0_temperature_celsius": 61.0,
        "gpu0_power_watts": 250.5,
        "gpu1_memory_used_bytes": 0.0,
        "gpu1_memory_total_bytes": float(24 << 30),
        "gpu1_temperature_celsius": 40.0,
    } == parse_gpus(text)


def test_a_sealed_run_holds_the_output_collapsed(project):
    done = sh(project, r"printf '10%%\r20%%\r100%%\ndone\n'")

    run: Run = seal_run(project, done.live.dir).run

    shown = git(project.repository.root, "show", f"refs/repro/runs/{run.id}:output.log")
    assert shown == "100%\ndone"


@pytest.fixture
def ready(tmp_path, monkeypatch):
    """The file by which a command that began ends its time."""
    end_time_once(monkeypatch, tmp_path / "ready")
    return tmp_path / "ready"


def test_a_command_that_takes_too_long_is_told_to_end(project):
    done = sh(project, "echo on; exec sleep 60", timeout_s=0.5)

    assert (done.outcome.status, done.outcome.signal) == (Status.KILLED, "SIGTERM")
    assert "longer than 0.5 s" in done.outcome.warnings[-1]


def test_a_command_that_does_not_end_when_its_time_is_over_is_killed(project, ready, monkeypatch):
    monkeypatch.setattr("repro.core.deadline.GRACE_S", 0.2)
    script = f"trap '' TERM; touch {ready}; while :; do sleep 0.1; done"
    done = sh(project, script, timeout_s=500)

    assert (done.outcome.status, done.outcome.signal) == (Status.KILLED, "SIGKILL")


_PARENT = """
import pathlib, subprocess, sys, time
ready, code = sys.argv[1:]
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
print(child.pid, child.stdout.readline() and "", flush=True)
pathlib.Path(ready).touch()
time.sleep(60)
"""


def _is_there(pid: int) -> bool:
    return find_process(pid) is not None


def run_parent(project: Project, ready: Path, child: str) -> Launched:
    """A command that starts another program, and is told to end once that runs."""
    argv = [sys.executable, "-c", _PARENT, str(ready), child]
    return run_launch(project, argv, timeout_s=500)


def test_processes_of_a_command_that_takes_too_long_end_with_it(project, ready):
    done = run_parent(project, ready, "import time; print(flush=True); time.sleep(70)")

    assert done.outcome.signal == "SIGTERM"
    pid = int(done.out.split()[0])
    until(lambda: not _is_there(pid), "its end")


def test_what_a_command_started_has_time_to_write_its_last_words(project, ready, monkeypatch):
    monkeypatch.setattr("repro.core.deadline.GRACE_S", 60.0)  # the machine may be busy
    last = ready.with_name("checkpoint")
    child = f"""
import pathlib, signal, time
def end(*_):
    time.sleep(0.5)
    pathlib.Path({str(last)!r}).touch()
    raise SystemExit
signal.signal(signal.SIGTERM, end)
print(flush=True)
time.sleep(70)
"""
    run_parent(project, ready, child)

    assert last.exists()


def test_what_a_command_started_and_does_not_end_is_killed(project, ready, monkeypatch):
    monkeypatch.setattr("repro.core.deadline.GRACE_S", 0.2)
    child = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(flush=True)
time.sleep(70)
"""
    done = run_parent(project, ready, child)

    assert done.outcome.signal == "SIGTERM"
    pid = int(done.out.split()[0])
    until(lambda: not _is_there(pid), "its end")
