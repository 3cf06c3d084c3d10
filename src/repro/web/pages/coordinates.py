"""Runs as points among params and metrics, for parallel coordinates and scatter plots."""

import json

from starlette.requests import Request
from starlette.responses import Response

from repro.core.comparing import choose_compared
from repro.core.coordinates import (
    MOST_RUNS,
    coordinates_json,
    read_coordinates,
    sweep_coordinates,
)
from repro.core.sweep.known import find_sweep
from repro.web.rendering import site_of


def give_coordinates(request: Request) -> Response:
    """Those of the runs that `run` names and that fit `q`, or of the trials of `sweep`."""
    project = site_of(request).project
    params = request.query_params
    if "sweep" in params:
        found = sweep_coordinates(find_sweep(project, params["sweep"]))
    else:
        runs = choose_compared(project, params.getlist("run"), params.get("q"), most=MOST_RUNS)
        found = read_coordinates(project, runs.ids, params.getlist("metric"))
    text = json.dumps(coordinates_json(found), allow_nan=False, separators=(",", ":"))
    return Response(text, media_type="application/json")
