"""What runs can be grouped by."""

from tests.support.projects import open_here
from tests.support.records import make_record, open_at, write_run

from repro.core.groupnames import list_group_names


def test_params_come_first_by_names_that_a_filter_takes(repository):
    write_run(open_at(repository), make_record(config={"opt": {"lr": 1}, "a b": 2, "status": 3}))
    names = [(one.word, one.title) for one in list_group_names(open_here(repository))]

    params = [
        ("config.`a b`", "a b"),
        ("config.opt.lr", "opt.lr"),
        ("config.status", "config.status"),
    ]
    assert sorted(names[:3]) == params
    assert names[3] == ("status", "status")
