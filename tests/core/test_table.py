"""One page of the table of all runs."""

from pathlib import Path

from tests.support.projects import open_here
from tests.support.records import a_summary, make_record, open_at, write_runs

from repro.core.table import TableWish, read_table


def test_a_page_has_its_part_of_the_runs_that_fit(repository: Path) -> None:
    records = [
        make_record(config={"lr": number}, metrics={"loss": a_summary(float(number))})
        for number in range(5)
    ]
    write_runs(open_at(repository), records)
    wish = TableWish(where="lr > 0", sort=("loss",), page=2, per_page=3)
    view = read_table(open_here(repository), wish)
    assert [row.id for row in view.rows] == [records[4].run.id]
    assert (view.matching, view.total) == (4, 5)
