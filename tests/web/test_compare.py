"""Runs compared as a page, and what its script asks for."""

import json
import math
import re

import pytest
from tests.support.projects import begin, make_run, open_here
from tests.support.records import a_summary, make_record, open_at, write_runs
from tests.support.sweeps import make_sweep

HOSTILE = "<script>alert(1)</script>\u202e"


def write(repository, *records):
    return [one.run.id for one in write_runs(open_at(repository), list(records))]


def varied(n):
    return [
        make_record(
            name=f"run-{place}",
            config={"lr": 10.0**-place, "same": 1},
            metrics={"loss": a_summary(0.5 + place, goal="minimize")},
        )
        for place in range(n)
    ]


def text_of(answer):
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def asked(client, **params):
    return client.get("/compare", params=params)


def test_the_table_has_what_differs_with_the_best_marked_and_on_wish_what_is_equal(
    repository, browse
):
    ids = write(repository, *varied(2))
    client = browse(repository)

    found = asked(client, run=ids)

    assert "run-0" in found.text
    assert "config.same" not in text_of(found)
    assert re.search(r'class="number best[^"]*">0.5<', found.text)
    assert "equal: 1 of config" in text_of(found)
    assert 'title="same"' in asked(client, run=ids, all="1").text


def test_runs_are_columns_or_rows_and_the_baseline_comes_first(repository, browse):
    ids = write(repository, *varied(2))
    client = browse(repository)

    assert '<th scope="rowgroup"' in asked(client, run=ids).text
    rows = asked(client, run=ids, lay="rows", base=ids[1]).text
    assert '<th scope="colgroup"' in rows
    table = rows[rows.index("<table") :]
    assert table.index("run-1") < table.index("run-0")
    assert f"/diff?a={ids[1]}&amp;b={ids[0]}" in table


def test_all_that_is_a_number_is_aligned_alike(repository, browse):
    records = [make_record(randomness={"seed": seed}, duration_s=61.0) for seed in (1, 2)]
    found = asked(browse(repository), run=write(repository, *records)).text

    cells = re.findall(r'<td data-run="\w+" class="([^"]*)"[^>]*>(1m 01s|1|2)<', found)
    assert len(cells) == 4
    assert all("number" in classes for classes, _ in cells)


def test_the_metric_that_a_sweep_searches_by_is_drawn_first(repository, browse):
    at = make_sweep(open_here(repository), metric="val")
    metrics = {"acc": a_summary(0.5), "val": a_summary(0.5)}
    records = [make_record(sweep=at.sweep.id, trial=n, metrics=metrics) for n in range(2)]
    found = asked(browse(repository), run=write(repository, *records)).text

    assert re.findall(r'data-metric="(\w+)"', found) == ["val", "acc"]


def test_runs_that_fit_a_filter_are_compared(repository, browse):
    write(repository, *varied(3))
    client = browse(repository)

    assert "Compare 2 runs" in asked(client, q="lr < 0.5").text
    assert "No run fits" in asked(client, q="lr > 5").text


def test_a_wrong_filter_is_shown_with_its_place_and_can_be_mended(repository, browse):
    write(repository, *varied(2))
    client = browse(repository)

    wrong = asked(client, q="lr <")

    assert (wrong.status_code, "Traceback" in wrong.text) == (200, False)
    assert re.search(r"<span>lr &lt;</span>\s*<span[^>]*> +\^", wrong.text)
    assert 'name="q" size="40" value="lr &lt;"' in wrong.text
    block = client.get("/compare?q=lr+<", headers={"X-Fragment": "beside"})
    assert (block.status_code, "<" in block.text.replace("lr <", "")) == (400, False)


def test_nothing_one_run_and_a_name_of_none_are_no_failure(repository, browse):
    [run] = write(repository, *varied(1))
    client = browse(repository)

    assert "Filter" in text_of(asked(client))
    assert "nothing to differ from" in text_of(asked(client, run=run))
    for name in ("nobody", "../../etc/passwd", "<script>"):
        missing = asked(client, run=name)
        assert missing.status_code == 404
        assert "<script>alert" not in missing.text
    assert client.get("/compare?run=@&run=@&smooth=x").status_code == 400


def test_names_and_values_of_others_are_escaped(repository, browse):
    ids = write(
        repository,
        *(
            make_record(
                name=HOSTILE,
                config={HOSTILE: value},
                metrics={HOSTILE: a_summary(math.nan), "loss": a_summary(math.inf)},
            )
            for value in (HOSTILE, 1e308)
        ),
    )
    client = browse(repository)

    for path in ("/compare", "/api/curves.svg", "/api/coordinates", "/api/curves"):
        found = client.get(path, params={"run": ids, "metric": HOSTILE, "importance": "loss"})
        assert found.status_code == 200
        if "json" not in found.headers["content-type"]:
            assert "<script>alert" not in found.text
            assert "\u202e" not in found.text


