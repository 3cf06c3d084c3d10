"""Whether the code of a run can be had again: its objects, its base, submodules, large files."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from repro.core.goal import inner_roots, read_goal
from repro.core.inner import find_inner
from repro.core.project import Project
from repro.core.query import code_of
from repro.errors import DamagedRecordError, GitError
from repro.model.diagnosis import Item, count_of, degraded, list_some, missing, ok
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
    try:
        gone, total = find_gone(project.repository.git, f"{commit}^{{tree}}")
    except GitError as error:  # a folder that is gone whole, or damaged
        yield missing("code", f"the snapshot {commit[:_SHORT]} is damaged: {error.message}", fetch)
        return
    if not gone:
        yield ok("code", f"all {count_of(total, 'object')} of the snapshot are here")
        return
    what = f"{len(gone):,} of {count_of(total, 'object')} of the snapshot"
    if _is_partial(project.repository.git):
        hint = f"`repro checkout {run.id}` fetches them from the remote of this partial clone"
        yield degraded("code", f"{what} are only on the remote", hint)
    else:
        names = list_some(_name_gone(project.repository.git, commit, gone))
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
    goal = read_goal(project, record)
    if not goal.links and goal.inner is None:
        return
    recorded = inner_roots(project, goal)
    items = list(_submodules(project, goal.commit, goal.links, recorded))
    items += _recorded(project.repository.git, recorded)
    if not items:
        count = count_of(len({*goal.links, *recorded}), "submodule")
        items = [ok("submodules", f"{count}: commits and recorded content are here")]
    yield from items


def _recorded(git: Git, recorded: Mapping[str, str]) -> Iterator[Item]:
    for path, tree in recorded.items():
        gone, total = find_gone(git, tree)
        if gone:
            what = f"{len(gone):,} of {count_of(total, 'object')} of `{path}` are gone"
            yield missing("submodules", what, "`git fsck` says what else is; fetch the run anew")


def _submodules(
    project: Project, commit: str, links: Mapping[str, str], recorded: Mapping[str, str]
) -> Iterator[Item]:
    git = project.repository.git
    urls = _read_urls(git, commit)
    for path, oid in links.items():
        if path in recorded or find_inner(project, path, oid) is not None:
            continue
        url = urls.get(path)
        if url is None:
            hint = "put a repository that has the commit there"
            yield missing("submodules", f"`{path}` has no commit {oid[:_SHORT]} here", hint)
        else:
            what = f"`{path}` at {oid[:_SHORT]} has to be fetched from `{redact_url(url)}`"
            yield degraded("submodules", what, "`git submodule update --init` fetches it")


def _read_urls(git: Git, commit: str) -> dict[str, str]:
    """Where the submodules of a commit come from, by path."""
    words = ("config", "--null", "--blob", f"{commit}:.gitmodules", "--get-regexp")
    said = git.run(*words, r"^submodule\..*\.(path|url)$", ok=(0, 1, 128)).out
    paths: dict[str, str] = {}
    urls: dict[str, str] = {}
    for entry in said.decode(errors="surrogateescape").split("\0"):
        key, _, value = entry.partition("\n")
        name, _, kind = key.removeprefix("submodule.").rpartition(".")
        (paths if kind == "path" else urls)[name] = value
    return {path: urls[name] for name, path in paths.items() if name in urls}


def check_lfs(project: Project, record: Record) -> Iterator[Item]:
    """Whether the large files of git-lfs that the snapshot names are here."""
    repository, commit = project.repository, code_of(record.run)
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


def find_gone(git: Git, name: str) -> tuple[list[str], int]:
    """The ids of objects below a tree that are not here, and how many there should be.

    Cost: one git process, which reads every tree and looks for every file.
    """
    words = ("rev-list", "--objects", "--no-object-names", "--missing=print", "--end-of-options")
    listed = git.text(*words, name).split()
    gone = [line[1:] for line in listed if line.startswith("?")]
    return gone, len(listed)


def _name_gone(git: Git, commit: str, gone: Iterable[str]) -> list[str]:
    """Paths of some objects that are gone, where the folders above them are not."""
    wanted = set(gone)
    done = git.run("ls-tree", "-r", "-t", "-z", "--full-tree", commit, ok=range(256))
    lines = done.out.decode(errors="surrogateescape").split("\0")
    found = (line.partition("\t") for line in lines if line)
    return [path for facts, _, path in found if facts.split(" ")[2] in wanted]


def _is_commit(git: Git, oid: str) -> bool:
    # Without the network: a partial clone would else fetch what it lacks.
    env = {"GIT_NO_LAZY_FETCH": "1"}
    return git.run("cat-file", "-e", f"{oid}^{{commit}}", env=env, ok=(0, 1, 128)).code == 0


def _is_partial(git: Git) -> bool:
    words = ("config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$")
    return git.run(*words, ok=(0, 1)).code == 0
