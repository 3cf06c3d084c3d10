"""Media that a run logged, as values: pictures, tables, histograms (FORMAT.md section "Media")."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["image", "table", "histogram"]
FileType = Literal["png", "jpeg", "gif", "webp", "json"]

FOLDER = "media"
# Below it are artifacts that were logged like media, though none of the three kinds.
LOGGED_KINDS = ("audio", "html", "plotly", "video")
IMAGE_TYPES: tuple[FileType, ...] = ("png", "jpeg", "gif", "webp")
TABLE_TYPE: FileType = "json"

MOST_MEDIA = 20_000  # of a run
MOST_BINS = 512  # of a histogram
MOST_ROWS = 100_000  # of a table
MOST_COLUMNS = 1_000
LARGEST_IMAGE = 64 << 20  # bytes
MOST_PIXELS = 1 << 27  # of a picture that is shown: half a gigabyte in memory
LARGEST_TABLE = 16 << 20  # bytes
LONGEST_CAPTION = 4_096  # characters
_SMALL = 160  # pixels; a picture of less than half of it is shown larger than it is


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file of a medium.

    Attributes:
        size: Bytes.
        digest: `sha256:<64 hex>`.
        where: `git` (in the record under `media/`) or `store` (the content store).
        width: Of a picture, in pixels; None where that is not known. `height` likewise.
    """

    type: FileType
    size: int
    digest: str
    where: Literal["git", "store"]
    width: int | None = None
    height: int | None = None

    @property
    def path(self) -> str:
        """Where it is in the record, and in a live folder."""
        return f"{FOLDER}/{self.digest.partition(':')[2]}.{self.type}"

    @property
    def handle(self) -> str:
        """What an address calls it, among the files of one run: how its digest begins."""
        return self.digest.partition(":")[2][:16]


@dataclass(frozen=True, slots=True)
class Bins:
    """A histogram.

    Attributes:
        edges: Shape (n + 1,), finite, never falling.
        counts: Shape (n,), finite; whole numbers, or densities.
        skipped: Values that were not finite, and are in no bin.
    """

    edges: tuple[float, ...]
    counts: tuple[float, ...]
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """One picture, table or histogram that was logged.

    Attributes:
        name: As that of a metric; of rank r > 0 `rank<r>/<name>`.
        time: When it was logged, in seconds since 1970.
        place: Which of those that were logged under the name at the step, from 0.
        file: Of an image and a table; None of a histogram.
        bins: Of a histogram.
        rows: Of a table: how many are in its file, and `left_out` how many are not.
        columns: Of a table: how many.
        pictures: Of a table: the files that its cells show, by their number.
    """

    name: str
    step: int
    time: float
    place: int
    kind: Kind
    caption: str | None = None
    file: MediaFile | None = None
    bins: Bins | None = None
    rows: int = 0
    left_out: int = 0
    columns: int = 0
    pictures: tuple[MediaFile, ...] = ()

    @property
    def files(self) -> tuple[MediaFile, ...]:
        """All of its files."""
        return (*([self.file] if self.file is not None else []), *self.pictures)


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of an image, which are of that type by what they start with."""

    type: FileType
    data: bytes

    @property
    def content_type(self) -> str:
        """Such as `image/png`; never that of anything that could hold a script."""
        return f"image/{self.type}"


@dataclass(frozen=True, slots=True)
class CellImage:
    """A cell of a table that shows a picture.

    Attributes:
        number: Which of the `pictures` of its medium.
    """

    number: int


Cell = None | bool | int | float | str | CellImage


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table.

    Attributes:
        rows: The first ones; each has a cell for each column.
        total: How many rows the table has in its file.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int


def is_logged_file(path: str) -> bool:
    """Whether the artifact of that path in a record is a file that was logged like media."""
    return path.startswith(tuple(f"{FOLDER}/{kind}/" for kind in LOGGED_KINDS))


def enlarge(width: int | None, height: int | None) -> tuple[int, int] | None:
    """The size at which each pixel of a small picture is seen; None of one that is large enough."""
    if not width or not height or max(width, height) > _SMALL // 2:
        return None
    factor = _SMALL // max(width, height)
    return width * factor, height * factor
