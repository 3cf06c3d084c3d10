"""The view that an address describes."""

import pytest
from starlette.datastructures import QueryParams

from repro.errors import UsageError
from repro.model.palette import PALETTE
from repro.web.pagelinks import link_pages
from repro.web.runsview import RunsView, read_view

A, B = "aaaaaaaaaaaa", "bbbbbbbbbbbb"


def view_of(query):
    return read_view(QueryParams(query))


def test_an_address_says_all_of_a_view_and_is_read_back():
    view = RunsView(
        where="lr < 1 and tag = 'a,b'",
        sort=("-loss", "lr"),
        columns="lr,`a, b`,metrics.loss.min",
        group="seed",
        page=3,
        per=100,
        pins={A: 3, B: 0},
        chosen=(B, A),
    )
    address = view.address(page=3)

    assert view_of(address.partition("?")[2]) == view
    assert RunsView().address() == "/"


def test_another_order_begins_at_the_first_page():
    view = RunsView(page=7, where="x")
    assert view.address(sort=("lr",)) == "/?q=x&sort=lr"
    assert view.address(page=8) == "/?q=x&page=8"


def test_a_form_of_ticks_says_the_columns_one_by_one():
    assert view_of("columns=lr&columns=loss&columns=").columns == "lr,loss"


@pytest.mark.parametrize("query", ["page=x", "page=-1", "per=1e3", "page=٣", "per=99999999999"])
def test_a_number_that_is_none_is_said(query):
    with pytest.raises(UsageError, match="is a number"):
        view_of(query)


def test_a_pin_that_is_none_hides_nothing():
    assert view_of(f"pin={A}:3,{B}:10,{B}:-1,x:1,{B},<script>:2").pins == {A: 3}
    assert view_of(f"sel={A},../x,{B}").chosen == (A, B)


def test_a_run_is_given_the_colour_that_fewest_have():
    view = RunsView(pins={A: 0})
    assert view.toggle_pin(B) == {A: 0, B: 1}
    assert view.toggle_pin(A) == {}
    full = RunsView(pins={f"{A[:-1]}{n}": n for n in range(len(PALETTE))})
    assert full.toggle_pin(B)[B] == 0


def test_pages_near_this_one_and_both_ends_have_links():
    links = link_pages(RunsView(page=10), 1000)

    assert [near and near[0] for near in links.near] == [1, None, 9, 10, 11, None, 20]
    assert (links.first, links.last, links.n_pages) == (451, 500, 20)
    assert (links.before, links.after) == ("/?page=9", "/?page=11")


def test_a_single_page_leads_nowhere_and_one_behind_the_last_leads_back():
    only = link_pages(RunsView(), 3)
    assert (only.before, only.after, only.n_pages, only.last) == (None, None, 1, 3)
    behind = link_pages(RunsView(page=9), 60)
    assert (behind.first, behind.before, behind.after) == (0, "/?page=2", None)
    assert link_pages(RunsView(), 0).n_pages == 1


def test_a_form_says_all_of_the_view_but_what_it_sets_and_the_page():
    view = RunsView(where="lr < 1", sort=("-loss",), page=3, per=100, pins={"a": 1}, chosen=("b",))

    assert view.fields("q") == [("sort", "-loss"), ("per", "100"), ("pin", "a:1"), ("sel", "b")]
    assert view.fields("sort", "per", "pin", "sel") == [("q", "lr < 1")]
