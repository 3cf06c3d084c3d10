"""What a run keeps of files: artifacts, datasets, a folder of its own."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from repro.core.outputs import FILES, Signature, signature_of, store_artifact, store_bytes
from repro.errors import (
    ConflictError,
    GitError,
    InvalidInputError,
    ReproError,
    StorageError,
    UsageError,
)
from repro.model.canonical import Json
from repro.model.run import Artifact as Kept
from repro.sdk.artifacts import Artifact, find_files, find_matches, format_facts
from repro.sdk.data import Expect, find_place, use
from repro.sdk.notices import warn

_POLICIES = ("live", "now", "end")


class RunFiles:
    """The part of a run that keeps files; `Run` writes down what it says."""

    live_dir: Path
    _root: Path

    def __init__(self) -> None:
        self._used: dict[str, tuple[Json, str]] = {}  # datasets that this process recorded
        self._saved: dict[tuple[str, str | None], dict[str, Signature | None]] = {}

    def _record(self, kind: str, **values: Json) -> None:
        raise NotImplementedError

    def _trouble(self, message: str, error: Exception) -> None:
        raise NotImplementedError

    @property
    def dir(self) -> str:
        """A folder for files of the run: what is in it at the end is kept as artifacts.

        They are called as they are in it.

        Raises:
            UsageError: The run is over, and the folder gone.
        """
        folder = self.live_dir / FILES
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except FileNotFoundError as error:
            raise UsageError(f"run `{self.live_dir.name}` is over: its folder is gone") from error
        return str(folder)

    def log_artifact(
        self,
        path: str | os.PathLike[str] | Artifact,
        name: str | None = None,
        type: str | None = None,
        aliases: Iterable[str] | None = None,
        **ignored: object,  # noqa: ARG002  words of W&B
    ) -> tuple[Kept, ...]:
        """Keep a file, all files of a folder, or those of an `Artifact`, with the run.

        Args:
            name: What the record calls it; by default its path relative to `dir`, if it is in
                there, or to the repository, or its bare name if it is elsewhere.
            type: As in W&B; kept beside an `Artifact` and with `aliases`, in
                `<name>.artifact.json`.
            aliases: Likewise.
            ignored: Other words of W&B, without a meaning here.

        Returns:
            What is kept: one for a file; empty if storage failed, with a warning.

        Raises:
            InvalidInputError: There is no such file, or no record can hold its name.
        """
        if isinstance(path, Artifact):
            found, facts = path.named_files(), path.format_facts(aliases)
            label = path.name
        else:
            found = find_files(path, name, self._bases())
            label = os.path.commonpath(found) if found else ""
            facts = format_facts(type=type, aliases=aliases) if aliases and label else b""
        kept = [self._keep(*item) for item in found.items()]
        if facts:
            kept.append(self._keep_bytes(f"{label}.artifact.json", facts))
        return tuple(one for one in kept if one is not None)

    def save(
        self,
        glob_str: str | os.PathLike[str] | None = None,
        base_path: str | os.PathLike[str] | None = None,
        policy: str = "live",
    ) -> tuple[Kept, ...]:
        """Keep the files that a pattern matches, now and as they are when the run ends.

        Args:
            glob_str: Relative to the current folder; without one there is nothing to do, for a
                name is recorded as soon as it is set.
            base_path: What names in the record are relative to; else as `log_artifact` has it.
            policy: `now` keeps no more than what is there now.

        Returns:
            What is kept so far.

        Raises:
            InvalidInputError: No record can hold the name of a file.
            ValueError: There is no such policy.
        """
        if policy not in _POLICIES:
            raise ValueError(f"a policy is one of {', '.join(_POLICIES)}, not {policy!r}")
        if glob_str is None:
            return ()
        # From where we are now: a program may change its folder before it ends.
        pattern = str(Path(glob_str).absolute())
        base = None if base_path is None else str(Path(base_path).absolute())
        seen: dict[str, Signature | None] = {}
        if policy != "now":
            self._saved[pattern, base] = seen
        return tuple(self._keep_matches(pattern, base, seen))

    def _keep_matches(
        self, pattern: str, base: str | None, seen: dict[str, Signature | None]
    ) -> list[Kept]:
        """Keep those that changed since `seen`, which then knows them."""
        kept = []
        for label, path in find_matches(pattern, base, self._bases()).items():
            now = signature_of(path)
            if seen.get(label) != now and (one := self._keep(label, path)) is not None:
                kept.append(one)
                seen[label] = now
        return kept

    def _keep_saved(self) -> None:
        """Keep what `save` was asked for as it is at the end; what fails is a warning."""
        saved, self._saved = self._saved, {}
        for (pattern, base), seen in saved.items():
            try:
                self._keep_matches(pattern, base, seen)
            except (ReproError, OSError) as error:
                warn(f"not all files of `{pattern}` are kept: {error}")
            else:
                if not seen:
                    warn(f"no file matched `{pattern}`: nothing is kept of it")

    def use_data(self, path: str | os.PathLike[str], *, expect: Expect = None) -> Path:
        """Pin a dataset as it is now, with a manifest of all its files, and give its path.

        Args:
            path: Of a file or folder; or the name of a dataset of `repro.yaml`, which is pinned
                at the start anyway, and here only if it has changed since.
            expect: `locked` refuses a dataset that is not what `repro.lock` pins.

        Raises:
            ValueError: `expect` is something else.
            InvalidInputError: It is not there, cannot be recorded, or is not what is locked.

        Cost: one look at each file; new and changed files are read.
        """
        try:
            used = use(self.live_dir, self._root, os.fspath(path), expect, self._used)
        except (StorageError, GitError, ConflictError, OSError) as error:
            self._trouble(f"the dataset `{path}` is not recorded: {error}", error)
            return find_place(os.fspath(path), self._root)
        for warning in used.warnings:
            warn(warning)
        if used.is_new:
            self._record("data", name=used.name, v=used.facts, tree=used.tree)
            self._used[used.name] = used.facts, used.tree
        return used.place

    def _bases(self) -> tuple[Path, ...]:
        """What names of files are relative to."""
        return (self.live_dir / FILES).resolve(), self._root

    def _store(self) -> Path:
        return self.live_dir.parent.parent / "store"

    def _keep(self, label: str, path: Path) -> Kept | None:
        place = path.resolve()
        return self._kept(label, lambda: store_artifact(self.live_dir, self._store(), place, label))

    def _keep_bytes(self, label: str, data: bytes) -> Kept | None:
        return self._kept(label, lambda: store_bytes(self.live_dir, self._store(), data, label))

    def _kept(self, label: str, store: Callable[[], Kept]) -> Kept | None:
        try:
            kept = store()
        except InvalidInputError:
            raise
        except (ReproError, OSError) as error:
            self._trouble(f"artifact `{label}` is not kept: {error}", error)
            return None
        self._record(
            "artifact", path=kept.path, size=kept.size, digest=kept.digest, where=kept.where
        )
        return kept
