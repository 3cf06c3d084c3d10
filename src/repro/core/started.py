"""What was known of a run when it started, kept in `start.json` of its live folder."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repro.atomic import write_file
from repro.core.project import Project
from repro.errors import DamagedRecordError, InvalidInputError
from repro.model.canonical import MAX_BYTES, Json, format_json, parse_json
from repro.model.configfile import format_config, parse_config
from repro.model.run import Run
from repro.store.git import Identity
from repro.store.objects import is_oid
from repro.store.quarantine import Existing
from repro.store.refs import LIVE, LIVE_DATA, RefUpdate, list_refs, update_refs
from repro.store.runs import decode_run, encode_run

START = "start.json"
REPLAY = "replay.json"  # states of generators that `repro.init()` sets back
EDITABLES = "editables"  # folders of a record
LOCKFILES = "environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The conditions of a run in progress.

    Attributes:
        run: With status `running`.
        anchor: What `refs/repro/live/<id>` names.
        submodules: Tree of each recorded submodule, by path.
        manifests: Tree of the pages of each dataset, by name.
        editables: Tree of each package in place elsewhere, by name.
        lockfiles: Blob of each lock file that is kept, by path.
        resumed: The run commit that this attempt continues.
        randomness: Where its random numbers come from, as `RandomPlan.to_json` says it.
        journal: File name of the journal whose `end` record counts.
    """

    run: Run
    config: Mapping[str, Json]
    environment: Mapping[str, Json]
    data: Mapping[str, Json]
    author: Identity
    anchor: str
    submodules: Mapping[str, str]
    resumed: str | None
    journal: str
    manifests: Mapping[str, str] = field(default_factory=dict)
    randomness: Mapping[str, Json] = field(default_factory=dict)
    editables: Mapping[str, str] = field(default_factory=dict)
    lockfiles: Mapping[str, str] = field(default_factory=dict)

    @property
    def snapshot(self) -> str:
        """The commit whose tree is the code."""
        return self.run.snapshot or self.anchor

    def to_json(self) -> dict[str, Json]:
        """As `start.json` says it."""
        return {
            "run": encode_run(self.run),
            # As config.yaml: canonical JSON would sort its keys, and it keeps the order given.
            "config": format_config(self.config).decode(),
            "environment": dict(self.environment),
            "data": dict(self.data),
            "author": {"name": self.author.name, "email": self.author.email},
            "anchor": self.anchor,
            "submodules": dict(self.submodules),
            "resumed": self.resumed,
            "journal": self.journal,
            "manifests": dict(self.manifests),
            "randomness": dict(self.randomness),
            "editables": dict(self.editables),
            "lockfiles": dict(self.lockfiles),
        }

    @classmethod
    def from_json(cls, value: Any, name: str) -> "Started":
        """Read what `to_json` wrote.

        Raises:
            DamagedRecordError: `value` has another shape; the message names the file `name`.
        """
        try:
            return cls(
                run=decode_run(value["run"], name),
                config=parse_config(value["config"].encode(), name=name),
                environment=dict(value["environment"]),
                data=dict(value["data"]),
                author=Identity(str(value["author"]["name"]), str(value["author"]["email"])),
                anchor=_oid(value["anchor"]),
                submodules=_oids(value["submodules"]),
                resumed=None if value["resumed"] is None else _oid(value["resumed"]),
                journal=str(value["journal"]),
                manifests=_oids(value.get("manifests", {})),
                randomness=dict(value.get("randomness", {})),
                editables=_oids(value.get("editables", {})),
                lockfiles=_oids(value.get("lockfiles", {})),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DamagedRecordError(f"`{name}` is not what repro wrote: {error!r}") from error


def surrounding_files(
    editables: Mapping[str, str], lockfiles: Mapping[str, str]
) -> dict[str, Existing]:
    """What a record must hold for packages and lock files whose objects are known."""
    return {
        **{f"{LOCKFILES}/{path}": Existing("100644", oid) for path, oid in lockfiles.items()},
        **{f"{EDITABLES}/{name}": Existing("040000", oid) for name, oid in editables.items()},
    }


def _oid(value: str) -> str:
    if not is_oid(value):
        raise ValueError(f"{value!r} is no object id")
    return value


def _oids(value: Mapping[str, str]) -> dict[str, str]:
    return {str(key): _oid(oid) for key, oid in value.items()}


def write_start(folder: Path, started: Started) -> None:
    """Put `start.json` into a live folder, durable on return: from now on it is a run.

    Raises:
        InvalidInputError: It would be more than a reader takes.
        StorageError: The disk is full, read-only or forbidden.
    """
    data = format_json(started.to_json())
    if len(data) > MAX_BYTES:
        raise InvalidInputError(
            f"config and note have {len(data):,} bytes, and a record takes {MAX_BYTES:,}",
            hint="keep large values as an artifact",
        )
    write_file(folder / START, data)


def read_start(folder: Path) -> Started | None:
    """What `start.json` of a live folder says, None where the run is not started yet.

    Raises:
        DamagedRecordError: It is not what `write_start` wrote.
    """
    name = f"live/{folder.name}/{START}"
    try:
        data = (folder / START).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DamagedRecordError(f"`{name}` cannot be read: {error.strerror}") from error
    return Started.from_json(parse_json(data, name=name), name)


def drop_unstarted(project: Project, folder: Path) -> None:
    """Forget a run whose process died before `start.json` was there: nothing was promised yet."""
    git = project.repository.git
    try:
        held = list_refs(git, LIVE + folder.name, LIVE_DATA + folder.name)
        update_refs(git, [RefUpdate(ref, new=None, old=oid) for ref, oid in held.items()])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
