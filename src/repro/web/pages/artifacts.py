"""Artifacts and media of a run: looked at as far as that is harmless, else only saved."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from repro.core.artifactfiles import open_artifact, read_artifact
from repro.core.media import list_media, read_picture
from repro.core.project import Project
from repro.errors import DamagedRecordError, MissingDataError
from repro.model.imagetype import find_image_type
from repro.model.medium import IMAGE_TYPES, MediaFile, Medium
from repro.model.run import Artifact, Record
from repro.model.sheet import MOST_ROWS, read_sheet
from repro.web.highlight import highlight
from repro.web.inert import LARGEST_PICTURE, attach, show_picture
from repro.web.naming import number_of, project_of, record_of
from repro.web.rendering import page

_MOST_LINES = 200
_MOST_AGE_S = 2.0  # in which a page asks for its pictures
_MOST_READ = 256 << 10  # bytes of a text
_LARGEST_READ = 64 << 20  # of a file that is hashed for a preview
_NO_PREVIEW = {"picture": False, "sheet": None, "lines": None, "is_cut": False, "problem": None}
_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def list_artifacts(request: Request) -> Response:
    """The list is a part of the page of the run."""
    return RedirectResponse(f"/runs/{record_of(request).run.id}?tab=artifacts")


def show_artifact(request: Request) -> Response:
    """What an artifact is, with a preview."""
    record, artifact, number = _artifact(request)
    shown: dict[str, object] = {}
    try:
        shown = _preview(project_of(request), record, artifact)
    except (MissingDataError, DamagedRecordError) as error:
        shown["problem"] = error
    values = {
        "record": record,
        "artifact": artifact,
        "number": number,
        "most": _MOST_LINES,
        "most_rows": MOST_ROWS,
    }
    return page(request, "artifact.html", {**_NO_PREVIEW, **values, **shown})


def give_artifact(request: Request) -> Response:
    """The bytes of an artifact: a picture to be shown, anything else to be saved."""
    record, artifact, _ = _artifact(request)
    project = project_of(request)
    if "save" not in request.query_params and artifact.size <= LARGEST_PICTURE:
        data = read_artifact(project, record, artifact, LARGEST_PICTURE + 1)
        answer = show_picture(data)
        if answer is not None:
            return answer
    return attach(open_artifact(project, record, artifact), artifact.path)


def give_picture(request: Request) -> Response:
    """A picture that a run logged, alone or in a table, by its handle."""
    project, record = project_of(request), record_of(request)
    handle = request.path_params["file"]
    file = _find_picture(list_media(project, record, most_age_s=_MOST_AGE_S), handle)
    file = file or _find_picture(list_media(project, record), handle)
    if file is None or file.size > LARGEST_PICTURE:
        raise HTTPException(404, "this run has no such picture that can be shown")
    answer = show_picture(read_picture(project, record, file).data)
    if answer is None:
        raise HTTPException(404, "this is no picture that can be shown")
    return answer


def _find_picture(media: Sequence[Medium], handle: str) -> MediaFile | None:
    files = (file for one in media for file in one.files if file.type in IMAGE_TYPES)
    return next((file for file in files if file.handle == handle), None)


def _artifact(request: Request) -> tuple[Record, Artifact, int]:
    record = record_of(request)
    number = number_of(request.path_params["n"])
    if number is None or number >= len(record.artifacts):
        raise HTTPException(404, "this run has no such artifact")
    return record, record.artifacts[number], number


def _preview(project: Project, record: Record, artifact: Artifact) -> dict[str, object]:
    if artifact.size > _LARGEST_READ:
        return {}
    data = read_artifact(project, record, artifact, _MOST_READ)
    if find_image_type(data) is not None:
        return {"picture": artifact.size <= LARGEST_PICTURE}
    if b"\0" in data:
        return {}
    text = data.decode(errors="surrogateescape").replace("\r\n", "\n")
    separator = _SEPARATORS.get(PurePosixPath(artifact.path).suffix.lower())
    sheet = read_sheet(text, separator) if separator else None
    if sheet is not None:
        return {"sheet": sheet}
    lines = text.split("\n")
    shown = "\n".join(lines[:_MOST_LINES])
    return {
        "lines": highlight(f"{shown}\n", artifact.path),
        "is_cut": len(lines) > _MOST_LINES or len(data) < artifact.size,
    }
