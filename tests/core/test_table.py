"""One page of the table of all runs."""

import math
from pathlib import Path

import pytest
from tests.support.evaluate import select
from tests.support.projects import begin, make_run, open_here
from tests.support.records import NOW, a_summary, make_record, open_at, write_run, write_runs

from repro.core.choosing import Choice
from repro.core.grouping import group_chosen
from repro.core.known import open_runs
from repro.core.table import read_table
from repro.core.tableview import TableView, TableWish, word_of
from repro.errors import FilterError, UsageError
from repro.model.binding import parse_filter, parse_sort, resolve_name
from repro.model.condition import Key, Space
from repro.model.groups import Statistics
from repro.model.run import Record
from repro.model.times import format_time
from repro.model.values import ABSENT, Value
from repro.store import index_groups


def write_some(root: Path, n_runs: int = 30) -> list[Record]:
    """Runs of which some lack a value, have NaN, or are all the same."""
    records = [
        make_record(
            created=format_time(NOW + number // 2),
            duration_s=float(number % 5),
            config={
                "lr": 0.1 * (number % 4),
                "kind": "ab"[number % 2],
                **({"depth": number} if number % 3 else {}),
                "betas": [0.9, number % 2],
                "seed": 1,
            },
            metrics={
                "loss": a_summary(math.nan if number == 7 else 30.0 - number, goal="minimize"),
                **({"f1": a_summary(number / 7, min=number % 6)} if number % 5 else {}),
            },
            tags=("even", "x") if number % 2 == 0 else (),
            note="odd" if number == 3 else None,
        )
        for number in range(n_runs)
    ]
    return write_runs(open_at(root), records)


def titles(view: TableView) -> list[str]:
    return [column.title for column in view.columns]


def test_pages_together_are_the_runs_that_fit_in_their_order(repository: Path) -> None:
    records = write_some(repository)
    project = open_here(repository)
    filters = (
        "", "lr > 0.05", "kind = a or f1.min > 3", "not (kind = a) and lr < 0.25",
        "f1 is null or (depth > 3 and depth < 20) or (kind = b and loss < 12)",
        "f1 is null", "f1 is not null and depth is null", "tag = even or depth = 5",
        "status = finished and f1 > 1 and loss < 25", "depth != 4 and not tag = even",
    )  # fmt: skip
    sorts = ((), ("loss",), ("-metrics.f1.min", "duration"), ("depth",), ("-kind", "lr"))
    with open_runs(project) as runs:
        asked = [
            (where, sort, parse_filter(where, runs.index, now=NOW), parse_sort(sort, runs.index))
            for where in filters
            for sort in sorts
        ]
    for where, sort, condition, keys in asked:
        expected = select(records, condition, keys)
        found: list[str] = []
        for page in range(1, 12):
            wish = TableWish(where=where, sort=sort, page=page, per_page=7)
            view = read_table(project, wish)
            assert view.matching == len(expected)
            if not view.rows:
                break
            found += [row.id for row in view.rows]
        assert found == expected, (where, sort)
    assert view.total == len(records)


def test_a_row_has_what_its_run_has(repository: Path) -> None:
    records = write_some(repository)
    words = ("lr", "depth", "betas", "loss.count", "env.python", "tags", "data.train")
    write_run(
        open_at(repository),
        make_record(
            created=format_time(NOW + 100), data={"train": {"digest": "xxh3:00"}},
            environment={"python": "3.11"},
        ),
    )  # fmt: skip
    view = read_table(open_here(repository), TableWish(columns=words, per_page=40))
    rows = {row.id: row for row in view.rows}
    one, last = rows[records[3].run.id], view.rows[0]
    assert one.values == (0.1 * 3, ABSENT, [0.9, 1], 1, ABSENT, ABSENT, ABSENT)
    assert (one.note, one.tags, one.status) == ("odd", (), "finished")
    assert rows[records[4].run.id].tags == ("even", "x")
    assert last.values[4:] == ("3.11", ABSENT, "xxh3:00")
    assert all(row.id.startswith(row.short) for row in view.rows)
    assert [column.is_number for column in view.columns[:4]] == [True, True, False, True]


def test_usual_columns_are_those_of_a_list_and_stay_from_page_to_page(repository: Path) -> None:
    write_some(repository)
    project = open_here(repository)
    first = read_table(project, TableWish(per_page=3))
    assert titles(first)[0] == "duration"
    assert {"lr", "kind", "depth", "betas", "loss", "f1"} <= set(titles(first))
    assert [(key.name, value) for key, value in first.constant] == [("seed", 1)]
    assert titles(first) == titles(read_table(project, TableWish(per_page=3, page=4)))
    goals = {column.title: column.goal for column in first.columns}
    assert (goals["loss"], goals["f1"]) == ("minimize", None)


def test_columns_are_chosen_added_and_taken_away(repository: Path) -> None:
    write_some(repository)
    project = open_here(repository)
    view = read_table(project, TableWish(columns=("loss.min", "de*")))
    assert titles(view) == ["loss.min", "depth"]
    assert "lr" in {one.title for one in view.hidden}
    assert "depth" not in {one.title for one in view.hidden}
    changed = read_table(project, TableWish(columns=("+host", "-lr")))
    assert "host" in titles(changed)
    assert "lr" not in titles(changed)
    every = read_table(project, TableWish(columns=tuple(one.word for one in view.hidden)))
    assert len(every.columns) == len(view.hidden)


def test_the_word_of_a_column_names_it_again(repository: Path) -> None:
    write_run(
        open_at(repository),
        make_record(config={"a b": 1, "lr": 1, "x`y": {"status": 2}}, metrics={"lr": a_summary(1)}),
    )
    keys = [
        Key(Space.CONFIG, "a b"), Key(Space.CONFIG, "x`y.status"), Key(Space.METRIC, "lr", "min"),
        Key(Space.CONFIG, "lr"), Key(Space.FIELD, "duration"), Key(Space.TAG, ""),
    ]  # fmt: skip
    with open_runs(open_here(repository)) as runs:
        assert [resolve_name(word_of(key), runs.index) for key in keys] == keys


def test_runs_in_progress_have_a_step_and_damaged_ones_are_said(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project, config={"lr": 0.1})
    live.journal.log(3, 5.0, {"loss": 0.25})
    bad = write_run(project.repository, make_record(), files={"run.json": b"{"}).run.id
    view = read_table(project, TableWish())
    assert [row.status for row in view.rows] == ["running"]
    step = titles(view).index("step")
    assert (view.rows[0].values[step], view.columns[step].key) == (3, None)
    assert ([one.id for one in view.problems], view.total) == ([bad], 2)
    live.journal.close()


def test_a_page_without_runs_is_empty(repository: Path) -> None:
    project = open_here(repository)
    view = read_table(project, TableWish())
    assert (view.rows, view.matching, view.total, titles(view)) == ((), 0, 0, ["duration"])
    make_run(project)
    assert read_table(project, TableWish(page=1_000_000)).rows == ()
    for wrong in ({"page": 0}, {"page": 10**20}, {"per_page": 0}, {"per_page": 10**6}):
        with pytest.raises(UsageError, match="there is no page"):
            read_table(project, TableWish(**wrong))


def test_what_is_wrong_has_its_place(repository: Path) -> None:
    write_some(repository)
    project = open_here(repository)
    with pytest.raises(FilterError) as caught:
        read_table(project, TableWish(where="lr > 0 and nothing = 1"))
    assert (caught.value.start, caught.value.end) == (11, 18)
    for wish in (TableWish(sort=("-nothing",)), TableWish(columns=("nothing",))):
        with pytest.raises(FilterError):
            read_table(project, wish)
    for wish in (TableWish(columns=("z*",)), TableWish(group_by=("step",))):
        with pytest.raises(UsageError):
            read_table(project, wish)


def test_groups_count_their_runs_and_measure_their_metrics(repository: Path) -> None:
    write_some(repository)
    view = read_table(open_here(repository), TableWish(group_by=("kind",), where="depth < 12"))
    assert view.groups is not None
    assert [(group.values, group.n_runs) for group in view.groups] == [(("a",), 4), (("b",), 4)]
    assert titles(view) == ["kind", "loss", "f1"]
    assert (view.n_keys, view.n_groups, view.matching, view.rows) == (1, 2, 8, ())
    losses = [30.0 - number for number in (1, 5, 11)]  # that of 7 is NaN
    mean = sum(losses) / 3
    spread = math.sqrt(sum((one - mean) ** 2 for one in losses) / 2)
    assert view.groups[1].metrics["loss"] == Statistics(
        count=3, mean=pytest.approx(mean), std=pytest.approx(spread), min=19.0, max=29.0
    )


def test_groups_are_sorted_paged_and_show_the_metrics_asked_for(repository: Path) -> None:
    write_some(repository)
    project = open_here(repository)

    def values(**wish: object) -> list[tuple[Value, ...]]:
        view = read_table(project, TableWish(group_by=("lr", "kind"), **wish))  # type: ignore[arg-type]
        assert view.groups is not None
        assert view.n_groups == 4
        return [group.values for group in view.groups]

    assert values() == [(0.0, "a"), (0.1, "b"), (0.2, "a"), (0.1 * 3, "b")]
    assert values(sort=("-lr",), page=2, per_page=3) == [(0.0, "a")]
    assert values(sort=("loss",))[0] == (0.1 * 3, "b")
    assert values(sort=("runs", "-lr"))[0] == (0.1 * 3, "b")
    wish = TableWish(group_by=("lr",), columns=("f1",), sort=("loss",))
    view = read_table(project, wish)
    assert titles(view) == ["lr", "f1"]
    assert [one.title for one in view.hidden] == ["loss"]
    for wrong in (TableWish(group_by=("lr",), columns=("depth",)),
                  TableWish(group_by=("lr",), sort=("depth",))):  # fmt: skip
        with pytest.raises(UsageError, match="groups"):
            read_table(project, wrong)


@pytest.mark.parametrize("few", [0, 5000])
def test_a_page_of_groups_measures_what_all_groups_do(
    repository: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Whether the values of its runs are looked up or found on a walk through all."""
    write_some(repository)
    project = open_here(repository)
    monkeypatch.setattr(index_groups, "_FEW", few)
    for word in ("depth", "kind", "f1", "betas"):
        with open_runs(project) as runs:
            keys = [resolve_name(word, runs.index)]
        groups = group_chosen(project, Choice(where="duration < 4"), keys).grouping.groups
        whole = {repr(one.values): dict(one.metrics) for one in groups}
        for sort in ((), ("-loss",), ("f1", "runs")):
            pages = [
                read_table(
                    project,
                    TableWish(
                        group_by=(word,), where="duration < 4", sort=sort, page=page, per_page=7
                    ),
                ).groups
                for page in (1, 2, 3, 4)
            ]
            shown = {repr(one.values): dict(one.metrics) for page in pages for one in page or ()}
            assert shown == whole, (word, sort)


def test_the_filter_of_a_group_finds_its_runs(repository: Path) -> None:
    odd: list[Value] = [
        1, 2.5, -1e300, True, False, None, math.nan, math.inf, "it's", "a\\b\"`", "", [1, "é"], {},
    ]  # fmt: skip
    records = [make_record(config={"a b": value, "n": 1}) for value in odd for _ in range(2)]
    write_runs(open_at(repository), records)
    project = open_here(repository)
    view = read_table(project, TableWish(group_by=('config."a b"', "dirty"), where="n = 1 or n=2"))
    assert view.groups is not None
    assert len(view.groups) == len(odd)
    for group in view.groups:
        assert group.where is not None
        assert (group.values, read_table(project, TableWish(where=group.where)).matching) == (
            group.values, 2
        )  # fmt: skip


def test_runs_are_grouped_by_anything_they_have(repository: Path) -> None:
    write_some(repository, 8)
    write_run(
        open_at(repository),
        make_record(data={"train": {"digest": "xxh3:00"}}, environment={"python": "3.11"}),
    )
    project = open_here(repository)
    counts: dict[str, list[tuple[Value, int]]] = {
        "tags": [("even, x", 4), (ABSENT, 5)],
        "betas": [([0.9, 0], 4), ([0.9, 1], 4), (ABSENT, 1)],
        "env.python": [("3.11", 1), (ABSENT, 8)],
        "data.train": [("xxh3:00", 1), (ABSENT, 8)],
        "data.train.files": [(ABSENT, 9)],
        "metrics.f1.min": [(0, 1), (1, 2), (2, 1), (3, 1), (4, 1), (ABSENT, 3)],
    }
    for word, expected in counts.items():
        view = read_table(project, TableWish(group_by=(word,)))
        assert view.groups is not None
        assert [(group.values[0], group.n_runs) for group in view.groups] == expected, word
    by_tags = read_table(project, TableWish(group_by=("tags",)))
    assert [group.where for group in by_tags.groups or ()] == [None, "tags is null"]
