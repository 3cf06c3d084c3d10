"""Whether every file of a record from elsewhere can be read, and does no harm when it is."""

from collections.abc import Callable, Mapping

from repro.errors import DamagedRecordError
from repro.model.canonical import parse_json
from repro.model.manifest import encode_name
from repro.model.run import Record
from repro.model.text import escape
from repro.store.datafacts import decode_facts
from repro.store.fields import Fields
from repro.store.media import FILE, list_media_files, parse_media
from repro.store.objects import (
    FOLDER,
    SUBMODULE,
    Objects,
    TreeEntry,
    list_files,
    read_file,
    read_tree,
)
from repro.store.pagecheck import PageCheck
from repro.store.runs import RUN_FILE, read_record, read_series, read_system
from repro.store.treecheck import LINK, TreeCheck

LARGEST_RUN_FILE = 4 << 20  # bytes; whoever lists runs reads that of each
LARGEST_TEXT = 16 << 20  # bytes of any other file that is read whole; ten times the largest known
LARGEST_OUTPUT = 64 << 20  # bytes of output.log, which is written with at most 10 MiB
MOST_MEDIA = 256 << 20  # bytes in media/, which is written with at most 64 MiB an attempt
MOST_TABLES = 64 << 20  # bytes in metrics/; past 16 MiB points are in the content store

_LIMITS = {RUN_FILE: LARGEST_RUN_FILE, "output.log": LARGEST_OUTPUT}
_FOLDERS = {"metrics": MOST_TABLES, "media": MOST_MEDIA}
_STORED = "metrics/store.json"
_JSON = ("launch.json", "notebook/cells.json")  # read by nothing else here
# What holds the files of others as they are; all else in a record is a plain file.
_OF_OTHERS = ("submodules", "editables")


class RecordCheck:
    """Looks at records; what several of them share is looked at once."""

    def __init__(
        self,
        objects: Objects,
        trees: TreeCheck,
        *,
        size_of: Callable[[str], int | None],
        is_known: Callable[[str], bool],
    ) -> None:
        """Look at nothing yet.

        Args:
            size_of: Bytes of a new object; None of one that the repository had before.
            is_known: Whether the repository had an object before.
        """
        self._objects = objects
        self._trees = trees
        self._size_of = size_of
        self._pages = PageCheck(objects, is_known=is_known)

    def check(self, commit: str, tree: str) -> None:
        """Look at all of a record.

        Args:
            commit: The run commit, which is one.
            tree: Its tree.

        Raises:
            NewerFormatError: A newer repro wrote it.
            DamagedRecordError: It breaks FORMAT.md, or is larger than what is read of one.
        """
        self._trees.check(tree, "its record")
        entries = read_tree(self._objects, tree)
        self._check_sizes(entries)
        record = read_record(self._objects, commit)
        self._check_series(commit, tree)
        for path in _JSON:
            data = read_file(self._objects, tree, path)
            if data is not None:
                parse_json(data, name=path)
        self._check_data(record, entries)
        self._check_artifacts(record, entries)
        self._check_media(tree, entries)

    def _check_sizes(self, entries: Mapping[str, TreeEntry]) -> None:
        for name, entry in entries.items():
            if entry.mode == FOLDER:
                facts = self._trees.check(entry.oid, f"`{escape(name)}/` of its record")
                if facts.special and name not in _OF_OTHERS:
                    raise DamagedRecordError(f"`{escape(name)}/` of its record holds a link")
                if name in _FOLDERS:
                    _refuse_larger(facts.size, _FOLDERS[name], f"{name}/")
            elif entry.mode in (LINK, SUBMODULE):
                raise DamagedRecordError(f"`{escape(name)}` of its record is no plain file")
            else:
                limit = _LIMITS.get(name, LARGEST_TEXT)
                _refuse_larger(self._size_of(entry.oid), limit, name)

    def _check_series(self, commit: str, tree: str) -> None:
        pointers = read_file(self._objects, tree, _STORED)
        if pointers is None:
            read_series(self._objects, commit)
        else:
            outer = Fields(parse_json(pointers, name=_STORED), _STORED)
            for path in outer.values:
                outer.inner(path).sha256("digest")
                outer.inner(path).natural("size")
        read_system(self._objects, commit)

    def _check_data(self, record: Record, entries: Mapping[str, TreeEntry]) -> None:
        folder = entries.get("data")
        trees = read_tree(self._objects, folder.oid) if folder is not None else {}
        for name in record.data:
            facts = decode_facts(record.data, name)
            tree = trees.get(encode_name(name))
            if tree is None or tree.mode != FOLDER:
                raise DamagedRecordError(f"it has no manifest of the dataset `{escape(name)}`")
            self._pages.check(tree.oid, name, facts)

    def _check_artifacts(self, record: Record, entries: Mapping[str, TreeEntry]) -> None:
        folder = entries.get("artifacts")
        kept = list_files(self._objects, folder.oid) if folder is not None else {}
        for artifact in record.artifacts:
            if artifact.where != "git":
                continue
            oid = kept.get(artifact.path)
            if oid is None or self._size_of(oid) not in (None, artifact.size):
                raise DamagedRecordError(
                    f"it does not hold the artifact `{escape(artifact.path)}` that it names"
                )

    def _check_media(self, tree: str, entries: Mapping[str, TreeEntry]) -> None:
        if FILE not in entries:
            return
        media = parse_media(read_file(self._objects, tree, FILE) or b"")
        held = list_media_files(self._objects, tree)
        for file in (file for one in media for file in one.files if file.where == "git"):
            oid = held.get(file.path)
            if oid is None or self._size_of(oid) not in (None, file.size):
                raise DamagedRecordError(f"it does not hold `{file.path}`, which its media need")


def _refuse_larger(size: int | None, limit: int, name: str) -> None:
    if size is not None and size > limit:
        raise DamagedRecordError(
            f"`{escape(name)}` of its record has {size:,} bytes, more than the limit of {limit:,}"
        )
