"""The code and the config that a run would record now."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from repro.core.project import Project
from repro.core.sieve import Sieve
from repro.model.canonical import Json, format_json
from repro.model.config import config_from_command, merge_config
from repro.model.globs import matcher
from repro.model.marking import without_keys
from repro.model.run import Omitted
from repro.model.secrets import is_secret_file, redact_argv, redact_config
from repro.store.clonekey import read_marker
from repro.store.git import Identity
from repro.store.leftout import Limits, holds_none
from repro.store.paramsfile import read_config_files
from repro.store.quarantine import CommitSpec, Existing, Quarantine, write_commits
from repro.store.settings import Settings
from repro.store.snapshot import Snapshot, take_snapshot

MOST_OMITTED = 1000  # entries in a record


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The exact code, in a quarantine until it is published.

    Attributes:
        base: The commit HEAD named, None before the first commit.
        branch: None when HEAD is detached.
        tree: Tree of the working tree.
        snapshot: Commit of that tree; the base itself if that is its tree.
        anchor: Commit that reaches the snapshot and the submodules' trees.
        submodules: Tree of each submodule that its remotes could not give back, by path.
        converted: Paths that come back with other line ends, by git's settings.
        secrets: Warnings of files that are left out for a secret in them.
    """

    base: str | None
    branch: str | None
    tree: str
    snapshot: str
    anchor: str
    omitted: tuple[Omitted, ...]
    submodules: Mapping[str, str]
    converted: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def is_dirty(self) -> bool:
        """Whether the working tree is not the base's."""
        return self.snapshot != self.base


def fold_omitted(found: Sequence[Omitted], most: int = MOST_OMITTED) -> tuple[Omitted, ...]:
    """At most so many entries for what was left out, so that a record stays small.

    Where there are more, files of one folder and reason become one entry, the deepest first: its
    path ends in `/`, its size is theirs together. Half a million files would else make a record
    larger than a reader takes.
    """
    depth = max((one.path.count("/") for one in found), default=0)
    while len(found) > most and depth >= 0:
        groups: dict[tuple[str, str], list[Omitted]] = {}
        for one in found:
            parts = one.path.split("/")
            folder = "/".join([*parts[:depth], ""]) or "./"
            groups.setdefault((folder if len(parts) > depth else one.path, one.reason), []).append(
                one
            )
        found = [
            group[0]
            if len(group) == 1
            else Omitted(folder, sum(one.size or 0 for one in group), reason)
            for (folder, reason), group in groups.items()
        ]
        depth -= 1
    return tuple(sorted(found, key=lambda one: one.path))


def limits_of(settings: Settings, data: Sequence[str] = (), sieve: Sieve | None = None) -> Limits:
    """What `repro.yaml` says a snapshot leaves out.

    Args:
        sieve: Says which files hold a secret, where that matters.
        data: Paths of datasets that it does not name, relative to the root; their files are
            pinned, not copied.
    """
    is_output = matcher([*settings.metrics, *settings.artifacts])
    is_data = _below([*(entry.path for entry in settings.data.values()), *data])
    return Limits(
        max_file=settings.max_file,
        max_total=settings.max_total,
        is_excluded=matcher(settings.exclude),
        is_secret=is_secret_file,
        is_produced=lambda path: is_output(path) or is_data(path),
        holds_secret=(sieve.holds_secret if sieve else holds_none),
    )


def _below(folders: Sequence[str]) -> Callable[[str], bool]:
    """Give a test whether a path is one of `folders`, or in one."""
    tops = tuple(os.path.normpath(folder) for folder in folders)
    starts = tuple(f"{top}/" for top in tops)
    return lambda path: path.startswith(starts) or path in tops


def take_code(project: Project, quarantine: Quarantine, data: Sequence[str] = ()) -> Snapshot:
    """Write the working tree into the quarantine, without a commit of it yet.

    Args:
        data: Paths of datasets that `repro.yaml` does not name.
    """
    sieve = Sieve(project)
    limits = replace(limits_of(project.settings, data, sieve), is_strict=True)
    taken = take_snapshot(project.repository, quarantine, limits)
    sieve.save()
    return replace(taken, secrets=sieve.found)


def commit_code(
    quarantine: Quarantine,
    taken: Snapshot,
    *,
    author: Identity,
    when: float,
    title: str,
    beside: Mapping[str, bytes | Existing] | None = None,
) -> Code:
    """Write the snapshot commit of a working tree into the quarantine.

    Args:
        when: Seconds since 1970, the date of the commit.
        title: Subject of the commit message.
        beside: What else must be kept until the record is written, by path in that.
    """
    base = taken.working.base
    is_changed = base is None or taken.tree != taken.working.base_tree
    specs = []
    if is_changed:
        parents = [base] if base else []
        specs.append(
            CommitSpec(message=title, when=when, author=author, parents=parents, tree=taken.tree)
        )
    submodules = {f"submodules/{path}": tree for path, tree in taken.submodules.items()}
    folders = {path: Existing("040000", tree) for path, tree in submodules.items()}
    files: dict[str, bytes | Existing] = {**folders, **(beside or {})}
    if files:
        parent: str | int = 0 if specs else str(base)
        specs.append(
            CommitSpec(
                message=f"{title}: {'submodules' if folders else 'surroundings'}",
                when=when,
                author=author,
                parents=[parent],
                files=files,
            )
        )
    commits = write_commits(quarantine, specs) if specs else []
    snapshot = commits[0] if is_changed else str(base)
    return Code(
        base=base,
        branch=taken.working.branch,
        tree=taken.tree,
        snapshot=snapshot,
        anchor=commits[-1] if commits else snapshot,
        omitted=fold_omitted(taken.omitted),
        submodules=taken.submodules,
        converted=taken.converted,
        secrets=tuple(taken.secrets[path] for path in sorted(taken.secrets)),
    )


def capture_config(
    project: Project, command: Sequence[str], overrides: Mapping[str, Json]
) -> dict[str, Json]:
    """The whole config, later winning: files of `repro.yaml`, the command's options, overrides.

    Values that look like secrets by their names are redacted.

    Raises:
        InvalidInputError: A config file is absent or wrong.
    """
    files = read_config_files(project.repository.root, project.settings.config)
    marker = read_marker(project.repository.private)
    given = config_from_command(redact_argv(command, marker))
    return redact_config(merge_config(files, given, overrides), marker)


def identify(
    tree: str,
    config: Mapping[str, Json],
    data: Mapping[str, Json],
    command: Sequence[str],
    environment: Mapping[str, Json],
) -> str:
    """One hash over all conditions of a run; equal means "we tried this" (FORMAT.md "Identity")."""
    packages = environment.get("packages")
    digests = {name: _digest(entry) for name, entry in data.items()}
    conditions: dict[str, Json] = {
        "tree": tree,
        "config": without_keys(dict(config)),
        "data": digests,
        "command": without_keys(list(command)),
        "packages": _digest(packages),
    }
    return "sha256:" + hashlib.sha256(format_json(conditions)).hexdigest()


def _digest(entry: Json) -> Json:
    return entry.get("digest") if isinstance(entry, dict) else None
