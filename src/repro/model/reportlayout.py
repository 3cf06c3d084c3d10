"""A report laid out as a page: what is shown of it, in which order, in which words."""

import shlex
from collections.abc import Iterator, Sequence

from repro.model.blocks import (
    Block,
    Cell,
    Chart,
    Code,
    Commands,
    Fold,
    Image,
    Items,
    Page,
    Paragraph,
    Plot,
    Quote,
    Section,
    Table,
    Text,
    quote,
    quote_names,
)
from repro.model.datatext import describe_change, list_files
from repro.model.environment import environment_facts
from repro.model.importance import Influence, say_chance, say_strength
from repro.model.readable import count_of, count_runs, format_duration, shorten
from repro.model.report import Report
from repro.model.reportcode import lay_out_code
from repro.model.reporttables import (
    cut_items,
    label_run,
    lay_beside,
    plain_cell,
    quoted_cell,
    row_cells,
    rows_of,
    say_more,
    telling_rows,
)
from repro.model.rowtext import is_numeric
from repro.model.run import Record, Status, describe_status
from repro.model.verdict import Verdict
from repro.model.verdicttext import headline

_MOST_VALUES = 11  # columns of params and metrics of the table of runs
_FEWEST_PARAMS = 5  # of them
_MOST_TAGS = 8  # of one run
_MOST_FACTS = 200  # that are the same in all runs
_MOST_FILES = 20  # of a dataset
_MOST_WEIGHTS = 20
_MOST_WARNINGS = 20
_MOST_NOTES = 20
_MOST_LINES = 60  # of a note
_LONGEST = 400  # characters of a command, or of a sentence
_GOALS = {"minimize": " ↓", "maximize": " ↑"}
_AROUND = {"environment": "Environment", "hardware": "Hardware", "randomness": "Randomness"}


def lay_out_report(report: Report, *, patch_chars: int) -> Page:
    """Give the page of a report.

    Args:
        patch_chars: Room for all patches together.
    """
    sections = [
        Section("Runs", list(_runs(report))),
        Section("Curves", list(_curves(report))),
        Section("Pictures", list(_pictures(report))),
        Section("Notes", list(_notes(report))),
        Section("Config", list(_config(report))),
        Section("Summary", list(lay_beside(report, "summary", "What the runs set as summary"))),
        Section("Code", list(lay_out_code(report, patch_chars))),
        Section("Data", list(_data(report))),
        Section("Environment", list(_environment(report))),
        Section("Importance", list(_weights(report))),
        Section("Reruns", list(_verdicts(report))),
        Section("Reproduce", list(_reproduce(report))),
    ]
    return Page(
        title=_title(report),
        head=list(_head(report)),
        sections=[section for section in sections if section.blocks],
    )


def _title(report: Report) -> Text:
    if report.title:
        return (shorten(report.title, _LONGEST),)
    if len(report.runs) > 1:
        return (f"Report of {count_runs(len(report.runs))}",)
    run = report.runs[0].run
    return ("Report of run ", quote(run.name or run.id))


def _head(report: Report) -> Iterator[Block]:
    n_runs = len(report.runs)
    chosen = _chosen(report)
    if n_runs > 1:
        chosen += (" All are compared with ", *label_run(report, report.runs[0]), ".")
    yield Paragraph(chosen)
    made = f"{report.made[:16].replace('T', ' ')} UTC"
    again = "makes it again" if report.is_fixed else "makes one of the runs that fit then"
    yield Paragraph((f"Made on {made} by repro {report.version}; this {again}:",))
    yield Commands([shlex.join(report.command)])
    live = sum(record.run.status is Status.RUNNING for record in report.runs)
    if live:
        are = "1 run was" if live == 1 else f"{live:,} runs were"
        yield Paragraph((f"{are} in progress then.",))
    if report.problems:
        yield Paragraph(("What could not be read:",))
        yield Items([(quote(problem, _LONGEST),) for problem in report.problems])


def _chosen(report: Report) -> Text:
    """How many runs there are, and how they were chosen."""
    n_runs = len(report.runs)
    text: Text = (count_runs(n_runs),)
    if report.where:
        fit = "fits" if n_runs == 1 and not report.has_named else "fit"
        text += (": by name, and those that " if report.has_named else " that ",)
        text += (f"{fit} ", quote(report.where, _LONGEST))
    if report.has_named and not report.where:
        return (*text, ".")
    text += (", by ", quote(", ".join(report.sort))) if report.sort else (", the newest first",)
    return (*text, f"; {report.n_left:,} more fit." if report.n_left else ".")


