"""uv, or venv with pip: the programs that make a virtual environment and fill it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer

from repro.model.requirements import Kind, Requirement
from repro.model.secrets import redact_text
from repro.store.index_settings import read_index_settings
from repro.store.probe import ask_program

OnLine = Callable[[str], None]

_TIMEOUT_S = 3600.0  # a build of a large source distribution takes as long
_QUICK_S = 120.0  # for what uses no network
_MOST_LINES = 4000  # kept of what a program says
_LONGEST_REASON = 400  # characters
_LONGEST_BUILD = 160  # of what a build said
_FIRST_PIP = (22, 3)  # that fills an environment it is not in
_FIRST_UV = (0, 5)
_UV_VERSION = re.compile(rb"uv ([0-9]+)\.([0-9]+)")
_PIP_VERSION = re.compile(rb"pip ([0-9]+)\.([0-9]+)")
_SEEDS = ("setuptools", "pip")  # that venv puts in by itself; pip last, for it takes itself out
# What the user may have set of these for other projects must not reach an environment that is
# to be as recorded: they add packages, move them elsewhere or choose other versions.
_UV_KEPT = re.compile(
    r"UV_(CACHE_DIR|CONCURRENT_.*|HTTP_.*|REQUEST_TIMEOUT|LINK_MODE|NATIVE_TLS|SYSTEM_CERTS|OFFLINE"
    r"|KEYRING_PROVIDER|INDEX_.*_(USERNAME|PASSWORD)|PYTHON_INSTALL_DIR|INSECURE_HOST|NO_CACHE"
    r"|INDEX_STRATEGY)\Z"
)
_PIP_KEPT = re.compile(
    r"PIP_(CONFIG_FILE|CERT|CLIENT_CERT|TRUSTED_HOST|PROXY|TIMEOUT|DEFAULT_TIMEOUT|RETRIES"
    r"|CACHE_DIR|NO_CACHE_DIR|KEYRING_PROVIDER|ONLY_BINARY|NO_BINARY|PREFER_BINARY)\Z"
)
_DROPPED = re.compile(
    r"(VIRTUAL_ENV.*|CONDA_PREFIX|CONDA_DEFAULT_ENV|PYTHON.*|__PYVENV_LAUNCHER__"
    r"|GIT_(DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY|PREFIX))\Z"
)
_YANKED = re.compile(r"(?:`([^`]+)` is yanked|yanked version: '([^']+)')")
_UNBUILT = re.compile(r"Failed to (?:build|download and build) `")
_TELLING = re.compile(r"\s*(?:×|╰─▶|├─▶|(?i:error:|cause:|caused by:|fatal:))\s*(.*)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended.

    Attributes:
        error: Why it failed, in a line without credentials; None where it did not.
        yanked: What it installed though it was withdrawn from its index.
    """

    error: str | None = None
    yanked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Installer:
    """What makes environments.

    Attributes:
        uv: Its path; None where venv and pip must do.
        environ: The user's environment, less what would change the outcome.
        held: A descriptor that all programs get, which tells others that they are at work.
        pips: Of environments made without a pip, the interpreter whose pip fills them.
    """

    uv: str | None
    environ: Mapping[str, str]
    on_line: OnLine = field(default=lambda _: None)
    held: int | None = None
    pips: dict[Path, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What to call it."""
        return "uv" if self.uv else "venv and pip"

    def create(self, folder: Path, python: str, *, prompt: str) -> Outcome:
        """Make an environment at `folder`, which must not exist, for the interpreter `python`."""
        if self.uv:
            # Relocatable: its programs start whatever the path of the folder holds, such as quotes.
            argv = [self.uv, "venv", *_UV, "--no-project", "--relocatable", "--prompt", prompt]
            argv += ["--python", python, str(folder)]
            return self._run(argv, folder.parent, timeout_s=_QUICK_S)
        pip = self._find_pip(python, folder.parent)
        if pip is not None:
            self.pips[folder] = pip
        without = ["--without-pip"] if pip else []
        argv = [python, "-I", "-m", "venv", *without, "--prompt", prompt, str(folder)]
        return self._run(argv, folder.parent, timeout_s=_QUICK_S)

    def install_kept(self, folder: Path, requirements: Sequence[Requirement]) -> Outcome:
        """Do as `install` with what uv keeps in its cache, where that is all of it; else nothing.

        It asks nobody, and builds nothing: it takes no longer than looking.
        """
        if not self.uv:
            return Outcome("pip cannot tell what it keeps")
        return self._install(folder, requirements, ("--offline", "--no-build"))

    def install(
        self,
        folder: Path,
        requirements: Sequence[Requirement],
        *,
        timeout_s: float = _TIMEOUT_S,
    ) -> Outcome:
        """Put exactly these into an environment, and nothing that they depend on."""
        yanked: tuple[str, ...] = ()
        for group in self._groups(requirements):
            outcome = self._install(folder, group, timeout_s=timeout_s)
            yanked += outcome.yanked
            if outcome.error is not None:
                return Outcome(outcome.error, yanked)
        return Outcome(None, yanked)

    def has_cached(self, python: str, requirements: Sequence[Requirement]) -> bool:
        """Whether uv could install these without any network; pip cannot tell.

        Args:
            python: The interpreter that they are for.
            requirements: Of an index; the others count as not kept.
        """
        if not self.uv or any(one.kind is not Kind.INDEX for one in requirements):
            return False
        said: list[str] = []
        argv = [self.uv, "pip", "install", *_UV, "--offline", "--dry-run", "--no-deps"]
        argv += ["--no-progress", "--python", python]
        argv += [f"{one.name}=={one.version}" for one in requirements]
        outcome = _run_program(argv, self.environ, Path("/"), said.append, _QUICK_S)
        return outcome.error is None and not any("Would download" in line for line in said)

    def finish(self, folder: Path, names: Iterable[str]) -> Outcome:
        """Take out what venv put in by itself where it is not in `names`."""
        if self.uv or folder in self.pips:
            return Outcome()
        extra = [name for name in _SEEDS if name not in set(names)]
        there = [name for name in extra if any(folder.glob(f"lib/*/site-packages/{name}"))]
        if not there:
            return Outcome()
        argv = [*self._pip(folder), "uninstall", "--yes", "-q"]
        return self._run([*argv, *there], folder.parent, timeout_s=_QUICK_S)

    def download(self, folder: Path, requirements: Sequence[Requirement], target: Path) -> Outcome:
        """Put the wheels that the pip of an environment would install into the folder `target`."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt", prefix="requirements-") as file:
            file.write("".join(f"{one.line}\n" for one in requirements))
            file.flush()
            argv = [*self._pip(folder), "download", "--no-deps", "--no-input", "-q"]
            argv += ["--disable-pip-version-check", "--progress-bar", "off"]
            argv += ["--only-binary", ":all:", "--dest", str(target), "-r", file.name]
            return self._run(argv, folder.parent, timeout_s=_TIMEOUT_S)

    def _groups(self, requirements: Sequence[Requirement]) -> list[list[Requirement]]:
        """Parts that can be asked for at once.

        For pip one hash means that all must have one; it replaces itself at the end.
        """
        if self.uv:
            return [list(requirements)]
        pip = [one for one in requirements if one.name == "pip"]
        others = [one for one in requirements if one.name != "pip"]
        hashed = [one for one in others if one.hashes and "--hash" in one.line]
        plain = [one for one in others if one not in hashed]
        return [group for group in (hashed, plain, pip) if group]

    def _install(
        self,
        folder: Path,
        requirements: Sequence[Requirement],
        options: Sequence[str] = (),
        *,
        timeout_s: float = _TIMEOUT_S,
    ) -> Outcome:
        python = str(folder / "bin" / "python")
        with tempfile.NamedTemporaryFile("w", suffix=".txt", prefix="requirements-") as file:
            file.write("".join(f"{one.line}\n" for one in requirements))
            file.flush()
            if self.uv:
                argv = [self.uv, "pip", "install", *_UV, "--python", python]
                argv += ["--no-deps", "--no-progress", *options, "-r", file.name]
                if not self.environ.get("UV_INDEX_STRATEGY"):  # all indexes count, as for pip
                    argv += ["--index-strategy", "unsafe-best-match"]
                if self.environ.get("PIP_NO_INDEX"):
                    argv.append("--no-index")
            else:
                argv = [*self._pip(folder), "install", "--no-deps", "--no-input"]
                argv += ["--disable-pip-version-check", "--no-warn-script-location"]
                argv += ["--progress-bar", "off", "-r", file.name]
            return self._run(argv, folder.parent, timeout_s=timeout_s)

    def _find_pip(self, python: str, cwd: Path) -> str | None:
        """An interpreter that has a pip for all environments; to put one in takes seconds."""
        for candidate in dict.fromkeys((python, os.path.realpath(python))):
            argv = [candidate, "-I", "-m", "pip", "--version"]
            answer = ask_program(argv, environ=self.environ, cwd=cwd, timeout_s=_QUICK_S)
            match = _PIP_VERSION.match(answer.out)
            if match and (int(match[1]), int(match[2])) >= _FIRST_PIP:
                return candidate
        return None

    def _pip(self, folder: Path) -> list[str]:
        python = str(folder / "bin" / "python")
        if folder in self.pips:
            return [self.pips[folder], "-I", "-m", "pip", "--python", python]
        return [python, "-I", "-m", "pip"]

    def _run(self, argv: Sequence[str], cwd: Path, *, timeout_s: float) -> Outcome:
        """Run it in a folder of ours, so that no settings of a project are read by accident."""
        return _run_program(argv, self.environ, cwd, self.on_line, timeout_s, self.held)


