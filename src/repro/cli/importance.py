"""How `repro compare --importance` prints which params go with a metric."""

from collections.abc import Sequence

from repro.cli import render
from repro.core.importance import Importance, importance_json, weigh_params
from repro.core.project import Project
from repro.model.importance import Influence, say_chance, say_strength
from repro.model.readable import count_runs, format_number
from repro.model.text import escape

_MOST = 40  # params shown; --json has all
_LUCKY = 0.05


def print_importance(
    project: Project, metric: str, names: Sequence[str], *, where: str, as_json: bool
) -> None:
    """Print which params go with `metric`, over the named runs or all that fit `where`."""
    found = weigh_params(project, metric, names=names, where=where)
    for problem in found.problems:
        render.note(f"repro: warning: {escape(problem)}")
    if as_json:
        render.data_json(importance_json(found, metric))
        return
    show_importance(found, metric)


def show_importance(found: Importance, metric: str) -> None:
    """Print which params go with `metric`, and on standard error what to know about that."""
    print_influences(found)
    if len(found.influences) > _MOST:
        render.note(f"… and {len(found.influences) - _MOST} more: `--json` has all")
    for line in _remarks(found, metric):
        render.note(line)


def print_influences(found: Importance, limit: int = _MOST) -> None:
    """Print the params that go with a metric as a table, and nothing else."""
    with_forest = found.score is not None
    header = ["param", "goes with it", "runs", "p-value", *(["forest"] if with_forest else [])]
    shown = found.influences[:limit]
    if shown:
        lines = [_line(one, with_forest=with_forest) for one in shown]
        render.out(render.columns([header, *lines]))


def _line(one: Influence, *, with_forest: bool) -> list[str]:
    cells = [one.key, say_strength(one), str(one.n_runs), say_chance(one.chance)]
    return [*cells, _share(one.forest)] if with_forest else cells


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.2f}"


def _remarks(found: Importance, metric: str) -> list[str]:
    """What to know about the numbers."""
    left = f"{count_runs(found.n_runs)} {'has' if found.n_runs == 1 else 'have'} `{escape(metric)}`"
    if found.n_nan:
        have = "has NaN there, and is" if found.n_nan == 1 else "have NaN there, and are"
        left += f"; {found.n_nan:,} more {have} left out"
    lines = [left]
    if not found.influences:
        return [*lines, "no param varies between them"]
    lines.append(
        "signed numbers are Spearman's rank correlation: above 0, the metric rises with the param;"
        " the others, of params that are no numbers, the correlation ratio of the ranks"
    )
    expected = found.n_lucky(_LUCKY)
    if expected >= 1:
        lines.append(
            f"of {len(found.influences)} params, about {format_number(round(expected))}"
            f" come below {_LUCKY} by chance alone"
        )
    if found.constant:
        n_same = len(found.constant)
        are = "param is" if n_same == 1 else "params are"
        lines.append(f"{n_same} {are} the same in all of them")
    if found.score is not None:
        lines.append(
            "`forest`: by how much the share of the variance that a random forest tells (R²) falls"
            " when the param is shuffled; above 0, it relies on the param"
        )
        worth = "" if found.score > 0.1 else ": hardly anything, so its column says little"
        lines.append(
            f"a random forest tells {max(0, found.score):.0%} of the variance of runs that it has"
            f" not seen{worth}"
        )
    else:
        lines.append(f"no random forest: {found.no_forest}")
    return lines
