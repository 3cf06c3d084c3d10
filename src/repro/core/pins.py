"""What pins the datasets of a run: values only, so that a run without any loads nothing more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from repro.model.canonical import Json
from repro.model.manifest import DataFacts, decode_name, encode_name
from repro.store.datafacts import encode_facts
from repro.store.git import Git, Identity, split_names
from repro.store.quarantine import CommitSpec, Existing, Quarantine, write_commits

FOLDER = "data"  # of a record


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """Datasets as they are now.

    Attributes:
        facts: By name.
        files: What a record must hold, under `data/<name>`, for their pages.
        held: Run commits that hold what `files` names without writing it.
        warnings: What could not be pinned or kept, in words.
        unpinned: Paths of the datasets that could not be pinned.
    """

    facts: Mapping[str, DataFacts] = field(default_factory=dict)
    files: Mapping[str, bytes | Existing] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unpinned: tuple[str, ...] = ()

    @property
    def data(self) -> dict[str, Json]:
        """What `data.json` says."""
        return {name: encode_facts(facts) for name, facts in self.facts.items()}


@dataclass(frozen=True, slots=True)
class Pinning:
    """Datasets that are being pinned.

    Attributes:
        paths: Of all of them, relative to the root, or absolute.
        wait: Waits for the pins and gives them, again and again the same.
    """

    paths: tuple[str, ...]
    wait: Callable[[], Pins]


def folder_of(name: str) -> str:
    """Where a record has the pages of the dataset `name`."""
    return f"{FOLDER}/{encode_name(name)}"


@dataclass(frozen=True, slots=True)
class PageTrees:
    """Pages as git objects.

    Attributes:
        root: The tree that the record will have as `data/`; None where there are no datasets.
        manifests: The tree of the top page of each dataset, by name.
    """

    root: str | None
    manifests: Mapping[str, str]


def write_pages(
    quarantine: Quarantine, files: Mapping[str, bytes | Existing], *, author: Identity, when: float
) -> PageTrees:
    """Write pages into the quarantine.

    Args:
        files: By path in a record.
        author, when: Of a commit that never leaves the quarantine.
    """
    if not files:
        return PageTrees(None, {})
    spec = CommitSpec(message="pages", when=when, author=author, files=files)
    [commit] = write_commits(quarantine, [spec])
    git, env = quarantine.repository.git, quarantine.env
    root = git.text("rev-parse", "--verify", f"{commit}:{FOLDER}", env=env)
    return PageTrees(root, list_manifests(git, root, env=env))


def list_manifests(git: Git, root: str, *, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Map the name of each dataset in the tree `root` to the tree of its top page."""
    found = {}
    for line in split_names(git.run("ls-tree", "-z", root, env=env).out):
        facts, _, name = line.partition("\t")
        found[decode_name(name)] = facts.split(" ")[2]
    return found


def manifest_files(manifests: Mapping[str, str]) -> dict[str, Existing]:
    """What a record must hold for pages whose trees are known."""
    return {folder_of(name): Existing("040000", tree) for name, tree in manifests.items()}
