"""Whether the code of a run can be had again: its objects, its base, submodules, large files."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from repro.core.codetarget import CodeTarget, inner_roots, read_code_target
from repro.core.gone import find_gone, is_partial, name_gone
from repro.core.harm import refuse_harmful
from repro.core.inner import Inner, find_inner
from repro.core.project import Project
from repro.core.query import code_of
from repro.errors import DamagedRecordError, GitError
from repro.model.diagnosis import Item, degraded, list_some, missing, ok
from repro.model.readable import count_of
from repro.model.run import Record
from repro.model.secrets import redact_url
from repro.model.text import is_argument
from repro.store.content import ContentStore
from repro.store.git import Git
from repro.store.lfs import find_pointers, is_used, storage_folder
from repro.store.objects import read_file, reading

_SHORT = 10  # characters of a commit


def check_code(project: Project, record: Record) -> Iterator[Item]:
    """Whether every object of the snapshot is here; nothing is fetched to find out."""
    run = record.run
    commit = code_of(run)
    fetch = f"`git fetch REMOTE refs/repro/runs/{run.id}` brings it from a clone that has it"
    if not _is_commit(project.repository.git, commit):
        yield missing("code", f"the snapshot {commit[:_SHORT]} is gone", fetch)
        return
    refuse_harmful(project, record)
    try:
        gone, total = find_gone(project.repository.git, f"{commit}^{{tree}}")
    except GitError as error:  # a folder that is gone whole, or damaged
        yield missing("code", f"the snapshot {commit[:_SHORT]} is damaged: {error.message}", fetch)
        return
    if not gone:
        yield ok("code", f"all {count_of(total, 'object')} of the snapshot are here")
        return
    what = f"{len(gone):,} of {count_of(total, 'object')} of the snapshot"
    if is_partial(project.repository.git):
        hint = f"`repro checkout {run.id}` fetches them from the remote of this partial clone"
        yield degraded("code", f"{what} are only on the remote", hint)
    else:
        names = list_some(name_gone(project.repository.git, commit, gone))
        yield missing("code", f"{what} are gone" + (f": {names}" if names else ""), fetch)


def check_base(project: Project, record: Record) -> Iterator[Item]:
    """Whether the commit that the run was based on is here, and on which branch."""
    run, git = record.run, project.repository.git
    if run.base is None:
        yield ok("base", "the run was recorded before the first commit")
        return
    short = run.base[:_SHORT]
    if not _is_commit(git, run.base):
        hint = "`git fetch --unshallow`, or a fetch from another clone, brings it"
        yield missing("base", f"the commit {short} is gone", hint)
        return
    words = ("for-each-ref", "--count=1", "--format=%(refname:short)", "--contains", run.base)
    holder = git.text(*words, "refs/heads", "refs/remotes", "refs/tags")
    branch = run.branch if run.branch is not None and is_argument(run.branch) else None
    is_there = branch is None or bool(git.text("for-each-ref", f"refs/heads/{branch}"))
    was = "" if is_there else f"; its branch `{branch}` is gone"
    if holder:
        yield ok("base", f"{short} is on `{holder}`{was}")
        return
    hint = f"`git branch NAME {short}` puts it on a branch again"
    yield ok("base", f"{short} is on no branch any more{was}; the run itself holds it", hint)


def check_submodules(project: Project, record: Record) -> Iterator[Item]:
    """Whether the content of each submodule is in the record, or its commit is here."""
    code = read_code_target(project, record)
    if not code.links and code.inner is None:
        return
    recorded = inner_roots(project, code)
    items = list(_elsewhere(project, code, recorded))
    items += _recorded(project.repository.git, recorded)
    if not items:
        count = count_of(len({*code.links, *recorded}), "submodule")
        items = [ok("submodules", f"{count}: commits and recorded content are here")]
    yield from items


def _recorded(git: Git, recorded: Mapping[str, str]) -> Iterator[Item]:
    for path, tree in recorded.items():
        gone, total = find_gone(git, tree)
        if gone:
            what = f"{len(gone):,} of {count_of(total, 'object')} of `{path}` are gone"
            yield missing("submodules", what, "`git fsck` says what else is; fetch the run anew")


def _elsewhere(project: Project, code: CodeTarget, recorded: Mapping[str, str]) -> Iterator[Item]:
    for one in find_inner(project, code, recorded):
        short = one.commit[:_SHORT]
        if isinstance(one, Inner):
            gone, total = find_gone(one.git, f"{one.commit}^{{tree}}")
            if gone:
                what = f"{len(gone):,} of {count_of(total, 'object')} of `{one.path}` at {short}"
                hint = "`git fetch` in that submodule, or a new clone of it, may bring them"
                yield missing("submodules", f"{what} are gone", hint)
        elif one.url is None:
            hint = "put a repository that has the commit there"
            yield missing("submodules", f"`{one.path}` has no commit {short} here", hint)
        else:
            what = f"`{one.path}` at {short} has to be fetched from `{redact_url(one.url)}`"
            hint = "`git submodule update --init --recursive` fetches it"
            yield degraded("submodules", what, hint)


def check_lfs(project: Project, record: Record) -> Iterator[Item]:
    """Whether the large files of git-lfs that the snapshot names are here."""
    repository, commit = project.repository, code_of(record.run)
    refuse_harmful(project, record)
    if not (is_used(repository) or _names_lfs(project, commit)):
        return
    folder, content = storage_folder(repository), ContentStore(project.store)
    pointers = set(find_pointers(repository, commit, ()))
    away = [
        one
        for one in pointers
        if _size(folder / one.oid[:2] / one.oid[2:4] / one.oid) != one.size
        and not content.has(f"sha256:{one.oid}")
    ]
    if not pointers:
        return
    if not away:
        yield ok("lfs", f"{count_of(len(pointers), 'large file')}: all are here")
        return
    what = f"{len(away):,} of {count_of(len(pointers), 'large file')}"
    size = sum(one.size for one in away)
    if repository.git.text("remote"):
        detail = f"{what} ({size:,} bytes) are at most on the LFS server"
        yield degraded("lfs", detail, f"`git lfs fetch REMOTE {commit[:_SHORT]}` fetches them")
    else:
        hint = "another clone may have them in `.git/lfs`"
        yield missing("lfs", f"{what} ({size:,} bytes) are gone, and there is no remote", hint)


def _names_lfs(project: Project, commit: str) -> bool:
    with reading(project.repository) as objects:
        try:
            attributes = read_file(objects, commit, ".gitattributes")
        except DamagedRecordError:
            return False
    return attributes is not None and b"filter=lfs" in attributes


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _is_commit(git: Git, oid: str) -> bool:
    # Without the network: a partial clone would else fetch what it lacks.
    env = {"GIT_NO_LAZY_FETCH": "1"}
    return git.run("cat-file", "-e", f"{oid}^{{commit}}", env=env, ok=(0, 1, 128)).code == 0
