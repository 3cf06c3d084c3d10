"""Curves for charts: as JSON for the page's own script, as one SVG for everybody else."""

import math
from collections.abc import Container, Sequence

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from repro.core.chosen import read_records
from repro.core.comparing import choose_compared
from repro.core.curves import CurveWish, RunCurve, describe_x, quantity_of, read_curves
from repro.core.groupcurves import GroupCurve, read_group_curves
from repro.core.known import open_runs
from repro.core.project import Project
from repro.errors import InvalidInputError
from repro.model.canonical import Json
from repro.model.svgchart import Line, line_chart
from repro.web.comparison import MOST_CURVES
from repro.web.curvegroups import band_of, group_keys
from repro.web.naming import finite_of, project_of, window_of
from repro.web.rendering import site_of

_MOST_POINTS = 5_000  # of one curve
_LONGEST = 500  # characters of the name of a metric
_DIGITS = 9  # of a value: no chart shows more, and answers are half as long


def give_curves(request: Request) -> Response:
    """The points of one metric of some runs, thinned to what a chart shows.

    Numbers are JSON; a NaN is null, an infinity the text `Infinity` or `-Infinity`.
    """
    project = project_of(request)
    wish = _read_wish(project, request.query_params)
    live = _find_live(project, wish.runs)
    means = _read_means(request, wish)
    if means is None:
        curves = read_curves(project, wish, cache=site_of(request).curves)
        drawn = [_curve_json(curve, is_live=curve.run in live) for curve in curves]
    else:
        drawn = [_mean_json(one, place, live) for place, one in enumerate(means)]
    return JSONResponse({"metric": wish.metric, "x": wish.x, "curves": drawn})


def give_chart(request: Request) -> Response:
    """The same as a picture, which needs no script."""
    project = project_of(request)
    params = request.query_params
    wish = _read_wish(project, params)
    means = _read_means(request, wish)
    if means is None:
        curves = read_curves(project, wish, cache=site_of(request).curves)
        labels = _labels(project, wish.runs)
        lines = [
            Line(label=labels[curve.run], xs=curve.x, ys=curve.smooth or curve.y, colour=place)
            for place, curve in enumerate(curves)
        ]
    else:
        lines = [one.as_line(place) for place, one in enumerate(means)]
    chart = line_chart(
        lines,
        title=wish.metric,
        x_label=describe_x(wish.x),
        y_label=wish.metric,
        is_log_x=params.get("logx") == "1",
        is_log_y=params.get("logy") == "1",
        x_quantity=quantity_of(wish.x),
    )
    # As a picture or a file, never as a page of ours.
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"}
    return Response(chart, media_type="image/svg+xml", headers=headers)


def _read_wish(project: Project, params: QueryParams) -> CurveWish:
    """Read what an address says of curves.

    Raises:
        InvalidInputError: A number in it is none, or its window is empty.
        UnknownRunError: It names a run that is not there.
    """
    metric = params.get("metric", "")
    if not metric or len(metric) > _LONGEST:
        raise InvalidInputError("`metric` is the name of a metric")
    low, high = window_of(params)
    runs = choose_compared(project, params.getlist("run"), params.get("q"), most=MOST_CURVES)
    return CurveWish(
        runs=runs.ids,
        metric=metric,
        x=params.get("x") or "step",
        low=low,
        high=high,
        smoothing=finite_of(params, "smooth") or 0.0,
        most=min(int(finite_of(params, "most") or 1000), _MOST_POINTS),
    )


def _read_means(request: Request, wish: CurveWish) -> list[GroupCurve] | None:
    """The means that an address asks for; None where it asks for each run."""
    project = project_of(request)
    keys = group_keys(project, request.query_params)
    if keys is None:
        return None
    band = band_of(request.query_params)
    return read_group_curves(project, wish, keys, band=band, cache=site_of(request).curves)


def _mean_json(one: GroupCurve, place: int, live: Container[str]) -> dict[str, Json]:
    curve = one.curve
    return {
        "group": one.label,
        "place": place,
        "runs": list(one.runs),
        "n_odd": len(one.odd),
        "x": _numbers(curve.x),
        "y": _numbers(_rounded(curve.mean)),
        "low": _numbers(_rounded(curve.low)),
        "high": _numbers(_rounded(curve.high)),
        "problem": " ".join(one.problems) or None,
        "is_live": any(run in live for run in one.group.runs),
    }


def _curve_json(curve: RunCurve, *, is_live: bool) -> dict[str, Json]:
    return {
        "run": curve.run,
        "x": _numbers(curve.x),
        "y": _numbers(_rounded(curve.y)),
        "smooth": None if curve.smooth is None else _numbers(_rounded(curve.smooth)),
        "n_points": curve.n_points,
        "problem": curve.problem,
        "is_live": is_live,
    }


def _rounded(values: Sequence[float]) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]


def _numbers(values: Sequence[float]) -> list[Json]:
    if all(map(math.isfinite, values)):
        return list(values)
    return [_number(value) for value in values]


def _number(value: float) -> Json:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _find_live(project: Project, ids: Sequence[str]) -> set[str]:
    with open_runs(project) as runs:
        return {run_id for run_id in ids if run_id in runs.live}


def _labels(project: Project, ids: Sequence[str]) -> dict[str, str]:
    with open_runs(project) as runs:
        short = runs.shorten(ids)
    names: dict[str, str | None] = {one.run.id: one.run.name for one in read_records(project, ids)}
    return {one: f"{short[one]} {names.get(one) or ''}".rstrip() for one in ids}
