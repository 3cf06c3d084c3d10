"""`repro report`: runs as one file to read, to send or to post."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from repro.cli import render
from repro.cli.besideoptions import takes_baseline, takes_limit, takes_where
from repro.cli.completing import complete_metrics, complete_names
from repro.cli.context import RUN, open_here
from repro.cli.outfile import check_target, write_target
from repro.errors import UsageError
from repro.model.readable import count_runs, format_size
from repro.model.text import escape

if TYPE_CHECKING:
    from repro.model.report import Report

_MOST_RUNS = 20  # of those that fit: as many as a chart can tell apart
_FORMATS = {"html": "html", "htm": "html", "md": "md", "markdown": "md", "json": "json"}
_PATCH_CHARS = {"html": 48_000, "md": 20_000}
_STANDARD_OUTPUT = "-"


@click.command()
@click.argument("names", type=RUN, nargs=-1, metavar="[RUN...]")
@takes_where
@click.option(
    "--sort", metavar="KEY", multiple=True, shell_complete=complete_names,
    help="Order of those that fit, ascending; -KEY descending. May be repeated.",
)  # fmt: skip
@takes_limit(_MOST_RUNS)
@takes_baseline
@click.option(
    "-m", "--metric", "metrics", metavar="METRIC", multiple=True, shell_complete=complete_metrics,
    help="Show this metric; those with a goal without it, else those that most runs have.",
)  # fmt: skip
@click.option("--title", metavar="TEXT", default="", help="What stands at the top.")
@click.option(
    "-o", "--output", "target", metavar="FILE", default=_STANDARD_OUTPUT,
    type=click.Path(allow_dash=True),
    help="The file to write, in the format of its ending; standard output without it.",
)  # fmt: skip
@click.option(
    "--format", "kind", type=click.Choice(["html", "md", "json"]),
    help="Format of what is written; Markdown where nothing says another.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.option("--json", "as_json", is_flag=True, help="As --format json.")
def report(  # noqa: PLR0913  # each is an option
    names: tuple[str, ...],
    where: str,
    sort: tuple[str, ...],
    limit: int,
    baseline: str | None,
    metrics: tuple[str, ...],
    title: str,
    target: str,
    kind: str | None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    r"""Write runs into one file to read: HTML to send, Markdown for a pull request.

    \b
    repro report baseline bigger -o report.html
    repro report --where "tag = 'paper'" --sort val_loss -o report.md

    It has a table of the runs, curves, what differs in config, code, data and environment, what
    reruns gave, and how to have each run again. The HTML needs no script and nothing from
    elsewhere; the Markdown fits into a comment on GitHub or GitLab. Without a run and a filter it
    is of the newest runs.
    """
    kind = _choose_format(target, "json" if as_json else None, kind)
    path = None if target == _STANDARD_OUTPUT else Path(target)
    if path is not None:
        check_target(path, force=force)
    project = open_here()
    # Here, for a wrong option needs none of it.
    from repro.core.report import ReportWish, make_report  # noqa: PLC0415

    choice = (
        *(word for value in ([where] if where else []) for word in ("--where", value)),
        *(word for key in sort for word in ("--sort", key)),
        *(("--limit", str(limit)) if limit != _MOST_RUNS else ()),
        *(("--baseline", baseline) if baseline is not None else ()),
    )
    looks = (
        *(word for name in metrics for word in ("--metric", name)),
        *(("--title", title) if title else ()),
        # Its folder is of this machine, and whoever reads the report has another.
        *(("-o", path.name, "--force") if path is not None else ()),
        *(("--format", kind) if path is None or _FORMATS.get(_ending(path)) != kind else ()),
    )
    wish = ReportWish(
        names=names,
        where=where,
        sort=sort,
        limit=limit or None,
        baseline=baseline,
        metrics=metrics,
        title=title,
        choice=choice,
        looks=looks,
    )
    made = make_report(project, wish)
    for problem in made.problems:
        render.note(f"repro: warning: {escape(problem)}")
    if made.n_left:
        render.note(f"… and {made.n_left:,} more fit: `--limit 0` takes all of them")
    _write(made, kind, path)


def _choose_format(target: str, *asked: str | None) -> str:
    """The format that an option names, or the ending of the file; Markdown for a terminal.

    Raises:
        UsageError: Two options differ, or nothing says it.
    """
    wanted = {kind for kind in asked if kind is not None}
    if len(wanted) > 1:
        raise UsageError("`--json` and `--format` exclude each other", hint="give one")
    if wanted:
        return wanted.pop()
    if target == _STANDARD_OUTPUT:
        return "md"
    kind = _FORMATS.get(_ending(Path(target)))
    if kind is None:
        raise UsageError(
            f"the ending of `{escape(target)}` says no format",
            hint="`.html`, `.md` and `.json` do; else give `--format`",
        )
    return kind


def _ending(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")


def _write(made: "Report", kind: str, path: Path | None) -> None:
    if kind == "json":
        from repro.core.report import report_json  # noqa: PLC0415  # as above

        if path is None:
            render.data_json(report_json(made))
            return
        text = render.json_text(report_json(made)) + "\n"
    else:
        text = _page(made, kind)
    if path is None:
        render.page(text.rstrip("\n"))
        return
    data = text.encode()
    write_target(path, data)
    shown = escape(str(path))
    render.note(f"repro: {shown}: {count_runs(len(made.runs))}, {format_size(len(data))}")


def _page(made: "Report", kind: str) -> str:
    from repro.model.reporthtml import write_html  # noqa: PLC0415  # as above
    from repro.model.reportlayout import lay_out_report  # noqa: PLC0415
    from repro.model.reportmarkdown import write_markdown  # noqa: PLC0415

    page = lay_out_report(made, patch_chars=_PATCH_CHARS[kind])
    return write_html(page) if kind == "html" else write_markdown(page)