def _runs(report: Report) -> Iterator[Block]:
    runs = [record.run for record in report.runs]
    shorts = [Cell((Code(report.short[run.id]),), colour=place) for place, run in enumerate(runs)]
    columns: list[tuple[Cell, list[Cell], bool]] = [(plain_cell("run"), shorts, False)]
    if any(run.name for run in runs):
        columns.append((plain_cell("name"), [quoted_cell(run.name or "") for run in runs], False))
    columns.append((plain_cell("status"), [_status(record) for record in report.runs], False))
    params = telling_rows(report, "config")[: _n_params(report)] if len(runs) > 1 else []
    found = {row.key: row for row in rows_of(report, "metrics")}
    metrics = [found[name] for name in report.metrics if name in found]
    code = [row for row in rows_of(report, "code") if row.differs]
    for row in (*params, *metrics, *code):
        head = Cell((quote(row.key), _GOALS.get(row.goal or "", "")) if row.key else ("code",))
        columns.append((head, row_cells(row), is_numeric(row)))
    columns.append(
        (plain_cell("duration"), [plain_cell(format_duration(r.duration_s)) for r in runs], True)
    )
    if any(run.tags for run in runs):
        columns.append((plain_cell("tags"), [_tags(run.tags) for run in runs], False))
    yield Table(
        caption="Runs: params that differ, and the last values of metrics",
        heads=[head for head, _, _ in columns],
        rows=list(zip(*(cells for _, cells, _ in columns), strict=True)),
        right=frozenset(place for place, column in enumerate(columns) if column[2]),
    )
    if any(row.best() for row in metrics):
        yield Paragraph(("Bold is the best by the goal of the metric: ↓ lower, ↑ higher.",))
    left = report.n_metrics - len(report.metrics)
    if left > 0:
        yield Paragraph((f"{count_of(left, 'more metric')}: ", Code("--metric NAME"), " shows it."))


def _tags(tags: Sequence[str]) -> Cell:
    if not tags:
        return plain_cell("-")
    shown: Text = (quote(tags[0]),)
    for tag in tags[1:_MOST_TAGS]:
        shown += (", ", quote(tag))
    more = len(tags) - _MOST_TAGS
    return Cell((*shown, f" and {more:,} more") if more > 0 else shown)


def _n_params(report: Report) -> int:
    """For how many params there is room beside the metrics."""
    return max(_FEWEST_PARAMS, _MOST_VALUES - len(report.metrics))


def _status(record: Record) -> Cell:
    run = record.run
    text: Text = (describe_status(run),)
    if run.exit_code:
        text += (f", exit code {run.exit_code}",)
    if run.signal:
        text += (", ", quote(run.signal))
    return Cell(text)


def _curves(report: Report) -> Iterator[Block]:
    places: dict[str, int] = {record.run.id: place for place, record in enumerate(report.runs)}
    names: dict[str, str | None] = {one.run.id: one.run.name for one in report.runs}
    for one in report.curves:
        lines = [
            Plot(
                label=" ".join(filter(None, [report.short[curve.run], names[curve.run]])),
                xs=curve.xs,
                ys=curve.ys,
                colour=places[curve.run],
            )
            for curve in one.curves
        ]
        yield Chart(title=one.metric, x_label="step", lines=lines)
    left = len(report.metrics) - len(report.curves)
    if report.curves and left > 0:
        yield Paragraph(
            ("Drawn are metrics with a goal: ", Code("--metric NAME"), " draws others.")
        )


def _pictures(report: Report) -> Iterator[Block]:
    names: dict[str, str | None] = {one.run.id: one.run.name for one in report.runs}
    for one in report.pictures.shots:
        name = names.get(one.run)
        caption: Text = (quote(one.name), f", step {one.step:,}, of ", Code(report.short[one.run]))
        caption += (" (", quote(name), ")") if name else ()
        caption += (": ", quote(one.caption, _LONGEST)) if one.caption else ()
        yield Image(caption, one.content_type, one.data)
    found = report.pictures
    counted = (
        (found.n_left, "picture", " that there is no room for"),
        (found.n_earlier, "earlier picture", ""),
        (found.n_tables, "table", ""),
        (found.n_histograms, "histogram", ""),
    )
    left = [count_of(number, what) + rest for number, what, rest in counted if number]
    if left:
        yield Paragraph((f"Not shown: {', '.join(left)}. ", Code("repro ui"), " shows all."))


def _notes(report: Report) -> Iterator[Block]:
    noted = [record for record in report.runs if record.run.note]
    for record in noted[:_MOST_NOTES]:
        lines = (record.run.note or "").splitlines()
        shown = [shorten(line, _LONGEST) for line in lines[:_MOST_LINES]]
        left = len(lines) - len(shown)
        yield Paragraph((*label_run(report, record), ":"))
        yield Quote([*shown, *([f"… and {left:,} more lines"] if left else [])])
    if len(noted) > _MOST_NOTES:
        more = count_of(len(noted) - _MOST_NOTES, "more note")
        yield Paragraph((f"… and {more}: ", Code("repro show RUN"), " has each."))
    warnings: list[Text] = []
    for record in report.runs:
        run = record.run
        said = [quote(warning, _LONGEST) for warning in run.warnings]
        if run.lost_points:
            warnings.append((Code(report.short[run.id]), f": {run.lost_points:,} points are lost"))
        warnings += [(Code(report.short[run.id]), ": ", one) for one in said]
    if warnings:
        yield Paragraph(("Warnings:",))
        yield Items(cut_items(warnings, _MOST_WARNINGS))