_UV = ("--no-config", "--no-python-downloads", "--color", "never")


def open_installer(
    environ: Mapping[str, str], *, on_line: OnLine = lambda _: None, held: int | None = None
) -> Installer:
    """Give uv where it is found and new enough, else venv and pip.

    uv is looked for on the PATH, beside our own interpreter and among its programs.

    Args:
        environ: The user's; `REPRO_UV=off` in it leaves uv out.
        on_line: Is told each line that a program prints.
        held: A descriptor that all programs get.
    """
    uv = find_uv(environ)
    if uv is not None and not _is_new_enough(uv, environ):
        uv = None
    return Installer(uv, _installing(environ), on_line, held)


@dataclass(frozen=True, slots=True)
class Pip:
    """The pip of an interpreter, which downloads what fits that."""

    installer: Installer
    folder: Path

    def download(self, requirements: Sequence[Requirement], target: Path) -> str | None:
        """Put the wheels of these into a folder; why that failed, None where it did not.

        Only wheels: to learn the name of a source distribution, pip would execute it.
        """
        return self.installer.download(self.folder, requirements, target).error


def open_pip(environ: Mapping[str, str], folder: Path, python: str) -> tuple[Pip | None, str]:
    """Make an environment for `python` at `folder` whose pip can be used; else the reason."""
    installer = Installer(None, _installing(environ))
    outcome = installer.create(folder, python, prompt="repro")
    if outcome.error is not None:
        return None, outcome.error
    return Pip(installer, folder), ""


