"""A run in progress shown to others: its record so far, under one ref of a git remote.

Each publication takes the place of the one before. Its objects go out of a quarantine and never
enter the repository, so that nothing piles up here.
"""

import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from repro.core.leaks import find_leaks
from repro.core.live import InProgress
from repro.core.pins import manifest_files
from repro.core.project import Project
from repro.core.published import Published, write_published
from repro.core.seal import without_secrets
from repro.core.started import START, read_start, surrounding_files
from repro.errors import ConsentError, RemoteError, ReproError
from repro.model.canonical import format_json
from repro.model.environment import split_launch
from repro.model.run import Record, Status
from repro.model.secrets import redact_config
from repro.model.secretscan import find_secrets
from repro.model.times import parse_time
from repro.store.allowed import allowed_secrets
from repro.store.clonekey import read_marker
from repro.store.history import find_here
from repro.store.introduced import is_introduced
from repro.store.journal import is_live
from repro.store.outgoing import Outgoing, send_refs
from repro.store.quarantine import CommitSpec, Existing, open_quarantine, write_commits
from repro.store.refs import LIVE
from repro.store.remoterefs import GitRemote, RemoteRefs, find_remote, list_remote
from repro.store.runs import encode_record

_Files = dict[str, bytes | Path | Existing]


class _OverError(RemoteError):
    """There is no use in trying again."""


class Publisher:
    """Publishes one run, again and again."""

    def __init__(self, project: Project, run_id: str) -> None:
        self._project = project
        self._run_id = run_id
        self._folder = project.live / run_id
        self._done = Published()
        self._is_over = False
        self._there: RemoteRefs | None = None  # None: the remote is to be asked
        self._sent = ""  # what our ref names there, as far as we know
        self._ours: set[str] = set()
        self._clean: frozenset[str] = frozenset()

    def is_needed(self) -> bool:
        """Whether the run is still in progress, and may be published."""
        if self._is_over or not (self._folder / START).exists():
            return False
        return is_live(self._folder, host=socket.gethostname(), now=self._project.clock())

    def publish(self) -> None:
        """Publish the record so far; a failure is counted, for the end of the run to tell."""
        done = self._done
        try:
            self._publish()
        except (ReproError, OSError) as error:
            self._is_over = isinstance(error, (_OverError, ConsentError))
            self._there = None
            reason = error.message if isinstance(error, ReproError) else str(error)
            self._done = replace(done, failed=done.failed + 1, reason=reason)
        else:
            self._done = replace(done, times=done.times + 1)
        write_published(self._folder, self._done)

    def _publish(self) -> None:
        started = read_start(self._folder)
        if started is None:
            return
        if started.resumed is not None:
            raise _OverError("a run that is continued is not published before it ends")
        git = self._project.repository.git
        remote = find_remote(git, self._project.personal.autopush or None, push=True)
        there = self._ask(remote)
        files = self._files(InProgress(self._folder, started))
        self._refuse_secrets(started.snapshot, files, there)
        spec = CommitSpec(
            message=(
                f"run {self._run_id}: in progress\n\n"
                f"Repro-Run: {self._run_id}\nRepro-Status: {Status.RUNNING}\n"
            ),
            when=self._project.clock(),
            author=started.author,
            parents=[started.snapshot],
            files=files,
        )
        with open_quarantine(self._project.repository) as quarantine:
            [commit] = write_commits(quarantine, [spec])
            self._ours.add(commit)
            outgoing = Outgoing(LIVE + self._run_id, commit, lease=self._sent)
            answered = send_refs(git, remote, [outgoing], env=quarantine.env)
        fault = answered.get(LIVE + self._run_id)
        if fault is not None:
            raise RemoteError(fault.reason, hint=fault.hint)
        self._sent = commit

    def _ask(self, remote: GitRemote) -> RemoteRefs:
        """What the remote has, asked at first and after each failure."""
        if not is_introduced(self._project.repository.private, remote.push_url):
            raise ConsentError(
                f"nothing was pushed to `{remote.label}` from here before",
                hint=f"`repro push {remote.label}` asks",
            )
        if self._there is None:
            there = list_remote(self._project.repository.git, remote, push=True)
            seen = there.live.get(self._run_id, "")
            if self._run_id in there.runs:
                raise _OverError("the remote has this run as one that is over")
            if seen and seen not in self._ours:
                raise _OverError("somebody else publishes a run with this id")
            self._there, self._sent = there, seen
        return self._there

    def _files(self, live: InProgress) -> _Files:
        """The record so far: values without the points, output and artifacts behind them."""
        started = live.started
        record = live.record()
        marker = read_marker(self._project.repository.private)
        environment, launch = split_launch(record.environment)
        so_far = self._project.clock() - parse_time(record.run.started)
        shown = replace(
            record,
            run=without_secrets(replace(record.run, duration_s=round(max(so_far, 0.0), 6)), marker),
            config=redact_config(record.config, marker),
            summary=redact_config(record.summary, marker),
            environment=environment,
            artifacts=(),
        )
        return {
            **encode_record(shown),
            **({"launch.json": format_json(launch)} if launch else {}),
            **{f"submodules/{path}": _folder(tree) for path, tree in started.submodules.items()},
            **surrounding_files(started.editables, started.lockfiles),
            **manifest_files(_manifests(live, shown)),
        }

    def _refuse_secrets(self, snapshot: str, files: _Files, there: RemoteRefs) -> None:
        """Raise if anything that would be sent looks like a secret, as a push would."""
        git = self._project.repository.git
        private = self._project.repository.private
        marker, allowed = read_marker(private), allowed_secrets(git)
        for path, data in files.items():
            if isinstance(data, bytes) and any(
                found.fingerprint not in allowed for found in find_secrets(data, path, marker)
            ):
                raise _OverError(f"`{path}` of its record holds what looks like a secret")
        tips = {snapshot, *(one.oid for one in files.values() if isinstance(one, Existing))}
        if tips <= self._clean:
            return
        named = dict.fromkeys([*there.others.values(), *there.runs.values()])
        leaks = find_leaks(self._project, sorted(tips), list(find_here(git, named)))
        if leaks:
            raise _OverError(f"`{leaks[0].path}` holds what looks like a secret")
        self._clean = frozenset(tips)


def _folder(tree: str) -> Existing:
    return Existing("040000", tree)


def _manifests(live: InProgress, record: Record) -> Mapping[str, str]:
    """The pages of each dataset of a record."""
    return {name: tree for name, tree in live.manifests().items() if name in record.data}
