"""The face for git: what its hooks call, as `repro hook run NAME`, and pre-commit likewise.

A hook runs at each commit of somebody who may not even use repro at that moment: what it needs is
loaded when it is needed, and trouble of ours never stops git. Only a check that was made and
failed does.
"""

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from repro.errors import InvalidInputError, NotARepositoryError, ReproError

if TYPE_CHECKING:
    from repro.core.hooks.pushed import Followed
    from repro.core.measured import Progress
    from repro.core.project import Project
    from repro.model.finding import Finding

# What the hooks of git do, in the order of a day's work.
GIT_HOOKS = {
    "pre-commit": "runs the four checks",
    "prepare-commit-msg": "adds `Repro-Run: <id>` where the commit is the code of a run",
    "commit-msg": "does so for a message that was written in an editor",
    "post-rewrite": "remembers what became of the commits that runs are based on",
    "post-checkout": "says which datasets are not as the commit pins them",
    "post-merge": "does so after a merge",
    "pre-push": "pushes the runs that the pushed commits name",
}
CHECKS = {
    "repro-lock": "a dataset changed, and `repro.lock` does not say so",
    "repro-large-files": "a file is larger than `snapshot.max_file`",
    "repro-secrets": "a file holds what looks like a secret",
    "repro-config": "`repro.yaml` or a params file is wrong",
}
# They cannot say that all is well without having looked.
_STRICT = {"repro-secrets"}
_QUIET_S = 1.0
_MOST_LEAKS = 20


@dataclass(frozen=True)
class Call:
    """How git, or pre-commit, called a hook.

    Attributes:
        words: Behind the name of the hook.
        told: Gives the standard input of the hook.
    """

    name: str
    words: Sequence[str]
    environ: Mapping[str, str]
    told: Callable[[], str]

    def word(self, place: int, variable: str) -> str:
        """A word of git's, which pre-commit puts into a variable; empty where there is none."""
        if place < len(self.words):
            return self.words[place]
        return self.environ.get(f"PRE_COMMIT_{variable}", "")


