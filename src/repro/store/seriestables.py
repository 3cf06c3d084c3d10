"""The tables in which a run commit has its series."""

import re
from collections.abc import Callable, Collection
from functools import partial

from repro.errors import DamagedRecordError
from repro.model.canonical import parse_json
from repro.model.series import LONG
from repro.model.seriescolumn import Column, parse_columns, parse_long_columns
from repro.store.fields import Fields
from repro.store.objects import FOLDER, Objects, list_files, read_tree

SYSTEM = "metrics/system.csv"

_STORED = "metrics/store.json"
_TABLE = re.compile(r"metrics/(0|[1-9]\d{0,3})\.csv\Z")

_Read = Callable[[], bytes]


def find_files(objects: Objects, commit_oid: str) -> dict[str, str]:
    """Map the path of each file in `metrics/` to its object id.

    Raises:
        DamagedRecordError: A tree is missing.
    """
    folder = read_tree(objects, commit_oid).get("metrics")
    if folder is None or folder.mode != FOLDER:
        return {}
    return list_files(objects, folder.oid, "metrics/")


def list_tables(
    objects: Objects, commit_oid: str, *, stored: Callable[[str], bytes] | None = None
) -> dict[str, _Read]:
    """Map the path of each table of metrics to what reads it.

    Args:
        stored: Gives the bytes of a digest from the content store: series past 16 MiB are there.

    Raises:
        DamagedRecordError: A tree is missing, or the tables are in a store that is not given.
    """
    files = find_files(objects, commit_oid)
    pointers = files.pop(_STORED, None)
    files.pop(SYSTEM, None)
    tables: dict[str, _Read] = {
        path: partial(_read_blob, objects, oid) for path, oid in files.items()
    }
    if pointers is None:
        return tables
    outer = Fields(parse_json(_read_blob(objects, pointers), name=_STORED), _STORED)
    if stored is None:
        raise DamagedRecordError("the points are in the content store, which was not given")
    digests = {path: outer.inner(path).sha256("digest") for path in outer.values}
    return tables | {path: partial(stored, digest) for path, digest in digests.items()}


def _read_blob(objects: Objects, oid: str) -> bytes:
    return objects.read(oid)[1]


def read_columns(
    objects: Objects,
    commit_oid: str,
    names: Collection[str],
    *,
    stored: Callable[[str], bytes] | None = None,
) -> dict[str, Column]:
    """Read all points of some metrics of a run; those that it has.

    Args:
        stored: Gives the bytes of a digest from the content store: series past 16 MiB are there.

    Raises:
        DamagedRecordError: A table is missing or malformed.

    Cost: reads tables, the longest first, until all of the metrics are found.
    """
    tables = list_tables(objects, commit_oid, stored=stored)
    numbered = [(int(match[1]), path) for path in tables if (match := _TABLE.match(path))]
    found: dict[str, Column] = {}
    for _, path in sorted(numbered):
        missing = [name for name in names if name not in found]
        if not missing:
            return found
        found |= parse_columns(tables[path](), missing, path=path)
    missing = [name for name in names if name not in found]
    if missing and LONG in tables:
        found |= parse_long_columns(tables[LONG](), missing)
    return found
