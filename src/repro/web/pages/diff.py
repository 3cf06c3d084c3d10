"""What differs between two runs, in the seven parts of `repro diff`."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from repro.core.codediff import read_code_diff
from repro.core.diff import compare_runs, format_patch
from repro.core.harm import refuse_harmful
from repro.core.lineage import read_lineage
from repro.core.project import Project
from repro.core.query import code_of, list_runs, resolve_run, short_id
from repro.errors import AmbiguousRunError, UnknownRunError
from repro.model.cells import format_change, format_metric
from repro.model.diff import Change, Comparison, describe_package
from repro.model.readable import format_value
from repro.model.run import Record
from repro.model.values import ABSENT, is_nan
from repro.web.codeview import show_files
from repro.web.datasets import show_changes
from repro.web.inert import attach
from repro.web.naming import number_of, project_of
from repro.web.rendering import page

_PACKAGES = "packages."
_SUGGESTED = 50  # names of runs in the list below a field
_PARTS = (
    ("code", "Code"),
    ("command", "Command"),
    ("config", "Config"),
    ("data", "Data"),
    ("environment", "Environment"),
    ("hardware", "Hardware"),
    ("randomness", "Randomness"),
    ("metrics", "Results"),
)


def show_diff(request: Request) -> Response:
    """The difference of the runs `a` and `b`; where one is not named, a form to choose it."""
    project = project_of(request)
    asked = {side: request.query_params.get(side, "").strip() for side in ("a", "b")}
    sides: dict[str, Record] = {}
    problems: list[UnknownRunError | AmbiguousRunError] = []
    for side, text in asked.items():
        try:
            if text:
                sides[side] = resolve_run(project, text)
        except (UnknownRunError, AmbiguousRunError) as error:
            problems.append(error)
    values: dict[str, Any] = {
        "asked": asked,
        "sides": sides,
        "problems": problems,
        "known": list_runs(project, limit=_SUGGESTED).records,
        "short": partial(short_id, project),
        "near": _near(project, sides),
        "comparison": None,
    }
    if len(sides) == 2:
        only = number_of(request.query_params.get("file"))
        values |= _compare(project, sides["a"], sides["b"], only)
    status = 404 if problems else 200
    return page(request, "diff.html", values, status=status)


def give_patch(request: Request) -> Response:
    """All of the code that differs, for `git apply`."""
    project = project_of(request)
    a, b = (resolve_run(project, request.query_params.get(side, "")) for side in ("a", "b"))
    for record in (a, b):
        refuse_harmful(project, record)
    patch = format_patch(project, code_of(a.run), code_of(b.run))
    return attach([patch], f"{a.run.id}-{b.run.id}.patch", len(patch))


def _near(project: Project, sides: dict[str, Record]) -> list[Record]:
    """Runs that the one that is there is likely to be compared with."""
    if len(sides) != 1:
        return []
    [record] = sides.values()
    kin = read_lineage(project, record)
    near = [kin.origin, kin.parent, *kin.reruns[:5], *kin.children[:5], kin.previous]
    return [one for one in near if one is not None]


def _compare(project: Project, a: Record, b: Record, only: int | None) -> dict[str, Any]:
    comparison = compare_runs(project, a, b)
    code = None
    if comparison.code:  # compare_runs has refused code that was made to do harm
        code = read_code_diff(project, code_of(a.run), code_of(b.run), only=only)
    environment = comparison.environment
    packages = {
        key.removeprefix(_PACKAGES): change
        for key, change in environment.items()
        if key.startswith(_PACKAGES)
    }
    sizes = {part: _size(comparison, part) for part, _ in _PARTS}
    return {
        "comparison": comparison,
        "parts_shown": [(part, said, sizes[part]) for part, said in _PARTS if sizes[part]],
        "equal": [said.lower() for part, said in _PARTS if not sizes[part]],
        "code": code,
        "files": show_files(code, only=only) if code is not None else [],
        "only": only,
        "around": {k: v for k, v in environment.items() if not k.startswith(_PACKAGES)},
        "packages": [describe_package(name, change) for name, change in packages.items()],
        "data": show_changes(comparison.data),
        "change": _change,
        "tell": _tell,
    }


def _size(comparison: Comparison, part: str) -> int:
    if part == "command":
        return 0 if comparison.command is None else 1
    return len(getattr(comparison, part))


def _tell(name: str, change: Change) -> list[str]:
    """Both values of a metric as everywhere; whole where they would read the same."""
    there = [one for one in change if one is not ABSENT]
    if not all(isinstance(one, float) for one in there):
        return [format_value(one) for one in change]
    texts = [format_metric(name, one) if isinstance(one, float) else "" for one in change]
    if texts[0] == texts[1]:
        return [repr(one) for one in change]
    return texts


def _change(name: str, change: Change) -> str:
    """By how much a number grew or fell; nothing for what is none."""
    before, after = change
    if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in change):
        return ""
    assert isinstance(before, (int, float))
    assert isinstance(after, (int, float))
    try:
        size = float(after) - float(before)
    except OverflowError:  # integers beyond a float
        return ""
    return "" if is_nan(size) else format_change(name, size)
