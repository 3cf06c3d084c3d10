"""Files whose bytes git would not give back: its filters make something else of them.

With `core.autocrlf` a file with bare newlines comes back with others; a filter that strips the
outputs of a notebook calls it unchanged, and a checkout then takes the outputs away.
"""

import filecmp
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from repro.atomic import storage_errors
from repro.store.git import Git, Repository, join_names
from repro.store.present import Present, is_inside
from repro.store.quarantine import Quarantine

_ATTRIBUTES = ("filter", "ident", "working-tree-encoding", "text", "eol", "crlf")
_PLAIN = {"unspecified", "unset"}
_FAITHFUL = {("filter", "lfs")}  # names its files by their hash
_FILE_MODES = {"100644", "100755"}


def keep_raw_files(
    repository: Repository, quarantine: Quarantine, present: Present, *, also: Iterable[str] = ()
) -> dict[str, str]:
    """Write the files that are to go, and that git would not give back, into the quarantine.

    Args:
        also: Paths that will be written although git sees no change in them.

    Returns:
        The blob of each such path, holding its bytes as they are.

    Cost: two git processes where no filter is in use; else the files are written and compared.
    """
    going = [
        change.path
        for change in present.changes
        if change.old is not None and change.old.mode in _FILE_MODES
    ]
    names = [path for path in dict.fromkeys([*going, *also]) if _is_file(repository.root, path)]
    filtered = _filtered(repository.git, names)
    if not filtered:
        return {}
    differing = _differing(repository, quarantine, present.index, filtered)
    quarantine.expect(sum((repository.root / path).stat().st_size for path in differing))
    words = ("hash-object", "-w", "--no-filters", "--")
    return {
        path: repository.git.text(*words, path, env=quarantine.env).strip() for path in differing
    }


def _is_file(root: Path, path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(root / path).st_mode) and is_inside(root, path)
    except OSError:
        return False


def _filtered(git: Git, names: Sequence[str]) -> list[str]:
    """Those that git might change on their way in or out."""
    if not names:
        return []
    said = git.run("config", "--get", "core.autocrlf", ok=(0, 1)).out.decode().strip().lower()
    if said not in {"", "false", "no", "off", "0"}:
        return list(names)
    words = ("check-attr", "-z", "--stdin", *_ATTRIBUTES)
    out = os.fsdecode(git.run(*words, stdin=join_names(names)).out).split("\0")
    found = {
        path: None
        for path, name, value in zip(out[::3], out[1::3], out[2::3], strict=False)
        if value not in _PLAIN and (name, value) not in _FAITHFUL
    }
    return list(found)


def _differing(
    repository: Repository, quarantine: Quarantine, index: Path, names: Sequence[str]
) -> list[str]:
    """Those that come out of `index` with other bytes than they have now."""
    parent = repository.private / "restore"
    with storage_errors("a copy to compare with"):
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=parent, prefix="compare-") as folder:
            env = {**quarantine.env, "GIT_INDEX_FILE": str(index)}
            words = ("checkout-index", "--force", "-z", "--stdin", f"--prefix={folder}/")
            repository.git.run(*words, stdin=join_names(names), env=env)
            return [
                path for path in names if not _is_same(repository.root / path, Path(folder) / path)
            ]


def _is_same(here: Path, there: Path) -> bool:
    return there.exists() and filecmp.cmp(here, there, shallow=False)


def write_raw_files(repository: Repository, raw: Mapping[str, str]) -> None:
    """Give files that git has just written the bytes they had.

    Args:
        raw: Blob of each path.
    """
    for path, oid in raw.items():
        if _is_file(repository.root, path):
            data = repository.git.run("cat-file", "blob", oid).out
            with storage_errors(f"`{path}`"):
                (repository.root / path).write_bytes(data)
