"""Every expected failure: its slug, its hint, its exit code.

ReproError                      128
├── UsageError                  129  the command line itself is wrong
│   └── FilterError             129  a filter over runs is wrong, at a place in its text
├── NotARepositoryError         128  no git repository that can hold runs
├── UnsupportedRepositoryError  128  a repository form that git or repro cannot handle here
├── UnknownRunError             128  no run has that name
├── AmbiguousRunError           128  several runs have that name
├── InvalidInputError           128  a file or value a person wrote is wrong
├── NewerFormatError            128  written by a newer repro
├── DamagedRecordError          128  a record breaks FORMAT.md
├── WouldLoseWorkError            1  refused: bytes that exist nowhere else
├── MissingDataError              1  refused: bytes of a dataset that are not here
├── MissingPackagesError          1  refused: parts of an environment that cannot be had
├── MissingSecretError            1  refused: a secret of a command that nobody gave
├── ConsentError                  1  refused: nobody agreed to what somebody else's run would do
├── BusyRepositoryError         128  refused: git is in the middle of something
├── StorageError                128  disk full, read-only, no permission
├── DataLossError               128  acknowledged points that could not be kept
├── ConflictError               128  somebody else moved a ref first
├── RemoteError                 128  a remote store is not there, refuses, or gives no answer
├── GitError                    128  the git program failed
└── CommandError            126/127  the command to run is missing or not executable
"""

from collections.abc import Sequence
from typing import Any, ClassVar


class ReproError(Exception):
    """An expected failure, worded for the user.

    Attributes:
        slug: Stable name for programs, as printed by `--json`.
        exit_code: What the process ends with.
        message: Names the thing and the reason.
        hint: The next command to try, or None.
    """

    slug: ClassVar[str] = "error"
    exit_code: int = 128

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """As an exception that a pool of processes can hand back: not by the words of `args`."""
        return _restore, (type(self), self.args, self.__dict__)


def _restore(
    kind: type[ReproError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> ReproError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class UsageError(ReproError):
    """The command line itself is wrong."""

    slug = "usage"
    exit_code = 129


class FilterError(UsageError):
    """A filter over runs is wrong from `start` to `end`, characters of its `text`."""

    slug = "filter"

    def __init__(
        self, message: str, *, text: str, start: int, end: int, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.text = text
        self.start = start
        self.end = end


class NotARepositoryError(ReproError):
    """There is no git repository here that can hold runs."""

    slug = "not-a-repository"


class UnsupportedRepositoryError(ReproError):
    """A form of repository that the git at hand, or repro, cannot handle."""

    slug = "unsupported-repository"


class UnknownRunError(ReproError):
    """No run has that name."""

    slug = "unknown-run"


class AmbiguousRunError(ReproError):
    """Several runs have that name; `candidates` lists their ids."""

    slug = "ambiguous-run"

    def __init__(self, message: str, *, candidates: Sequence[str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.candidates = tuple(candidates)


class InvalidInputError(ReproError):
    """A file or a value that a person wrote is wrong."""

    slug = "invalid-input"


class NewerFormatError(ReproError):
    """A record written by a newer repro than this one."""

    slug = "newer-format"


class DamagedRecordError(ReproError):
    """A record, or an object that it needs, breaks a promise of FORMAT.md."""

    slug = "damaged-record"


class WouldLoseWorkError(ReproError):
    """Refused: `paths` hold bytes that exist nowhere else."""

    slug = "would-lose-work"
    exit_code = 1

    def __init__(self, message: str, *, paths: Sequence[str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.paths = tuple(paths)


class MissingDataError(ReproError):
    """Refused: the bytes of the files at `paths` are not in the content store."""

    slug = "missing-data"
    exit_code = 1

    def __init__(self, message: str, *, paths: Sequence[str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.paths = tuple(paths)


class MissingPackagesError(ReproError):
    """Refused: parts of an environment cannot be had as recorded; `items` says which, and why."""

    slug = "missing-packages"
    exit_code = 1

    def __init__(self, message: str, *, items: Sequence[str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.items = tuple(items)


class MissingSecretError(ReproError):
    """Refused: a command needs a secret that is not recorded, and the environment lacks it."""

    slug = "missing-secret"
    exit_code = 1


class ConsentError(ReproError):
    """Refused: nobody agreed to what a run that somebody else recorded would do."""

    slug = "consent"
    exit_code = 1


class BusyRepositoryError(ReproError):
    """Refused: git is in the middle of a merge, rebase, cherry-pick, revert or bisect."""

    slug = "busy-repository"


class StorageError(ReproError):
    """The disk is full, read-only, or not ours to write."""

    slug = "storage"


class DataLossError(ReproError):
    """Points that could not be kept; `lost` says exactly how many."""

    slug = "data-loss"

    def __init__(self, message: str, *, lost: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.lost = lost


class ConflictError(ReproError):
    """Somebody else created or moved a ref first."""

    slug = "conflict"


class RemoteError(ReproError):
    """A remote store is not there, refuses, or gives no answer."""

    slug = "remote"


class GitError(ReproError):
    """The git program failed; the message ends in what it said."""

    slug = "git"


class CommandError(ReproError):
    """The command to run does not exist (127) or is not executable (126)."""

    slug = "command"

    def __init__(self, message: str, *, exit_code: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code
