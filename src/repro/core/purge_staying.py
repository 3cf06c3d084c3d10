"""What stays of a run that is purged, as others have it, too: files of its code, secrets."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from repro.core.leaks import Leak, find_leaking
from repro.core.project import Project
from repro.store.erase import list_logged, list_reachable, list_tips
from repro.store.gitfaults import GitFaults, find_touched
from repro.store.unsent import describe

_MOST = 100  # secrets: for each, all that holds it is looked for
_NAMED = ("refs/heads", "refs/tags", "refs/remotes")


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class StayingSecret:
    """What looks like a secret, in a file of the run that others have, too.

    Attributes:
        path: Of the file, in the code or in the record.
        line: From 1; 0 where the whole file is meant.
        rule: What it looks like.
        oid: Of the file.
        held_by: Refs, HEADs, reflogs and the index; empty where nothing names it any more.
    """

    path: str
    line: int
    rule: str
    oid: str
    held_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Staying:
    """What stays of a run.

    Attributes:
        shared_by: Refs and HEADs that reach objects of it.
        files: Paths of files of its code that are not of the commit that it is based on, and that
            others have, too.
        files_held_by: Refs and HEADs that reach these.
        n_committed: Files of its code that it has from the commit that it is based on.
        branches: Branches and tags that have that commit.
        n_common: Files of its record that are the same in other runs.
        secrets: The first hundred.
    """

    shared_by: tuple[str, ...]
    files: tuple[str, ...]
    files_held_by: tuple[str, ...]
    n_committed: int
    branches: tuple[str, ...]
    n_common: int
    secrets: tuple[StayingSecret, ...]


def find_staying(
    project: Project,
    *,
    code: Collection[str],
    bases: Collection[str],
    commits: Collection[str],
    shared: Mapping[str, str],
    doomed: Collection[str],
    going: Collection[str],
) -> Staying:
    """Say what of a run stays, and why.

    Args:
        code: Commits of its code.
        bases: Commits that these are based on.
        commits: Those that are of this run alone.
        shared: Objects of it, each with a path, that others reach.
        doomed: Objects that go.
        going: Refs that go.

    Raises:
        GitError: Something is missing.
    """
    git = project.repository.git
    in_code = list_reachable(project.repository, [f"{oid}^{{tree}}" for oid in code])
    blobs = [one for one in describe(git, in_code) if one.kind == "blob"]
    committed = [one for one in blobs if one.oid not in doomed and one.oid not in shared]
    others = describe(git, shared)
    own = [one for one in others if one.kind == "blob" and one.oid in in_code]
    common = [one for one in others if one.kind == "blob" and one.oid not in in_code]
    looked_at = [one for one in (*committed, *others) if one.kind in ("blob", "commit")]
    found = find_leaking(project, looked_at)
    leaking = dict(sorted(found.items(), key=lambda item: item[1])[:_MOST])
    named, logged = _find_holders(project, {*shared, *leaking}, commits, going)
    files = {one.oid: in_code[one.oid] for one in own}
    return Staying(
        shared_by=tuple(name for name, held in named.items() if not held.isdisjoint(shared)),
        files=tuple(sorted(files.values())),
        files_held_by=tuple(name for name, held in named.items() if not held.isdisjoint(files)),
        n_committed=len(committed),
        branches=_find_branches(project, bases, going),
        n_common=len(common),
        secrets=_find_secrets(leaking, named | logged),
    )


def _find_secrets(
    leaking: Mapping[str, Leak], holders: Mapping[str, frozenset[str]]
) -> tuple[StayingSecret, ...]:
    return tuple(
        StayingSecret(
            path=leak.path,
            line=leak.line,
            rule=leak.rule,
            oid=oid,
            held_by=tuple(name for name, held in holders.items() if oid in held),
        )
        for oid, leak in leaking.items()
    )


def _find_holders(
    project: Project, oids: Iterable[str], commits: Collection[str], going: Collection[str]
) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Which of some objects each ref and HEAD reaches, and which each reflog and the index do.

    Cost: reads each object that they reach once.
    """
    faults = GitFaults(dict.fromkeys(oids, ""), {}, ())
    if not faults.oids:
        return {}, {}
    repository = project.repository
    tips = list_tips(repository, without=going)
    logged = list_logged(repository, without=commits)
    touched = find_touched(repository, {*tips.values()}.union(*logged.values()), faults)
    named = {name: touched[oid] for name, oid in sorted(tips.items())}
    others = {
        name: frozenset[str]().union(*(touched[oid] for oid in oids))
        for name, oids in logged.items()
    }
    listed = repository.git.text("rev-list", "--objects", "--no-object-names", "--indexed-objects")
    others["the index of git"] = frozenset(listed.split())
    return named, others


def _find_branches(
    project: Project, bases: Collection[str], going: Collection[str]
) -> tuple[str, ...]:
    found: set[str] = set()
    for base in bases:
        words = ("for-each-ref", "--format=%(refname)", f"--contains={base}", *_NAMED)
        found |= set(project.repository.git.text(*words).split("\n")) - {""}
    return tuple(sorted(found - set(going)))
