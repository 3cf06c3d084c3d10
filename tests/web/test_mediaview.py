"""Media by name, each at one step."""

from tests.support.records import make_record, open_at, write_run
from tests.support.webpages import assert_inert, text_of

from repro.model.medium import Medium, enlarge
from repro.web.mediaview import number_columns, view_media


def logged(*what: tuple[str, int]) -> list[Medium]:
    return [
        Medium(name=name, step=step, time=1.0, place=0, kind="histogram") for name, step in what
    ]


def steps(view) -> dict[str, int]:
    return {one.name: one.step for one in view.names}


MEDIA = logged(("a", 0), ("a", 10), ("a", 20), ("b", 5))


def test_the_newest_of_each_name_comes_first():
    view = view_media(MEDIA)
    assert steps(view) == {"a": 20, "b": 5}
    assert (view.first, view.last, view.step, view.is_newest) == (0, 20, 20, True)
    assert [(one.earlier, one.later, one.n_steps) for one in view.names] == [
        (10, None, 3),
        (None, None, 1),
    ]
    assert [one.shown for one in view.names] == [(MEDIA[2],), (MEDIA[3],)]


def test_a_step_shows_what_was_there_by_then():
    assert steps(view_media(MEDIA, step=19)) == {"a": 10, "b": 5}
    assert steps(view_media(MEDIA, step=3)) == {"a": 0, "b": 5}  # of which nothing was there yet
    assert steps(view_media(MEDIA, step=10**9)) == {"a": 20, "b": 5}


def test_a_name_alone_and_pages_of_names():
    assert steps(view_media(MEDIA, name="b")) == {"b": 5}
    assert view_media(MEDIA, name="c").names == ()
    many = logged(*[(f"n{n:03}", 0) for n in range(90)])
    assert (len(view_media(many).names), view_media(many).next) == (40, 40)
    assert (len(view_media(many, start=80).names), view_media(many, start=80).next) == (10, None)
    at_once = [*logged(*[("x", 1)] * 30)]
    [one] = view_media(at_once).names
    assert (len(one.shown), one.n_there) == (24, 30)
    assert len(view_media(at_once, name="x").names[0].shown) == 30


def test_only_small_pictures_are_made_larger():
    assert enlarge(10, 10) == (160, 160)
    assert enlarge(28, 14) == (140, 70)
    assert enlarge(200, 1) is None
    assert enlarge(None, None) is None


def test_columns_of_numbers_are_told():
    assert list(number_columns([(1, "x", 2.5, True, None)])) == [True, False, True, False, False]
    assert list(number_columns([])) == []


def test_a_step_is_an_address_that_needs_no_script(repository, browse):
    lines = b"".join(
        b'{"counts":[1],"edges":[0,1],"kind":"histogram","name":"<b>w","place":0,"skipped":0,'
        b'"step":%d,"time":1.0}\n' % step
        for step in (0, 10, 20)
    )
    run = write_run(open_at(repository), make_record(), files={"media.jsonl": lines}).run.id
    client = browse(repository)
    newest = client.get(f"/runs/{run}?tab=media").text
    assert "<b>w step 20, of 3 steps ‹ 10" in text_of(newest)
    assert f'href="/runs/{run}?tab=media&amp;step=10"' in newest
    earlier = client.get(f"/runs/{run}?tab=media&step=10").text
    assert "<b>w step 10, of 3 steps ‹ 0 20 ›" in text_of(earlier)
    assert 'value="10">' in earlier
    assert_inert(earlier)
    for odd in ("-1", "x", "9" * 40, "\0"):
        assert client.get(f"/runs/{run}", params={"tab": "media", "step": odd}).status_code == 200
    assert "Media 3" in text_of(client.get(f"/runs/{run}").text)
