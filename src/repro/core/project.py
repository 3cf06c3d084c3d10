"""The repository a command works in, with the clock and the source of ids it may use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from repro.store.git import Identity, Repository, open_repository
from repro.store.personal import Personal, read_personal
from repro.store.settings import Settings, read_settings


@dataclass(frozen=True, slots=True)
class Project:
    """Values that every use case takes.

    Attributes:
        environ: The environment of the face, read by nobody below it.
        clock: Seconds since 1970.
        entropy: Gives that many random bytes.
        takes_old_index: Whether a run index that another process is writing is good enough as it
            was, for whoever waits for an answer.
    """

    repository: Repository
    settings: Settings
    environ: Mapping[str, str]
    clock: Callable[[], float]
    entropy: Callable[[int], bytes]
    takes_old_index: bool = False
    _asked: dict[str, Personal] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def personal(self) -> Personal:
        """What the user set by `git config repro.*`; asked once, by one git process.

        Raises:
            InvalidInputError: One of the settings is wrong.
        """
        if "personal" not in self._asked:
            self._asked["personal"] = read_personal(self.repository.git)
        return self._asked["personal"]

    @property
    def live(self) -> Path:
        """Folder of the runs in progress, one folder each."""
        return self.repository.private / "live"

    @property
    def store(self) -> Path:
        """Folder of the content store."""
        return self.repository.private / "store"

    @property
    def worktrees(self) -> Path:
        """Folder of the isolated trees that runs are done again in, named by those runs."""
        return self.repository.private / "worktrees"


def open_project(
    cwd: Path,
    *,
    environ: Mapping[str, str],
    clock: Callable[[], float],
    entropy: Callable[[int], bytes],
) -> Project:
    """Find the repository around `cwd` and read its `repro.yaml`.

    Raises:
        NotARepositoryError: There is no git repository with a working tree.
        UnsupportedRepositoryError: git refuses it.
        InvalidInputError: `repro.yaml` is wrong.
    """
    repository = open_repository(cwd, environ)
    return Project(repository, read_settings(repository.root), environ, clock, entropy)


def is_recording(project: Project) -> bool:
    """Whether any run may be in progress, or may have died without being sealed."""
    try:
        return any(project.live.iterdir())
    except OSError:  # no run was ever started here
        return False


def who_am_i(project: Project) -> Identity:
    """Who git says the user is; a fallback where nothing is set, so that recording never fails."""
    done = project.repository.git.run("var", "GIT_AUTHOR_IDENT", ok=(0, 128))
    name, _, rest = done.out.decode(errors="replace").partition(" <")
    if done.code != 0 or not name.strip():
        user = project.environ.get("USER") or project.environ.get("LOGNAME") or "unknown"
        return Identity(user, f"{user}@localhost")
    return Identity(name.strip(), rest.partition(">")[0])
