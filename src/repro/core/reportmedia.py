"""The pictures of a report: the newest of each name that a run logged, as far as there is room."""

from collections import Counter
from collections.abc import Sequence

from repro.core.media import list_media, read_image
from repro.core.project import Project
from repro.errors import ReproError
from repro.model.medium import Medium
from repro.model.report import Pictures, Shot
from repro.model.run import Record


def read_pictures(project: Project, records: Sequence[Record], most: int) -> Pictures:
    """Read the newest picture of each name of each run, the runs in their order.

    One that is too large for what is left is left out, and a smaller one behind it is not.

    Args:
        most: Bytes of all of them together.
    """
    shots, problems = [], []
    n_left = n_newest = 0
    kinds: Counter[str] = Counter()
    for record in records:
        try:
            media = list_media(project, record)
        except ReproError as error:
            problems.append(f"the media of run `{record.run.id}`: {error.message}")
            continue
        newest = {one.name: one for one in media if one.kind == "image"}
        kinds.update(one.kind for one in media)
        n_newest += len(newest)
        for one in newest.values():
            size = _size(one)
            if size > most:
                n_left += 1
                continue
            try:
                picture = read_image(project, record, one)
            except ReproError as error:
                problems.append(f"picture `{one.name}` of run `{record.run.id}`: {error.message}")
                continue
            most -= size
            shot = Shot(
                run=record.run.id,
                name=one.name,
                step=one.step,
                caption=one.caption or "",
                content_type=picture.content_type,
                data=picture.data,
            )
            shots.append(shot)
    return Pictures(
        shots=tuple(shots),
        n_left=n_left,
        n_earlier=kinds["image"] - n_newest,
        n_tables=kinds["table"],
        n_histograms=kinds["histogram"],
        problems=tuple(problems),
    )


def _size(medium: Medium) -> int:
    assert medium.file is not None, "an image has a file"
    return medium.file.size
