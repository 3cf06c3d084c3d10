"""Runs as points, as the scripts of the page get them."""

from tests.support.projects import open_here
from tests.support.records import make_record, open_at, write_runs

from repro.core.query import list_runs


def test_what_the_filter_language_says_of_an_axis_finds_its_runs(repository, browse):
    names = ["it's", "a\\b", "plain"]
    records = [make_record(config={"odd name": name, "on": name == "plain"}) for name in names]
    ids = [one.run.id for one in write_runs(open_at(repository), records)]
    axes = browse(repository).get("/api/coordinates", params={"run": ids}).json()["axes"]

    assert [axis["title"] for axis in axes] == ["odd name", "on"]
    for axis in axes:
        for place, literal in enumerate(axis["literals"]):
            found = list_runs(open_here(repository), where=f"{axis['word']} = {literal}")
            expected = [run for run, one in zip(ids, axis["values"], strict=True) if one == place]
            assert sorted(one.run.id for one in found.records) == sorted(expected)