def test_metrics_with_a_goal_are_drawn_unless_others_are_asked_for(repository, browse):
    def record():
        return make_record(
            metrics={"noise": a_summary(1.0), "acc": a_summary(2.0, goal="maximize")}
        )

    ids = write(repository, record(), record())
    client = browse(repository)

    def drawn(**more):
        return re.findall(r'data-metric="(\w+)"', asked(client, run=ids, **more).text)

    assert drawn() == ["acc"]
    assert drawn(metric=["noise", "acc"]) == ["noise", "acc"]
    assert asked(client, run=ids, metric="nothing").status_code == 400


def test_a_block_asked_for_alone_is_one_element_with_its_name(repository, browse):
    ids = write(repository, *varied(9))
    client = browse(repository)

    for name in ("beside", "charts", "legend", "importance"):
        found = client.get(
            "/compare", params={"run": ids, "importance": "loss"}, headers={"X-Fragment": name}
        ).text
        assert re.match(rf'\s*<\w+ id="{name}"', found)


def test_which_params_matter_is_told_when_asked_and_of_enough_runs(repository, browse):
    ids = write(repository, *varied(9))
    client = browse(repository)

    assert "data-later" in asked(client, run=ids).text
    found = text_of(asked(client, run=ids, importance="loss"))
    assert "9 runs have loss" in found
    assert "-1.00" in found
    assert "Which params matter" not in asked(client, run=ids[:8]).text


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({"low": "abc"}, "`from` is a number"),
        ({"high": "1e999"}, "`to` is a number"),
        ({"low": "9", "high": "3"}, "`from` is above `to`: nothing lies from 9 to 3"),
    ],
)
def test_a_window_that_makes_no_sense_is_said_by_its_fields_and_all_is_drawn(
    repository, browse, window, words
):
    ids = write(repository, *varied(2))

    found = asked(browse(repository), run=ids, **window)

    assert words in text_of(found)
    assert set(re.findall(r'data-source="(/api/curves[^"]*)"', found.text))
    assert not re.findall(r'data-source="/api/curves[^"]*(?:low|high)=', found.text)
    for key, value in window.items():
        assert re.search(rf'name="{key}" [^>]*value="{value}"', found.text)


def test_letters_of_codes_are_explained_and_colours_that_come_again_marked(repository, browse):
    write(repository, *varied(10))
    (repository / "train.py").write_text("print('changed')\n")
    make_run(open_here(repository))

    found = asked(browse(repository), q="").text

    assert re.findall(r'data-turn="(\d)"', found)[:11] == ["0"] * 10 + ["1"]
    assert "share a letter" in found


def test_pinned_colours_and_the_rest_of_the_view_stay_in_links(repository, browse):
    ids = write(repository, *varied(3))
    found = asked(browse(repository), run=ids, pin=f"{ids[0]}:7", smooth="0.5", hide=ids[1]).text

    assert re.search(rf'data-run="{ids[0]}" [^>]*data-colour="7"', found)
    [leave] = re.findall(r'class="leave" href="([^"]+)" data-leave="' + ids[1], found)
    assert ids[1] not in leave.replace(f"hide={ids[1]}", "")
    assert "smooth=0.5" in leave
    assert 'name="hide" value="' + ids[1] in found


def test_curves_are_json_with_nan_as_null_and_infinities_as_text(repository, browse):
    project = open_here(repository)
    live = begin(project)
    values = [1.0, "NaN", "Infinity", "-Infinity", 2.5]
    for step, value in enumerate(values):
        live.journal.log(step, project.clock(), {"loss": value})

    answer = browse(repository).get("/api/curves", params={"run": live.run.id, "metric": "loss"})

    [curve] = json.loads(answer.text, parse_constant=pytest.fail)["curves"]
    assert curve["x"] == [0, 1, 2, 3, 4]
    assert curve["y"] == [1.0, None, "Infinity", "-Infinity", 2.5]
    assert (curve["is_live"], curve["n_points"], curve["problem"]) == (True, 5, None)


