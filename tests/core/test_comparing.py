"""Which runs a comparison is about."""

import pytest
from tests.support.projects import make_run, open_here

from repro.core.comparing import choose_compared
from repro.errors import UnknownRunError


def test_named_runs_come_in_their_order_then_those_that_fit_once_each(repository):
    project = open_here(repository)
    first, second, third = (make_run(project, name=f"run-{n}").id for n in range(3))

    assert choose_compared(project, [third, "run-0", third], None).ids == (third, first)
    assert choose_compared(project, [first], "").ids == (first, third, second)
    assert choose_compared(project, [], "name = 'run-1'").ids == (second,)
    assert choose_compared(project, [], None).ids == ()


def test_what_is_left_out_is_counted(repository):
    project = open_here(repository)
    for _ in range(3):
        make_run(project)

    found = choose_compared(project, [], "", most=2)

    assert (len(found.ids), found.n_left) == (2, 1)


def test_a_name_of_no_run_is_an_error(repository):
    make_run(open_here(repository))
    with pytest.raises(UnknownRunError, match="there is no run"):
        choose_compared(open_here(repository), ["nobody"], None)
