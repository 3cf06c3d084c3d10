"""The media of a run as files of its record: what goes into git, the store, or neither."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path

from repro.model.marking import Marker
from repro.model.medium import MOST_MEDIA, MediaFile, Medium
from repro.model.secrets import redact_text
from repro.store.content import ContentStore
from repro.store.media import FILE, LARGEST_INDEX, format_media, format_medium
from repro.store.quarantine import Existing

GIT_MEDIA_LIMIT = 64 << 20  # bytes of a run's media in git; the rest goes to the store

Media = Mapping[tuple[str, int], tuple[Medium, ...]]


@dataclass(slots=True)
class SealedMedia:
    """What of media a record gets.

    Attributes:
        files: By path in the record; with media, `media.jsonl` is one of them.
        warnings: On each way in which media are not kept.
    """

    files: dict[str, bytes | Path | Existing] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def by_step(media: Sequence[Medium]) -> dict[tuple[str, int], tuple[Medium, ...]]:
    """Media by their name and step, those of each in their order."""
    found: dict[tuple[str, int], list[Medium]] = {}
    for one in media:
        found.setdefault((one.name, one.step), []).append(one)
    return {key: tuple(some) for key, some in found.items()}


def seal_media(
    folder: Path, content: ContentStore, media: Media, earlier: Mapping[str, str], marker: Marker
) -> SealedMedia:
    """Say which files the media of a run are in its record.

    In the order of their times media are kept while there are at most 20,000 and their list has
    at most 16 MiB; their bytes go into git up to 64 MiB, then to the content store.

    Args:
        folder: Of the run in progress.
        media: By name and step.
        earlier: Object ids of the files that earlier attempts left, by their path in the record.
        marker: Stands in for secrets in captions.
    """
    sealed = SealedMedia()
    if not media:
        return sealed
    places = _Places(folder, content, earlier, sealed.files)
    kept: list[Medium] = []
    n_over = n_gone = size = 0
    ordered = sorted((one for some in media.values() for one in some), key=attrgetter("time"))
    for one in ordered:
        caption = one.caption and redact_text(one.caption, marker)
        medium = replace(one, caption=caption)
        length = len(format_medium(medium))
        if len(kept) == MOST_MEDIA or size + length > LARGEST_INDEX:
            n_over += 1
        elif (placed := places.place(medium)) is None:
            n_gone += 1
        else:
            kept.append(placed)
            size += length
    sealed.warnings.extend(_warnings(n_over, n_gone, len(kept)))
    if kept:
        sealed.files[FILE] = format_media(kept)
    return sealed


def _warnings(n_over: int, n_gone: int, n_kept: int) -> Iterator[str]:
    if n_over:
        yield f"{n_over:,} media are not kept: a record holds no more than the first {n_kept:,}"
    if n_gone:
        yield f"{n_gone:,} media are not kept: their bytes are gone"


class _Places:
    """Finds a place for the bytes of media, each distinct file once."""

    def __init__(
        self,
        folder: Path,
        content: ContentStore,
        earlier: Mapping[str, str],
        files: dict[str, bytes | Path | Existing],
    ) -> None:
        self._folder = folder
        self._content = content
        self._earlier = earlier
        self._files = files
        self._moved: set[str] = set()
        self._size = 0

    def place(self, medium: Medium) -> Medium | None:
        """The medium with its files where they are then; None where one of them is gone."""
        if not all(map(self._is_there, medium.files)):
            return None
        return replace(
            medium,
            file=None if medium.file is None else self._place(medium.file),
            pictures=tuple(map(self._place, medium.pictures)),
        )

    def _is_there(self, file: MediaFile) -> bool:
        known = file.where == "store" or file.path in self._files or file.path in self._earlier
        return known or file.path in self._moved or self._is_whole(file)

    def _is_whole(self, file: MediaFile) -> bool:
        """Whether a power loss left the bytes of a file, which is not synced at once."""
        try:
            data = (self._folder / file.path).read_bytes()
        except OSError:
            return False
        return f"sha256:{hashlib.sha256(data).hexdigest()}" == file.digest

    def _place(self, file: MediaFile) -> MediaFile:
        if file.where == "store" or file.path in self._files:
            return file
        if file.path in self._earlier:
            self._files[file.path] = Existing("100644", self._earlier[file.path])
        elif file.path in self._moved or self._size + file.size > GIT_MEDIA_LIMIT:
            if file.path not in self._moved:
                self._content.put_file(self._folder / file.path)
                self._moved.add(file.path)
            return replace(file, where="store")
        else:
            self._files[file.path] = self._folder / file.path
        self._size += file.size
        return file