def _is_new_enough(uv: str, environ: Mapping[str, str]) -> bool:
    """Whether uv has the options that it is given; an older one would read other settings."""
    answer = ask_program([uv, "--version"], environ=environ, cwd=Path("/"), timeout_s=_QUICK_S)
    match = _UV_VERSION.match(answer.out)
    return match is not None and (int(match[1]), int(match[2])) >= _FIRST_UV


def find_uv(environ: Mapping[str, str]) -> str | None:
    """The path of uv; None where it is not installed, or `REPRO_UV=off` is set."""
    if environ.get("REPRO_UV") == "off":
        return None
    found = shutil.which("uv", path=environ.get("PATH") or os.defpath)
    if found is not None:
        return found
    folders = (Path(sys.executable).parent, Path(sysconfig.get_path("scripts")))
    return next((str(one / "uv") for one in folders if os.access(one / "uv", os.X_OK)), None)


def _installing(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if _is_kept(name)}
    settings = read_index_settings(environ)
    main, more = settings.indexes[:1], settings.indexes[1:]
    told = {
        "PIP_INDEX_URL": " ".join(main),
        "PIP_EXTRA_INDEX_URL": " ".join(more),
        "PIP_FIND_LINKS": " ".join(settings.find_links),
        "PIP_NO_INDEX": "" if main else "1",
        "UV_DEFAULT_INDEX": " ".join(main),
        "UV_INDEX": " ".join(more),
        "UV_FIND_LINKS": ",".join(settings.find_links),
        "SSL_CERT_FILE": settings.cert or "",
    }
    kept |= {name: value for name, value in told.items() if value}
    return kept | {"GIT_TERMINAL_PROMPT": "0", "NO_COLOR": "1", "PYTHONUTF8": "1"}


