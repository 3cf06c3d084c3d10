"""The folder that a bundle unpacks to with `git clone` alone: code, record and bytes of runs.

It is an RO-Crate (model/rocrate.py). Code and record of a run are the very trees of its commits,
so they cost nothing; only the description of the crate and what git does not hold are new.
"""

import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.core.beside_data import DataBeside
from repro.core.stored import list_stored
from repro.errors import MissingDataError
from repro.model.canonical import format_json
from repro.model.manifest import FileEntry, encode_name
from repro.model.rocrate import METADATA, CratePart, CrateRun, describe_crate
from repro.model.run import Record
from repro.model.text import escape
from repro.store.content import ContentStore
from repro.store.hashing import digest_open
from repro.store.objects import FOLDER, Objects, list_files, read_commit, read_tree
from repro.store.quarantine import Existing

RUNS = "runs"
DATA = "data"
STORED = "stored"
PACKAGES = "packages"

_README = "README.md"
_LICENCES = ("LICENSE", "LICENCE", "COPYING")
_INPUTS = ("config.yaml",)
_RESULTS = ("metrics.json", "metrics/", "output.log", "artifacts/", "media/", "notebook/")
_SHOWN = 1000  # files of a run or a dataset that are described one by one

Files = dict[str, bytes | Path | Existing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crate:
    """A crate before it is written.

    Attributes:
        files: What it consists of, by path; a folder that git has already is one entry.
        size: Bytes of the files in it that git does not have.
    """

    files: Files
    size: int


def lay_out(
    objects: Objects,
    content: ContentStore,
    records: Sequence[Record],
    *,
    data: Mapping[str, Sequence[DataBeside]],
    packages: Mapping[str, Path],
    with_stored: bool,
) -> Crate:
    """Say what the crate of some sealed runs consists of.

    Args:
        data: Datasets to put in, with where their bytes are, by the id of the run.
        packages: Files of packages to put in, by name.
        with_stored: Put in what of the records lies in the content store, too.

    Raises:
        DamagedRecordError: A record breaks FORMAT.md, or its code is missing.
    """
    files: Files = {}
    runs = []
    places = _Places()
    for record in records:
        inputs, results = _own_parts(objects, record, files)
        for plan in data.get(record.run.id, ()):
            inputs.append(_add_data(content, plan, places, files))
        for stored in list_stored(objects, record) if with_stored else ():
            content.verify(stored.digest)
            path = f"{STORED}/{stored.digest.partition(':')[2]}"
            files[path] = content.path_of(stored.digest)
            results.append(_file(path, stored.path, stored.size, stored.digest))
        runs.append(CrateRun(record=record, inputs=inputs, results=results))
    for name, source in sorted(packages.items()):
        files[f"{PACKAGES}/{name}"] = source
    size = sum(source.stat().st_size for source in files.values() if isinstance(source, Path))
    readme = _readme(records).encode()
    others = [CratePart(path=_README, name="How to go on from here", size=len(readme))]
    if packages:
        others.append(CratePart(path=f"{PACKAGES}/", name="Packages that the runs had installed"))
    title = ", ".join(record.run.name or record.run.id for record in records[:3])
    described = describe_crate(
        runs,
        name=f"Runs {escape(title)}" + (" and more" if len(records) > 3 else ""),
        others=others,
        licence=_find_licence(objects, records),
    )
    files[_README] = readme
    files[METADATA] = format_json(described)
    return Crate(files=files, size=size)


def _own_parts(
    objects: Objects, record: Record, files: Files
) -> tuple[list[CratePart], list[CratePart]]:
    """Put code and record of a run into the crate; what of it the run read, and what it made."""
    run = record.run
    commit = read_commit(objects, record.commit)
    home = f"{RUNS}/{run.id}"
    files[f"{home}/record"] = Existing(f"{FOLDER:06o}", commit.tree)
    inputs = []
    code = read_commit(objects, commit.parents[0]).tree if commit.parents else None
    if code is not None and read_tree(objects, code):
        files[f"{home}/code"] = Existing(f"{FOLDER:06o}", code)
        inputs.append(CratePart(path=f"{home}/code/", name=f"The exact code of run {run.id}"))
    listed = sorted(list_files(objects, commit.tree))
    inputs += [_file(f"{home}/record/{path}", path) for path in listed if path in _INPUTS]
    results = [
        _file(f"{home}/record/{path}", path)
        for path in listed
        if path.startswith(_RESULTS) and not path.startswith("metrics/store")
    ]
    return inputs, results[:_SHOWN]


class _Places:
    """Names of the folders of datasets: that of the dataset, and more where two differ."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[object, ...]] = {}

    def find(self, plan: DataBeside) -> str:
        """The folder for a dataset: the same one for the same files."""
        name = encode_name(plan.name)
        number = 1
        while True:
            place = f"{DATA}/{name}" if number == 1 else f"{DATA}/{name}-{number}"
            if self._taken.setdefault(place, plan.entries) == plan.entries:
                return place
            number += 1


def _add_data(content: ContentStore, plan: DataBeside, places: _Places, files: Files) -> CratePart:
    place = places.find(plan)
    total = 0
    for path, source, size in _sources(content, plan):
        files[f"{place}/{path}"] = source
        total += size
    return CratePart(path=f"{place}/", name=f"Dataset {escape(plan.name)}", size=total)


def _sources(content: ContentStore, plan: DataBeside) -> Iterator[tuple[str, Path, int]]:
    """Each file of a dataset: its path there, where its bytes are, their number.

    Raises:
        DamagedRecordError: An entry of the content store is not what its name says.
        MissingDataError: A file of the present dataset changed meanwhile.
    """
    for path, entry in plan.entries:
        if not isinstance(entry, FileEntry):
            continue
        source = plan.sources.get(path)
        if source is None:
            content.verify(f"sha256:{entry.sha256}")
            source = content.path_of(f"sha256:{entry.sha256}")
        else:
            with source.open("rb") as file:
                is_same = digest_open(file.fileno()) == entry.digest
            if not is_same:
                raise MissingDataError(
                    f"`{escape(str(source))}` changed meanwhile",
                    paths=[str(source)],
                    hint="run the command again",
                )
        yield path or entry.name, source, entry.size


def _file(path: str, name: str, size: int | None = None, digest: str = "") -> CratePart:
    sha256 = digest.removeprefix("sha256:") or None
    media = mimetypes.guess_type(name, strict=False)[0]
    return CratePart(path=path, name=escape(name), size=size, media=media, sha256=sha256)


def _find_licence(objects: Objects, records: Sequence[Record]) -> str | None:
    """The licence file of the newest code that has one, as its place in the crate."""
    for record in records:
        commit = read_commit(objects, record.commit)
        names = read_tree(objects, commit.parents[0]) if commit.parents else {}
        for name in sorted(names):
            if name.upper().startswith(_LICENCES) and names[name].mode != FOLDER:
                return f"{RUNS}/{record.run.id}/code/{name}"
    return None


def _readme(records: Sequence[Record]) -> str:
    lines = [
        "# Recorded runs",
        "",
        "This folder is an RO-Crate: `ro-crate-metadata.json` describes it.",
        "`runs/<id>/code/` is the exact code of a run, `runs/<id>/record/` its record.",
        "`repro unbundle FILE`, in any clone, takes the runs in; `repro checkout -w DIR ID` and",
        "`repro rerun ID --verify` go on from there.",
        "",
    ]
    for record in records:
        run = record.run
        words = escape(run.name or " ".join(run.command)).replace("`", "'")
        lines.append(f"- `{run.id}`: {words}")
    return "\n".join(lines) + "\n"
