"""The sweeps, and one of them."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from repro.core.sweep.figures import best_so_far
from repro.core.sweep.known import find_sweep, list_sweeps
from repro.model.values import is_number
from repro.web.naming import project_of
from repro.web.rendering import page
from repro.web.sweepview import SweepView, sweep_row


def show_sweeps(request: Request) -> Response:
    """All sweeps of the clone, the newest first."""
    project = project_of(request)
    known = list_sweeps(project)
    now = project.clock()
    rows = [sweep_row(at, known.short[at.sweep.id], now) for at in known.sweeps]
    values = {"title": "Sweeps", "rows": rows, "problems": known.problems}
    return page(request, "sweeps.html", values)


def show_sweep(request: Request) -> Response:
    """One sweep, by its id, its name, or `@` for the newest."""
    view = SweepView(request)
    spec = view.at.sweep.spec
    return page(request, "sweep.html", {"title": f"Sweep {spec.name or view.short}", "view": view})


def give_history(request: Request) -> Response:
    """The value of each finished trial, and the best up to it, as JSON."""
    at = find_sweep(project_of(request), request.path_params["sweep"])
    spec = at.sweep.spec
    value = {
        "metric": spec.metric,
        "goal": spec.goal,
        "target": spec.target if is_number(spec.target or 0) else None,
        "history": [
            {"trial": one.trial, "value": one.value, "best": one.best}
            for one in best_so_far(at)
            if is_number(one.value)
        ],
    }
    return JSONResponse(value)