def _is_kept(name: str) -> bool:
    if name.startswith("UV_"):
        return _UV_KEPT.match(name) is not None
    if name.startswith("PIP_"):
        return _PIP_KEPT.match(name) is not None
    return _DROPPED.match(name) is None


def _run_program(
    argv: Sequence[str],
    environ: Mapping[str, str],
    cwd: Path,
    on_line: OnLine,
    timeout_s: float,
    held: int | None = None,
) -> Outcome:
    """Run a program to its end; it ends with us, and after `timeout_s` with all it started."""
    try:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=() if held is None else (held,),
        )
    except (OSError, ValueError) as error:
        return Outcome(f"`{argv[0]}` cannot be run: {error}")
    is_late = False

    def stop() -> None:
        nonlocal is_late
        is_late = True
        _kill(process.pid)

    timer = Timer(timeout_s, stop)
    timer.daemon = True
    timer.start()
    lines: list[str] = []
    assert process.stdout is not None
    try:
        with process.stdout:
            for raw in process.stdout:
                line = raw.decode(errors="replace").rstrip()
                if len(lines) < _MOST_LINES:
                    lines.append(line)
                on_line(line)
        code = process.wait()
    except BaseException:
        _kill(process.pid)
        process.wait()
        raise
    finally:
        timer.cancel()
    yanked = tuple(one or other for line in lines for one, other in _YANKED.findall(line))
    if is_late:
        return Outcome(f"it was not done after {timeout_s / 60:g} minutes", yanked)
    return Outcome(None if code == 0 else _reason(lines, code), yanked)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _reason(lines: Sequence[str], code: int) -> str:
    """What a failing program said, in a line."""
    said = [line.strip() for line in lines if line.strip()]
    if any(_UNBUILT.search(line) for line in said):
        return _why_unbuilt(said)
    telling = [match[1].strip(" :") for line in said if (match := _TELLING.match(line))]
    text = ": ".join(telling or said[-2:]) or f"exit code {code}"
    return _in_a_line(text, _LONGEST_REASON)


def _why_unbuilt(said: Sequence[str]) -> str:
    """The last that the build said itself, in what uv shows of it."""
    heads = [i for i, line in enumerate(said) if line.endswith(("[stdout]", "[stderr]"))]
    start = heads[-1] if heads else len(said)
    own = [text for line in said[start + 1 :] if (text := line.strip("│ ")) and _is_of_build(text)]
    why = f": {_in_a_line(own[-1], _LONGEST_BUILD)}" if own else ""
    return f"its source cannot be built here{why}"


def _is_of_build(line: str) -> bool:
    return not line.startswith(("hint:", "help:"))


def _in_a_line(text: str, longest: int) -> str:
    text = redact_text(re.sub(r"\s+", " ", text))
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