def _config(report: Report) -> Iterator[Block]:
    telling = telling_rows(report, "config")
    if len(report.runs) == 1:
        yield from lay_beside(report, "config", "Params")
        return
    if len(telling) > _n_params(report):
        yield from lay_beside(report, "config", "Params that differ")
    elif telling:
        params = count_of(len(telling), "param")
        yield Paragraph((f"{params} of the table above {_do(len(telling))}.",))
    same = [row for row in rows_of(report, "config") if not row.differs]
    if same:
        title = f"{count_of(len(same), 'param')} the same in all runs"
        table = Table(
            caption=title,
            heads=[plain_cell("param"), plain_cell("value")],
            rows=[(Cell((quote(row.key),)), row_cells(row)[0]) for row in same[:_MOST_FACTS]],
        )
        yield Fold((title,), [table, *say_more(len(same), _MOST_FACTS)])


def _do(number: int) -> str:
    return "differs" if number == 1 else "differ"


def _data(report: Report) -> Iterator[Block]:
    yield from lay_beside(report, "data", "Datasets, by their digests")
    for one in report.data:
        names: Text = ()
        for run_id in one.runs:
            names += (*((", ",) if names else ()), Code(report.short[run_id]))
        told = [(quote(line, _LONGEST),) for line in list_files(one.change)]
        title: Text = (quote(one.name), " of ", *names, f": {describe_change(one.change)}")
        yield Fold(title, [Items(cut_items(told, _MOST_FILES))], is_open=len(told) <= _MOST_FILES)


def _environment(report: Report) -> Iterator[Block]:
    first = report.runs[0]
    facts = list(environment_facts(first.environment))
    if facts:
        of: Text = (" of ", *label_run(report, first)) if len(report.runs) > 1 else ()
        yield Paragraph(("Environment", *of, ": ", quote("; ".join(facts), _LONGEST), "."))
    if len(report.runs) == 1:
        return
    differing = [part for part in _AROUND if telling_rows(report, part)]
    for part in differing:
        yield from lay_beside(report, part, f"{_AROUND[part]}: what differs")
    if facts and not differing:
        yield Paragraph(("Nothing of environment, hardware and randomness differs.",))


def _weights(report: Report) -> Iterator[Block]:
    if report.weights is None or not report.weights.influences:
        return
    shown = report.weights.influences[:_MOST_WEIGHTS]
    yield Paragraph(
        (
            "Which params go with ", quote(report.weights.metric),
            f", over {count_runs(report.weights.n_runs)}, the least likely to be luck first."
            " Signed numbers are rank correlations: above 0, the metric rises with the param.",
        )
    )  # fmt: skip
    yield Table(
        caption="Params by how they go with the metric",
        heads=[
            plain_cell("param"),
            plain_cell("goes with it"),
            plain_cell("runs"),
            plain_cell("p-value"),
        ],
        rows=[_weight(one) for one in shown],
        right=frozenset({1, 2, 3}),
    )


def _weight(one: Influence) -> list[Cell]:
    cells = (say_strength(one), str(one.n_runs), say_chance(one.chance))
    return [Cell((quote(one.key),)), *map(plain_cell, cells)]


def _verdicts(report: Report) -> Iterator[Block]:
    if report.verdicts:
        yield Items([_verdict(report, one) for one in report.verdicts])


def _verdict(report: Report, verdict: Verdict) -> Text:
    outcome = verdict.outcome.value
    rest = headline(verdict).removeprefix(outcome).removeprefix(":").strip()
    run, of = (report.short.get(one, one) for one in (verdict.run, verdict.rerun_of))
    text: Text = (Code(run), " against ", Code(of), f": {outcome}")
    text += (", ", *quote_names(rest, _LONGEST)) if rest else ()
    if verdict.causes:
        cause = verdict.causes[0]
        text += ("; likeliest cause: ", quote(f"{cause.part}: {cause.what}", _LONGEST))
    return text


def _reproduce(report: Report) -> Iterator[Block]:
    yield Paragraph(
        (
            "In a clone of this repository, ",
            Code("repro fetch"),
            " brings the runs that were pushed.",
        )
    )
    rows = [_commands(record) for record in report.runs]
    yield Table(
        caption="How to have each run again",
        heads=[
            plain_cell("run"),
            plain_cell("was"),
            plain_cell("its code"),
            plain_cell("the same again, verified"),
        ],
        rows=rows,
    )


def _commands(record: Record) -> list[Cell]:
    run = record.run
    words = shlex.join(run.command)
    was = words if run.cwd == "." else f"cd {shlex.quote(run.cwd)} && {words}"
    first = [Cell((Code(run.id),)), quoted_cell(was, _LONGEST)]
    if run.status is Status.RUNNING:
        return [*first, plain_cell("in progress"), plain_cell("in progress")]
    return [
        *first,
        Cell((Code(f"repro checkout {run.id}"),)),
        Cell((Code(f"repro rerun {run.id} --verify"),)),
    ]