def test_a_window_of_a_curve_is_given_and_smoothed(repository, browse):
    run = make_run(open_here(repository), {"loss": 4.0}, steps=50)
    wish = {"run": run.id, "metric": "loss", "low": "10", "high": "20", "smooth": "0.5"}

    [curve] = browse(repository).get("/api/curves", params=wish).json()["curves"]

    assert {10, 20} <= set(curve["x"])
    assert curve["n_points"] == 11
    assert curve["smooth"] == pytest.approx([4.0] * len(curve["x"]))
    assert curve["is_live"] is False


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"metric": "x" * 600},
        {"metric": "loss", "low": "x"},
        {"metric": "loss", "low": "9", "high": "3"},
        {"metric": "loss", "most": "nan"},
        {"metric": "loss", "most": "1"},
        {"metric": "loss", "smooth": "1"},
        {"metric": "loss", "smooth": "-1"},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_in_words(repository, browse, wish):
    run = make_run(open_here(repository), {"loss": 4.0})

    answer = browse(repository).get(
        "/api/curves", params={"run": run.id, **wish}, headers={"accept": "application/json"}
    )

    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_chart_without_script_is_a_picture_that_can_do_nothing(repository, browse):
    run = make_run(open_here(repository), {"loss": 4.0}, steps=3)

    answer = browse(repository).get("/api/curves.svg", params={"run": run.id, "metric": "loss"})

    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.text.startswith("<svg")


@pytest.fixture
def seeds(repository):
    """Two runs of `lr` 0.1 with losses 1 and 3, one of 0.2 with 8, each with a seed of its own."""
    made = []
    for seed, (lr, loss) in enumerate([(0.1, 1.0), (0.1, 3.0), (0.2, 8.0)]):
        config = {"lr": lr, "seed": seed}
        made.append(make_run(open_here(repository), {"loss": loss}, steps=2, config=config).id)
    return made


def choices(answer):
    """The choices of whose curves are drawn, by what they are called, and the one that holds."""
    [select] = re.findall(r'<select name="group">(.*?)</select>', answer.text, re.DOTALL)
    found = re.findall(r'<option value="([^"]*)"( selected)?>([^<]*)<', select)
    return {words: value for value, _, words in found}, [one[2] for one in found if one[1]]


def test_curves_are_put_together_by_params_that_several_runs_share(repository, browse, seeds):
    client = browse(repository)

    offered, chosen = choices(asked(client, run=seeds))
    assert offered == {
        "each run": "", "means over seed": "config.lr", "the mean of all": "-",
        "means by lr": "config.lr",
    }  # fmt: skip
    assert chosen == ["each run"]
    by_lr = asked(client, run=seeds, group="lr", band="std")
    assert choices(by_lr)[1][0] == "means over seed"
    assert re.search(r'<option value="std" selected', by_lr.text)
    legend = text_of(by_lr)
    assert "lr=0.1 2 runs" in legend
    assert "lr=0.2 1 run " in legend


def test_runs_have_the_colour_of_their_group(repository, browse, seeds):
    answer = asked(browse(repository), run=seeds, group="lr")

    found = dict(re.findall(r'<li data-run="(\w+)"[^>]* data-colour="(\d)"', answer.text))
    assert [found[run] for run in seeds] == ["0", "0", "1"]


def test_means_are_given_with_the_edges_of_their_bands(repository, browse, seeds):
    client = browse(repository)
    query = {"metric": "loss", "run": seeds, "group": "config.lr"}

    low, high = client.get("/api/curves", params=query).json()["curves"]
    assert (low["group"], low["runs"]) == ("lr=0.1 (2 runs)", seeds[:2])
    assert (low["x"], low["y"], low["low"], low["high"]) == ([0, 1], [2, 2], [1, 1], [3, 3])
    assert (high["place"], high["y"], high["is_live"]) == (1, [8, 8], False)
    [one] = client.get("/api/curves", params={**query, "group": "-"}).json()["curves"]
    assert one["y"] == [4, 4]
    assert client.get("/api/curves.svg", params=query).text.count("fill-opacity") == 2


def test_a_mean_says_of_how_many_runs_it_leaves_values_out(repository, browse):
    values = {"loss": "NaN"}
    runs = [make_run(open_here(repository), {"loss": 1.0}, steps=2).id]
    runs.append(make_run(open_here(repository), values, steps=2).id)
    query = {"metric": "loss", "run": runs, "group": "-"}

    [mean] = browse(repository).get("/api/curves", params=query).json()["curves"]

    assert (mean["y"], mean["runs"], mean["n_odd"]) == ([1, 1], runs, 1)


def test_what_runs_cannot_be_put_together_by_is_said_and_each_is_drawn(repository, browse, seeds):
    client = browse(repository)
    answer = asked(client, run=seeds, group="nope<")

    assert answer.status_code == 200
    assert '<p class="error">' in answer.text
    assert choices(answer)[1] == ["each run"]
    wrong = client.get("/api/curves", params={"metric": "loss", "run": seeds, "group": "nope"})
    assert (wrong.status_code, "nope" in wrong.text) == (400, True)


def test_a_filter_with_many_runs_has_means_of_all_of_them(repository, browse):
    write(repository, *[make_record(config={"seed": n}, metrics={"loss": a_summary(1.0)})
                        for n in range(25)])  # fmt: skip
    client = browse(repository)

    assert asked(client, q="").text.count('<li data-run="') == 20
    assert asked(client, q="", group="-").text.count('<li data-run="') == 25
