"""Whether one run is as FORMAT.md promises, as far as its record can tell."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from repro.errors import NewerFormatError, ReproError
from repro.model.manifest import FileEntry
from repro.model.medium import MediaFile
from repro.model.run import Artifact, Record
from repro.store.content import ContentStore
from repro.store.datafacts import decode_facts
from repro.store.media import FILE as MEDIA
from repro.store.media import list_media_files, parse_media
from repro.store.objects import FOLDER, Objects, list_files, read_commit, read_file, read_tree
from repro.store.pages import RecordedPages, iter_pages, open_recorded_pages
from repro.store.runs import read_record, read_series, read_system

_WORD = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_DATA, _ARTIFACTS = "data", "artifacts"
_CHUNK_LIMIT = 1 << 31


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise of FORMAT.md that a run breaks.

    Attributes:
        promise: Such as `F16`; empty where it is a section and no numbered one.
        what: The part of the run, such as `run.json` or `data/train`.
        reason: One line; nothing is escaped.
        hint: What brings it back; empty where nothing is known to.
    """

    promise: str
    what: str
    reason: str
    hint: str = ""


@dataclass(slots=True)
class Seen:
    """What was looked at for other runs already.

    Attributes:
        manifests: The entries that each tree of pages names, by its object id and digest.
        wanted: Digests that runs need from the content store, each with these runs.
    """

    manifests: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    wanted: dict[str, list[str]] = field(default_factory=dict)


def check_record(
    objects: Objects, content: ContentStore, run_id: str, commit: str, seen: Seen
) -> list[Broken]:
    """Read all of a record and say what is wrong with it; of objects only what the record needs.

    Entries of the content store are noted in `seen` and not looked at, but for long series.
    """
    try:
        record = read_record(objects, commit)
    except NewerFormatError as error:
        return [Broken("F13", "run.json", error.message, error.hint or "")]
    except ReproError as error:
        return [Broken("F1", "the record", error.message, error.hint or "")]
    if record.run.id != run_id:
        return [Broken("F1", "run.json", f"it says that it is run `{record.run.id}`")]
    found = []
    for check in (_check_code, _check_series, _check_data, _check_artifacts, _check_media):
        try:
            found += list(check(_Look(objects, content, commit, record, seen)))
        except ReproError as error:
            found.append(Broken(*_ABOUT[check.__name__], error.message, error.hint or ""))
    return found


_ABOUT = {
    "_check_code": ("F3", "the code"),
    "_check_series": ("F10", "metrics/"),
    "_check_data": ("F16", "data/"),
    "_check_artifacts": ("F1", "artifacts/"),
    "_check_media": ("F1", "media/"),
}


@dataclass(frozen=True, slots=True)
class _Look:
    objects: Objects
    content: ContentStore
    commit: str
    record: Record
    seen: Seen

    def want(self, digest: str) -> None:
        """Note that the run needs an entry of the content store."""
        runs = self.seen.wanted.setdefault(digest, [])
        if self.record.run.id not in runs[-1:]:
            runs.append(self.record.run.id)


def _check_code(look: _Look) -> Iterator[Broken]:
    run = look.record.run
    first = next(iter(read_commit(look.objects, look.commit).parents), None)
    if run.snapshot != first:
        yield Broken("F3", "the code", "its snapshot is not the first parent of its commit")


def _check_series(look: _Look) -> Iterator[Broken]:
    pointers = read_file(look.objects, look.commit, "metrics/store.json")
    if pointers is not None:
        for word in _WORD.findall(pointers):
            look.want(f"sha256:{word.decode()}")
        if not all(look.content.has(digest) for digest in _digests(pointers)):
            return  # said of the content store
    points = read_series(look.objects, look.commit, stored=look.content.read)
    read_system(look.objects, look.commit)
    for name, summary in look.record.metrics.items():
        if len(points.get(name, ())) != summary.count:
            counts = f"{len(points.get(name, ())):,} points, and {summary.count:,} in metrics.json"
            yield Broken("F9", f"metrics/: {name}", f"there are {counts}")


def _digests(data: bytes) -> list[str]:
    return [f"sha256:{word.decode()}" for word in _WORD.findall(data)]


def _check_data(look: _Look) -> Iterator[Broken]:
    if not look.record.data:
        return
    folder = read_tree(look.objects, look.commit).get(_DATA)
    tree = folder.oid if folder is not None and folder.mode == FOLDER else None
    for name in look.record.data:
        try:
            facts = decode_facts(look.record.data, name)
            pages = open_recorded_pages(look.objects, tree, name, facts)
            key = (pages.tree_of(""), facts.digest)
            if key not in look.seen.manifests:
                look.seen.manifests[key] = tuple(_kept_files(pages))
            for digest in look.seen.manifests[key] if facts.kept else ():
                look.want(digest)
        except ReproError as error:
            yield Broken("F16", f"data/{name}", error.message, error.hint or "")


def _kept_files(pages: RecordedPages) -> set[str]:
    entries = (entry for _, page in iter_pages(pages) for entry in page)
    files = (entry for entry in entries if isinstance(entry, FileEntry))
    return {f"sha256:{file.sha256}" for file in files if file.sha256 is not None}


def _check_artifacts(look: _Look) -> Iterator[Broken]:
    held: Mapping[str, str] | None = None
    for artifact in look.record.artifacts:
        if artifact.where == "store":
            look.want(artifact.digest)
            continue
        if held is None:
            folder = read_tree(look.objects, look.commit).get(_ARTIFACTS)
            held = list_files(look.objects, folder.oid) if folder is not None else {}
        what = f"artifacts/{artifact.path}"
        if artifact.path not in held:
            yield Broken("F1", what, "it is not in the record")
            continue
        yield from _check_bytes(look, what, held[artifact.path], artifact)


def _check_media(look: _Look) -> Iterator[Broken]:
    index = read_file(look.objects, look.commit, MEDIA)
    if index is None:
        return
    held = list_media_files(look.objects, look.commit)
    files = {file.path: file for one in parse_media(index) for file in one.files}
    for path, file in files.items():
        if file.where == "store":
            look.want(file.digest)
        elif path not in held:
            yield Broken("F1", path, "it is not in the record")
        else:
            yield from _check_bytes(look, path, held[path], file)


def _check_bytes(look: _Look, what: str, oid: str, said: Artifact | MediaFile) -> Iterator[Broken]:
    data = look.objects.read(oid, limit=_CHUNK_LIMIT)[1]
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if len(data) != said.size or digest != said.digest:
        yield Broken("F1", what, "its bytes are not those of its digest")
