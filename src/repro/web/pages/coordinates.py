"""Runs as points among params and metrics, for parallel coordinates and scatter plots."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from repro.core.comparing import choose_compared
from repro.core.coordinates import (
    MOST_RUNS,
    coordinates_json,
    read_coordinates,
    sweep_coordinates,
)
from repro.core.sweep.known import find_sweep
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
    return JSONResponse(coordinates_json(found))
