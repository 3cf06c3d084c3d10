"""One run: all of its record, a tab at a time."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from repro.core.codediff import read_code_diff
from repro.core.diff import format_patch
from repro.core.doctor import examine
from repro.core.harm import refuse_harmful
from repro.core.history import WORDS, read_history
from repro.core.hooks.rewrites import current_base
from repro.core.lineage import Lineage, read_lineage
from repro.core.media import count_media, list_media, read_rows
from repro.core.project import Project
from repro.core.query import code_of, resolve_run, short_id
from repro.core.runcurves import read_run_curves, read_system_curves
from repro.core.runoutput import open_output, read_output_end
from repro.core.signatures import check_signatures
from repro.errors import (
    DamagedRecordError,
    MissingDataError,
    NewerFormatError,
    ReproError,
    UnknownRunError,
)
from repro.model.ansi import read_lines
from repro.model.canonical import Json
from repro.model.cells import format_metric
from repro.model.config import flatten_config
from repro.model.diff import split_environment
from repro.model.ids import is_id
from repro.model.medium import enlarge
from repro.model.progress import last_heard
from repro.model.run import Record, Status
from repro.model.times import parse_time
from repro.web.address import changed_address, kept_query
from repro.web.codeview import show_files
from repro.web.datasets import compare_with, list_facts
from repro.web.facts import show_facts
from repro.web.inert import attach
from repro.web.mediaview import number_columns, view_media
from repro.web.naming import number_of, project_of, record_of
from repro.web.rendering import FRAGMENT, page, site_of
from repro.web.smallcharts import draw_histogram, draw_small

TABS = {
    "overview": "Overview",
    "output": "Output",
    "code": "Code",
    "data": "Data",
    "environment": "Environment",
    "machine": "Machine",
    "artifacts": "Artifacts",
    "media": "Media",
    "history": "History",
    "reproduce": "Reproduce",
}
_LINES = 500  # of output
_MOST_LINES = 10_000
_CHARTS = 24
_MOST_CHARTS = 500
_POINTS = 300  # of a small chart
_TABLE_ROWS = 50

Values = dict[str, Any]
_T = TypeVar("_T")


def show_named(request: Request) -> Response:
    """Whatever else names a run leads to its address."""
    record = resolve_run(project_of(request), request.path_params["name"])
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/runs/{quote(record.run.id)}{query}")


def show_run(request: Request) -> Response:
    """The page of a run, with the tab that the address names."""
    name = request.path_params["id"]
    if not is_id(name):
        request.path_params["name"] = name
        return show_named(request)
    project = project_of(request)
    try:
        record = resolve_run(project, name)
    except UnknownRunError as error:
        if FRAGMENT not in request.headers:
            raise
        return page(request, "gone.html", {"error": error}, instead="gone")
    except (DamagedRecordError, NewerFormatError) as error:
        return _say_unreadable(request, name, error)
    tab = request.query_params.get("tab", "overview")
    if tab not in TABS:
        raise HTTPException(404, "the page of a run has no such part")
    values: Values = {
        "record": record,
        "run": record.run,
        "tab": tab,
        "tabs": TABS,
        "title": record.run.name or record.run.id,
        "is_running": record.run.status is Status.RUNNING and not record.commit,
        "elapsed": _elapsed(project, record),
        "short": partial(short_id, project),
    }
    if request.headers.get(FRAGMENT) != "head":  # which is asked for whenever any run changes
        n_media, _ = _read(lambda: count_media(project, record))
        values |= {"n_media": n_media, **_FILL[tab](project, record, request)}
    return page(request, "run.html", values)


def _say_unreadable(request: Request, run_id: str, error: ReproError) -> Response:
    if FRAGMENT in request.headers:
        return page(request, "gone.html", {"error": error}, instead="gone")
    values = {"run": run_id, "title": run_id, "error": error}
    return page(request, "unreadable.html", values, status=422)


def _elapsed(project: Project, record: Record) -> float | None:
    """Seconds that a run in progress has lasted; None of one that is over, or runs elsewhere."""
    if record.commit or record.run.status is not Status.RUNNING:
        return None
    return max(project.clock() - parse_time(record.run.started or record.run.created), 0.0)


def give_output(request: Request) -> Response:
    """All that a run printed, to be saved."""
    record = record_of(request)
    blocks = open_output(project_of(request), record)
    return attach(blocks, f"{record.run.id}-output.log")


def give_patch(request: Request) -> Response:
    """How the code of a run differs from its base, for `git apply`."""
    project, record = project_of(request), record_of(request)
    refuse_harmful(project, record)
    if record.run.base is None:
        raise HTTPException(404, "this run was made before the first commit: there is no base")
    patch = format_patch(project, record.run.base, code_of(record.run))
    return attach([patch], f"{record.run.id}.patch", len(patch))


def _overview(project: Project, record: Record, request: Request) -> Values:
    every = "charts" in request.query_params
    names = list(record.metrics)[: _MOST_CHARTS if every else _CHARTS]
    cache = site_of(request).curves
    found, problem = _read(
        lambda: read_run_curves(project, record, names, most=_POINTS, cache=cache)
    )
    base = record.run.base
    return {
        "heard": last_heard(record.run),
        "base_now": current_base(project, base) if base else None,
        "config": flatten_config(record.config),
        "summary": flatten_config(record.summary),
        "metric": format_metric,
        "charts": {name: draw_small(name, one, "step") for name, one in (found or {}).items()},
        "n_hidden": 0 if every else len(record.metrics) - len(names),
        "problem": problem,
    }


def _output(project: Project, record: Record, request: Request) -> Values:
    wanted = number_of(request.query_params.get("lines")) or _LINES
    end = read_output_end(project, record, min(wanted, _MOST_LINES))
    return {
        "end": end,
        "lines": list(read_lines(end.lines)),
        "more": min(max(wanted, _LINES) * 10, _MOST_LINES) if wanted < _MOST_LINES else None,
    }


def _code(project: Project, record: Record, request: Request) -> Values:
    only = number_of(request.query_params.get("file"))
    if record.run.base is None or record.run.snapshot is None:
        return {"diff": None, "files": [], "only": None}
    if record.run.base != record.run.snapshot:  # else nothing is walked
        refuse_harmful(project, record)
    diff = read_code_diff(project, record.run.base, record.run.snapshot, only=only)
    return {"diff": diff, "files": show_files(diff, only=only), "only": only}


def _data(project: Project, record: Record, request: Request) -> Values:
    against = request.query_params.get("against", "").strip()
    other, why = (resolve_run(project, against), "") if against else _other(project, record)
    changes = compare_with(project, other, record) if other is not None else {}
    return {"datasets": list_facts(record), "other": other, "why": why, "changes": changes}


def _other(project: Project, record: Record) -> tuple[Record | None, str]:
    """The run whose data those of this one are likeliest compared with, and why."""
    kin = read_lineage(project, record)
    near = (
        (kin.origin, "which it does again"),
        (kin.parent, "from which it went on"),
        (kin.previous, "created just before it"),
    )
    return next((pair for pair in near if pair[0] is not None), (None, ""))


def _environment(_project: Project, record: Record, _request: Request) -> Values:
    parts = split_environment(record.environment, record.randomness)
    start = "packages."
    packages = {
        key.removeprefix(start): value
        for key, value in sorted(parts.environment.items(), key=lambda pair: pair[0].casefold())
        if key.startswith(start)
    }
    facts = {key: value for key, value in parts.environment.items() if not key.startswith(start)}
    return {
        "facts": show_facts(facts),
        "packages": packages,
        "randomness": show_facts(_randomness(record, parts.randomness)),
    }


def _randomness(record: Record, compared: Mapping[str, Json]) -> dict[str, Json]:
    """What is known of seeds and generators; the record tells it twice, short and whole."""
    if not record.randomness:
        return dict(compared)
    variables = {key: value for key, value in compared.items() if key.startswith("variables.")}
    return {**variables, **flatten_config(record.randomness)}


def _machine(project: Project, record: Record, _request: Request) -> Values:
    found, problem = _read(lambda: read_system_curves(project, record, most=_POINTS))
    return {
        "hardware": show_facts(split_environment(record.environment).hardware),
        "charts": {name: draw_small(name, one, "seconds") for name, one in (found or {}).items()},
        "problem": problem,
    }


def _artifacts(_project: Project, _record: Record, _request: Request) -> Values:
    return {}  # all of it is in the record


def _media(project: Project, record: Record, request: Request) -> Values:
    found, problem = _read(lambda: list_media(project, record))
    media = found or []
    params = request.query_params
    start = number_of(params.get("from")) or 0
    name = params.get("name")
    return {
        "n_media": len(media),
        "problem": problem,
        "view": view_media(media, step=number_of(params.get("step")), name=name, start=start),
        "only": name,
        "at": partial(changed_address, request),
        "others": kept_query(request, "step"),
        "rows_of": partial(_rows, project, record),
        "is_number": number_columns,
        "enlarge": enlarge,
        "histogram": draw_histogram,
    }


def _rows(project: Project, record: Record, medium: Any) -> Any:
    rows = _read(lambda: read_rows(project, record, medium, limit=_TABLE_ROWS))
    return {"table": rows[0], "problem": rows[1]}


def _read(read: Callable[[], _T]) -> tuple[_T | None, ReproError | None]:
    """What a part of a page shows; where that cannot be read, why: the others are shown still."""
    try:
        return read(), None
    except (DamagedRecordError, MissingDataError) as error:
        return None, error


def _history(project: Project, record: Record, _request: Request) -> Values:
    lineage: Lineage = read_lineage(project, record)
    # To look at a run of somebody else must not reach out to a server that it names.
    signed = check_signatures(project, [record.run.id], by_network=False) if record.commit else []
    return {
        "kin": lineage,
        "steps": read_history(project, record),
        "said": _said,
        "signature": next(iter(signed), None),
    }


def _said(what: str, side: str | None) -> str:
    """One side of a change: a text as it is, of a file the beginning of its object id."""
    return "" if side is None else side if what in WORDS else side[:12]


def _reproduce(project: Project, record: Record, request: Request) -> Values:
    short = short_id(project, record.run.id)
    commands = {
        f"See its code{' and data' if record.data else ''} in this folder": (
            f"repro checkout {short}{' --data' if record.data else ''}"
        ),
        "Run it again, and compare the results": f"repro rerun {short} --verify",
        "Run another command in its state": f"repro exec {short} -- python",
        "Have it in another clone": f"repro fetch {record.run.id}",
        "See what could keep it from running": f"repro doctor {short}",
    }
    is_asked = "examine" in request.query_params
    look: Callable[[], Any] = partial(examine, project, record, ask_index=False)
    return {"commands": commands, "examination": look if is_asked else None}


_FILL: dict[str, Callable[[Project, Record, Request], Values]] = {
    "overview": _overview,
    "output": _output,
    "code": _code,
    "data": _data,
    "environment": _environment,
    "machine": _machine,
    "artifacts": _artifacts,
    "media": _media,
    "history": _history,
    "reproduce": _reproduce,
}