def main() -> None:
    """Run the hook that the command line `repro hook run NAME …` names, and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = run_hook(sys.argv[3], sys.argv[4:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def run_hook(name: str, words: Sequence[str]) -> int:
    """Run a hook of git, or a check, in this process; its exit code: 1 stops what git is about."""
    call = Call(name, words, os.environ, _read_input)
    if name in CHECKS or name == "pre-commit":
        return _run_checks(call, tuple(CHECKS) if name == "pre-commit" else (name,))
    action = _ACTIONS.get(name)
    if action is None:  # of a shim that is newer than this repro
        _say("repro", f"there is no hook `{name}` in this version: skipped")
        return 0
    try:
        return action(call) or 0
    except ReproError as error:
        _say(name, f"skipped: {error.message}")
        return 0
    except Exception as error:  # noqa: BLE001  # a bug of ours is no reason to stop git
        _say(name, f"skipped by a bug in repro: {type(error).__name__}: {error}")
        return 0


def _read_input() -> str:
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    return sys.stdin.read()


def _say(name: str, line: str) -> None:
    from repro.model.text import escape  # noqa: PLC0415  # most hooks say nothing

    if sys.stderr is not None:
        sys.stderr.write(f"{name}: {escape(line)}\n")


def _open(call: Call, settings: Literal["no", "here", "staged"] = "no") -> "Project | None":
    """The project that git works in; None where it works in another one than is around here.

    Args:
        settings: Which ones it shall have: those of the working tree, or of the commit that is
            being made; half of the hooks need none.

    Raises:
        ReproError: It cannot be opened.
    """
    from repro.core.project import Project  # noqa: PLC0415  # three times all of the above
    from repro.store.git import open_repository  # noqa: PLC0415
    from repro.store.settings import Settings, read_settings  # noqa: PLC0415
    from repro.store.staged import with_index_of_hook  # noqa: PLC0415

    cwd = Path.cwd()
    try:
        repository = open_repository(cwd, call.environ)
    except NotARepositoryError:
        return None  # such as one whose folders are given by GIT_DIR and GIT_WORK_TREE
    git_dir = call.environ.get("GIT_DIR")
    if git_dir and (cwd / git_dir).resolve() != repository.git_dir.resolve():
        return None
    repository = with_index_of_hook(repository, call.environ, cwd)
    project = Project(repository, Settings(), call.environ, time.time, os.urandom)
    try:
        if settings == "here":
            return replace(project, settings=read_settings(repository.root))
        if settings == "staged":
            from repro.core.hooks.settings import read_staged_settings  # noqa: PLC0415

            return replace(project, settings=read_staged_settings(project) or Settings())
    except InvalidInputError:
        pass  # `repro-config` says so; the others go by the defaults
    return project


def _run_checks(call: Call, names: Sequence[str]) -> int:
    skipped = call.environ.get("SKIP", "").split(",")
    wanted = [name for name in names if name not in skipped]
    try:
        project = _open(call, "staged")
    except ReproError as error:
        _say(call.name, f"skipped: {error.message}")
        return int(not _STRICT.isdisjoint(wanted))
    if project is None:
        return 0
    paths = call.words if call.name != "pre-commit" else ()
    return max((_run_check(name, project, paths) for name in wanted), default=0)


def _run_check(name: str, project: "Project", paths: Sequence[str]) -> int:
    try:
        findings = list(_CHECKS[name](project, paths))
    except ReproError as error:
        _say(name, f"could not look: {error.message}")
        return int(name in _STRICT)
    except Exception as error:  # noqa: BLE001  # a bug of ours is no reason to stop git
        _say(name, f"could not look, by a bug in repro: {type(error).__name__}: {error}")
        return int(name in _STRICT)
    for finding in findings:
        _say(name, finding.what)
        if finding.hint:
            _say("hint", finding.hint)
    return int(bool(findings))


def _check_lock(project: "Project", _: Sequence[str]) -> "Sequence[Finding]":
    if not project.settings.data:
        return ()
    from repro.core.hooks.pinned import find_unpinned  # noqa: PLC0415  # loads what hashes

    return find_unpinned(project, on_progress=_say_once("repro-lock", "hashing the datasets …"))


def _check_sizes(project: "Project", paths: Sequence[str]) -> "Sequence[Finding]":
    from repro.core.hooks.sizes import find_large_files  # noqa: PLC0415

    return find_large_files(project, paths)


def _check_secrets(project: "Project", _: Sequence[str]) -> "Sequence[Finding]":
    from repro.core.stagedfiles import list_staged_files  # noqa: PLC0415

    staged = list_staged_files(project)
    if not staged:
        return ()
    from repro.core.hooks.secrets import find_staged_secrets  # noqa: PLC0415  # loads the rules

    return find_staged_secrets(project, staged)


def _check_settings(project: "Project", _: Sequence[str]) -> "Sequence[Finding]":
    from repro.core.hooks.settings import find_invalid_settings  # noqa: PLC0415

    return find_invalid_settings(project)


def _say_once(name: str, line: str) -> "Callable[[Progress], None]":
    """Say something once, if what is waited for takes more than a moment."""
    began = time.monotonic()
    waiting: Iterator[str] = iter([line])

    def report(_: "Progress") -> None:
        if time.monotonic() - began > _QUIET_S:
            for first in waiting:
                _say(name, first)

    return report


_CHECKS: "dict[str, Callable[[Project, Sequence[str]], Sequence[Finding]]]" = {
    "repro-lock": _check_lock,
    "repro-large-files": _check_sizes,
    "repro-secrets": _check_secrets,
    "repro-config": _check_settings,
}


def _annotate(call: Call) -> None:
    source = call.word(1, "COMMIT_MSG_SOURCE")
    if source in ("merge", "squash") or not call.words:
        return
    project = _open(call)
    if project is None:
        return
    from repro.core.hooks.trailer import annotate  # noqa: PLC0415

    annotate(project, Path.cwd() / call.words[0], source=source or None)


def _remember(call: Call) -> None:
    command = call.word(0, "REWRITE_COMMAND")
    project = _open(call)
    if project is None:
        return
    from repro.core.hooks.rewrites import remember_rewrites  # noqa: PLC0415

    remember_rewrites(project, call.told(), command)


def _look_at_data(call: Call) -> None:
    if call.name == "post-checkout":
        if call.word(2, "CHECKOUT_TYPE") != "1":
            return  # files were checked out, no branch
        before, after = call.word(0, "FROM_REF"), call.word(1, "TO_REF")
    else:
        before, after = "ORIG_HEAD", "HEAD"
    if not Path("repro.yaml").exists():
        return
    project = _open(call, "here")
    if project is None or not project.settings.data:
        return
    from repro.core.hooks.moved import did_pins_move  # noqa: PLC0415
    from repro.store.busy import find_operation  # noqa: PLC0415

    # A rebase checks out one commit after the other.
    if find_operation(project.repository) or not did_pins_move(project, before, after):
        return
    from repro.core.hooks.arrived import describe_data  # noqa: PLC0415  # loads what hashes

    line = describe_data(project)
    if line is not None:
        _say("repro", line)


def _push(call: Call) -> int:
    told = call.told() or _told_to_pre_commit(call.environ)
    remote = call.word(0, "REMOTE_NAME") or call.word(1, "REMOTE_URL")
    if not told or not remote:
        return 0
    project = _open(call)
    if project is None:
        return 0
    from repro.core.hooks.named import find_named_runs, parse_moves  # noqa: PLC0415

    run_ids = find_named_runs(project, parse_moves(told), remote)
    if not run_ids:
        return 0
    from repro.core.hooks.pushed import push_named_runs  # noqa: PLC0415  # all that sends
    from repro.core.query import short_id  # noqa: PLC0415
    from repro.errors import RemoteError  # noqa: PLC0415

    short = partial(short_id, project)

    def command(options: str = "") -> str:
        words = " ".join(map(short, run_ids))
        return f"`repro push {options}{shlex.quote(remote)} {words}`"

    try:
        followed = push_named_runs(_open(call, "here") or project, run_ids, remote)
    except RemoteError as error:
        _say("repro", f"the runs that these commits name were not pushed: {error.message}")
        _say("hint", command())
        return 0
    return _say_pushed(followed, command, short)


def _told_to_pre_commit(environ: Mapping[str, str]) -> str:
    """The line of the one ref that pre-commit says is pushed, as git writes it."""
    branch = environ.get("PRE_COMMIT_LOCAL_BRANCH", "")
    local = environ.get("PRE_COMMIT_TO_REF") or branch
    if not local:
        return ""
    remote = environ.get("PRE_COMMIT_FROM_REF", "")
    return f"{branch or local} {local} {branch or local} {remote or '0' * 40}"


def _say_pushed(
    followed: "Followed", command: Callable[[str], str], short: Callable[[str], str]
) -> int:
    """What became of the runs that pushed commits name; whether the push is to be refused."""
    for leak in followed.leaks[:_MOST_LEAKS]:
        line = f" line {leak.line}" if leak.line else ""
        run = short(leak.run)
        _say("repro", f"run {run} holds what looks like a secret: `{leak.path}`{line}")
        _say("hint", f"`repro push {run} --dry-run` says more")
    if followed.sent:
        _say("repro", f"pushed {_runs(followed.sent, short)} to {followed.remote}")
    if followed.unasked:
        first = f"no run was pushed to {followed.remote} from here before"
        _say("repro", f"{first}: {_stay(followed.unasked, short)}")
        _say("hint", command(""))
    if followed.unkept:
        _say(
            "repro",
            f"not pushed, as bytes of theirs are not in the store: {_runs(followed.unkept, short)}",
        )
        _say("hint", command("--data "))
    for refusal in followed.refused:
        _say("repro", f"run {short(refusal.run)} is not pushed: {refusal.reason}")
    return int(bool(followed.leaks))


def _stay(run_ids: Sequence[str], short: Callable[[str], str]) -> str:
    verb = "stay" if len(run_ids) > 1 else "stays"
    return f"{_runs(run_ids, short)}, which these commits name, {verb} here"


def _runs(run_ids: Sequence[str], short: Callable[[str], str]) -> str:
    return f"run{'s' if len(run_ids) > 1 else ''} {', '.join(map(short, run_ids))}"


_ACTIONS: "dict[str, Callable[[Call], int | None]]" = {
    "prepare-commit-msg": _annotate,
    "commit-msg": _annotate,
    "post-rewrite": _remember,
    "post-checkout": _look_at_data,
    "post-merge": _look_at_data,
    "pre-push": _push,
}
