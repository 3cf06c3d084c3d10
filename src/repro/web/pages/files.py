"""The code of a run: its folders and files, as far as git has them."""

import io
from itertools import islice

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from repro.core.codetree import LARGEST_TEXT, CodeFile, look_up_code, open_code_file
from repro.model.imagetype import find_image_type
from repro.web.highlight import highlight
from repro.web.inert import attach, show_picture
from repro.web.naming import names_after, number_of, path_to, project_of, record_of
from repro.web.rendering import page

_MOST_LINES = 20_000


def show_code(request: Request) -> Response:
    """A folder or a file; with `?raw=1` the bytes of a file, to be saved, or a picture."""
    project, record = project_of(request), record_of(request)
    names = names_after(request, "/files") if "path" in request.path_params else []
    if names[-1:] == [""]:
        del names[-1]
    number = number_of(request.query_params.get("page")) or 1
    found = look_up_code(project, record, names, page=number)
    if found is None:
        raise HTTPException(404, "the code of this run has no such file")
    above = [(name, path_to(names[: n + 1])) for n, name in enumerate(names)]
    values = {"record": record, "above": above, "path_to": path_to}
    if not isinstance(found, CodeFile):
        links = [path_to([*names, one.name]) for one in found.entries]
        return page(request, "folder.html", {**values, "folder": found, "links": links})
    if "raw" not in request.query_params:
        shown = _shown(found, names[-1])
        return page(request, "file.html", {**values, "file": found, **shown})
    if found.entry.size is None:
        raise HTTPException(404, "its bytes are not in this clone")
    answer = show_picture(found.data) if found.data is not None else None
    blocks = open_code_file(project, found.entry)
    return answer or attach(blocks, names[-1], found.entry.size)


def _shown(file: CodeFile, name: str) -> dict[str, object]:
    """What can be seen of a file: a picture, its lines, or only how large it is."""
    data = file.data
    if data is None or file.entry.kind == "link" or find_image_type(data) or b"\0" in data:
        is_picture = data is not None and find_image_type(data) is not None
        return {"is_picture": is_picture, "lines": None, "limit": LARGEST_TEXT}
    text = data.decode(errors="surrogateescape").replace("\r\n", "\n")
    first = list(islice(io.StringIO(text, newline="\n"), _MOST_LINES))
    return {
        "is_picture": False,
        "lines": highlight("".join(first), name) if text else [],
        "n_lines": text.count("\n") + (not text.endswith("\n")),
        "limit": LARGEST_TEXT,
    }
