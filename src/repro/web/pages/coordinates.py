"""Runs as points among params and metrics, for parallel coordinates and scatter plots."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from repro.core.comparing import choose_compared
from repro.core.coordinates import (
    MOST_RUNS,
    Coordinates,
    read_coordinates,
    sweep_coordinates,
)
from repro.core.sweep.known import find_sweep
from repro.model.canonical import Json
from repro.model.condition import Space
from repro.model.nextword import quote_text
from repro.model.values import Value, is_number
from repro.web.naming import project_of


def give_coordinates(request: Request) -> Response:
    """Those of the runs that `run` names and that fit `q`, or of the trials of `sweep`."""
    project = project_of(request)
    params = request.query_params
    if "sweep" in params:
        found = sweep_coordinates(find_sweep(project, params["sweep"]))
    else:
        runs = choose_compared(project, params.getlist("run"), params.get("q"), most=MOST_RUNS)
        found = read_coordinates(project, runs.ids, params.getlist("metric"))
    return JSONResponse(_coordinates_json(found))


def _coordinates_json(found: Coordinates) -> dict[str, Json]:
    """What the scripts of the page draw: numbers are finite, categories places in their list."""
    return {
        "axes": [
            {
                "id": f"{axis.key.space.value}.{axis.key.name}",
                "title": axis.title,
                "word": axis.word,
                "kind": axis.kind,
                "is_metric": axis.key.space is Space.METRIC,
                "goal": axis.goal,
                "low": axis.low,
                "high": axis.high,
                "labels": list(axis.labels),
                "literals": [_literal(one) for one in axis.categories],
                "values": list(axis.values),
                "without": axis.without,
            }
            for axis in found.axes
        ],
        "shown": list(found.shown),
        "points": [
            {"run": one.run, "label": one.label, "name": one.name, "status": one.status}
            for one in found.points
        ],
    }


def _literal(value: Value) -> str | None:
    """A value as a filter writes it; None where a filter has no such value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return repr(value)
    if isinstance(value, str):
        return quote_text(value)
    return None
