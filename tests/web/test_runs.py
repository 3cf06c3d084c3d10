"""The runs page, as the server gives it: all of it works without a script."""

import math
import re
import sqlite3
from html import unescape
from html.parser import HTMLParser

from tests.support.projects import begin, end, log, make_run, open_here
from tests.support.records import a_summary, make_record, open_at, write_runs
from tests.support.webpages import text_of

A, B, C = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"


def write(repository, *records):
    write_runs(open_at(repository), records)


def three(repository):
    write(
        repository,
        make_record(
            id=A, name="base", config={"lr": 0.1, "seed": 1}, tags=("v2",), note="why\nso",
            metrics={"loss": a_summary(0.5, goal="minimize", min=0.25)},
        ),
        make_record(
            id=B, config={"lr": 0.01, "seed": 1}, status="failed",
            metrics={"loss": a_summary(0.25, goal="minimize", min=0.125)},
        ),
        make_record(
            id=C, config={"lr": 0.001, "seed": 1},
            metrics={"loss": a_summary(math.nan, goal="minimize")},
        ),
    )  # fmt: skip


class _Table(HTMLParser):
    """The cells of the rows of runs, and what heads say."""

    def __init__(self):
        super().__init__()
        self.rows, self.heads, self._cell = [], [], None

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self._cell = [tag, dict(attrs), ""]
            self.rows[-1].append(self._cell)

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._cell = None

    def handle_data(self, data):
        if self._cell is not None:
            self._cell[2] += data


def table(text):
    parser = _Table()
    parser.feed(text[text.index("<table") : text.index("</table>")])
    return parser.rows


def order(text):
    return re.findall(r'<tr data-run="(\w+)"', text)


def link(text, label):
    """Where the link that reads `label` leads."""
    [found] = re.findall(rf'<a href="([^"]+)"[^>]*>{re.escape(label)}</a>', text)
    return unescape(found)


def test_params_and_metrics_stand_under_their_headings(repository, browse):
    three(repository)
    bands, heads, *rows = table(browse(repository).get("/").text)

    assert [cell[2] for cell in bands] == ["", "run", "params", "metrics", "remarks"]
    assert {cell[1].get("scope") for cell in bands[1:]} == {"colgroup"}
    assert sum(int(cell[1].get("colspan", 1)) for cell in bands) == len(heads)
    titles = [cell[2].strip() for cell in heads]
    expected = ["id", "name", "status", "created", "duration", "lr", "loss↓ minimize"]
    assert titles == [*expected, "tags", "note"]
    assert {cell[0] for cell in (row[0] for row in rows)} == {"th"}
    assert {len(row) for row in rows} == {len(heads)}


def test_params_of_few_runs_stand_behind_the_metrics(repository, browse):
    rare = make_record(config={"lr": 0.1, "odd": 1}, metrics={"loss": a_summary(0.5)})
    others = [
        make_record(config={"lr": n / 10}, metrics={"loss": a_summary(0.5)}) for n in range(2, 7)
    ]
    write_runs(open_at(repository), [rare, *others])
    bands, heads, *_ = table(browse(repository).get("/").text)

    titles = [cell[2] for cell in heads]
    assert titles.index("lr") < titles.index("loss") < titles.index("odd")
    assert [cell[2] for cell in bands][2:5] == ["params", "metrics", "params"]


def test_the_best_is_marked_and_nan_is_seen(repository, browse):
    three(repository)
    _, _, *rows = table(browse(repository).get("/?sort=-lr").text)

    assert [row[6][2] for row in rows] == ["0.50", "0.25", "nan"]
    assert [row[6][1]["class"] for row in rows] == ["number", "number best", "number nan"]


def test_params_that_are_the_same_in_all_are_said_once(repository, browse):
    three(repository)
    text = browse(repository).get("/").text
    assert '<span class="pair">seed = 1</span>' in text
    assert not any(cell[2] == "seed" for cell in table(text)[1])


def test_a_head_sorts_then_the_other_way_then_no_more(repository, browse):
    three(repository)
    client = browse(repository)
    first = client.get("/").text
    up = client.get(link(first, "loss")).text
    down = client.get(link(up, "loss")).text

    assert (order(up), order(down)) == ([B, A, C], [A, B, C])
    assert 'aria-sort="ascending"' in up
    assert 'aria-sort="descending"' in down
    assert link(down, "loss") == "/"
    assert order(client.get("/?sort=status,-lr").text) == [B, A, C]


def test_a_filter_keeps_the_runs_that_fit_and_says_how_many(repository, browse):
    three(repository)
    text = browse(repository).get("/?q=loss+<+1+and+tag+is+null").text

    assert order(text) == [B]
    assert "<strong>1</strong> of 3 runs fit" in text
    assert 'value="loss &lt; 1 and tag is null"' in text


def test_a_wrong_filter_is_pointed_at_under_its_column(repository, browse):
    three(repository)
    answer = browse(repository).get("/?q=lr+<+1+and+nope+=+2")

    assert answer.status_code == 200
    assert '<pre class="pointed"><span>lr &lt; 1 and nope = 2</span>\n' in answer.text
    assert f">{' ' * 11}^^^^</span>" in answer.text
    assert "no run has `nope`" in answer.text
    assert "<table" not in answer.text


def test_a_block_that_cannot_be_given_says_why_instead(repository, browse):
    three(repository)
    client = browse(repository)
    for query, unfinished in (("q=lr+<", True), ("q=lr+<<+1", False), ("sort=nope", False)):
        answer = client.get(f"/?{query}", headers={"x-fragment": "table"})
        assert answer.headers["x-instead"] == "wrong", query
        assert answer.text.startswith('<div id="wrong"')
        assert ("data-unfinished" in answer.text) == unfinished
    fine = client.get("/?q=lr+<+1", headers={"x-fragment": "table"})
    assert "x-instead" not in fine.headers
    assert fine.text.startswith('<div id="table" data-live="table">')


def test_columns_are_shown_as_they_were_chosen(repository, browse):
    three(repository)
    client = browse(repository)
    text = client.get("/?columns=metrics.loss.min&columns=seed&columns=branch&columns=note").text
    _, heads, first, *_ = table(text)

    assert [cell[2] for cell in heads[4:]] == [
        "loss.min↓ minimize",
        "seed",
        "branch",
        "tags",
        "note",
    ]
    assert first[5][2] == "1"
    assert link(text, "Usual columns") == "/"


def test_the_list_of_columns_needs_no_script(repository, browse):
    three(repository)
    text = browse(repository).get("/?q=lr+<+1&panel=columns").text
    form = text[
        text.index('<dialog id="columns"') : text.index("</dialog>", text.index("columns-form"))
    ]

    assert " open>" in form[:120]
    ticked = re.findall(r'value="([^"]+)" checked', form)
    assert ticked == ["duration", "config.lr", "metrics.loss"]
    assert 'value="config.seed">' in form
    assert 'name="columns" value="note"' not in form
    assert '<input type="hidden" name="q" value="lr &lt; 1">' in form


def test_more_columns_than_anybody_reads_are_not_shown_unasked(repository, browse):
    write(repository, *(make_record(config={f"p{n:02}": k for n in range(60)}) for k in range(2)))
    text = browse(repository).get("/").text

    assert len(table(text)[1]) == 4 + 40 + 2
    assert "21 more columns" in text


def test_pages_have_links_and_what_is_behind_the_last_leads_back(repository, browse):
    write(repository, *(make_record(name=f"n{n}") for n in range(30)))
    client = browse(repository)
    first = client.get("/?per=25").text
    second = client.get("/?per=25&page=2").text
    behind = client.get("/?per=25&page=9").text

    assert (len(order(first)), len(order(second))) == (25, 5)
    assert "26–30 of 30" in second
    assert link(behind, "page 2") == "/?page=2&per=25"
    assert "<pre" not in client.get("/?page=0").text
    assert "there is no page 0" in client.get("/?page=0").text


def test_a_pinned_run_has_its_colour_and_gives_it_up(repository, browse):
    three(repository)
    client = browse(repository)
    text = client.get(f"/?pin={A}:3&sel={B}").text

    assert f'<a id="pin-{A}" class="dot" data-colour="3" href="/?sel={B}"' in text
    assert f'href="/?pin={A}:3,{B}:0&amp;sel={B}"' in text
    assert re.findall(r'value="(\w+)" form="chosen"[^>]+ checked>', text) == [B]
    assert f'<input type="hidden" name="pin" value="{A}:3">' in text


def test_a_run_in_progress_shows_how_far_it_is(repository, browse):
    project = open_here(repository)
    running = begin(project, config={"max_steps": 10})
    log(running, 4, loss=1.0)
    try:
        text = browse(repository).get("/").text
    finally:
        end(running, repository)
    assert 'data-status="running"' in text
    assert '<progress max="10" value="4"' in text


def test_whoever_may_only_read_sees_nothing_to_change(repository, browse):
    three(repository)
    texts = [browse(repository, is_read_only=flag).get("/").text for flag in (False, True)]

    for word in ('id="trash"', 'data-edit="tags"', 'class="edit', 'id="add-tag"'):
        assert [word in text for text in texts] == [True, False], word
    assert 'id="compare"' in texts[1]


def test_a_note_of_several_lines_stays_whole_where_it_is_edited(repository, browse):
    three(repository)
    assert 'data-edit="note" data-text="why\nso"' in browse(repository).get("/").text


def test_nothing_of_a_record_is_obeyed(repository, browse):
    odd = "<script>alert(1)</script>\x1b[31m\u202e"
    write(
        repository,
        make_record(
            name=odd, note=odd, tags=("a\"><script>",), config={odd: odd, "n": float("inf")},
            metrics={odd: a_summary(1e308), "big": a_summary(-math.inf)}, summary={odd: [odd]},
        ),
        make_record(config={odd: 10**400, "n": True}),
    )  # fmt: skip
    client = browse(repository)
    for path in ("/", "/?panel=columns", "/?columns=*", "/?columns=summary.*", "/?q=<script>"):
        text = client.get(path).text
        assert "<script>" not in text, path
        assert "\x1b" not in text, path
        assert "\u202e" not in text, path


def test_an_empty_repository_says_how_to_record_a_run(repository, browse):
    text = browse(repository).get("/").text
    assert "No runs yet" in text
    assert "repro run -- python train.py" in text


def test_where_nothing_fits_it_is_said_what_to_change(repository, browse):
    three(repository)
    text = browse(repository).get("/?q=lr+>+5").text
    assert "No run fits" in text
    assert "or lr is null" in text
    assert link(text, "Clear the filter") == "/"


def test_a_damaged_run_hides_no_other_and_is_said_below(repository, browse):
    three(repository)
    write_runs(open_at(repository), [make_record()], files={"run.json": b"{"})
    text = browse(repository).get("/").text

    assert order(text) == [C, B, A]
    assert "1 run is not shown" in text
    assert "repro fsck" in text


def test_while_another_process_writes_the_index_what_was_there_before_is_shown_and_that_said(
    repository, browse, monkeypatch
):
    three(repository)
    client = browse(repository)
    assert "Another process" not in client.get("/").text
    monkeypatch.setattr("repro.store.index._PATIENCE_S", 0.01)
    newest = make_run(open_here(repository)).id
    holder = sqlite3.connect(repository / ".git/repro/index.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        before, run = client.get("/").text, client.get(f"/runs/{newest}")
        holder.execute("ROLLBACK")
        holder.execute("BEGIN EXCLUSIVE")
        refused = client.get("/")
    finally:
        holder.close()

    assert order(before) == [C, B, A]
    assert "what is newest may be missing" in text_of(before)
    assert run.status_code == 200
    assert refused.status_code == 507
    assert "another process holds the run index try again" in text_of(refused.text)
    assert newest in client.get("/").text


def test_a_row_has_another_stamp_once_anything_of_it_has_changed(repository, browse):
    project = open_here(repository)
    run = make_run(project, name="a").id
    client = browse(repository)

    def stamp():
        return re.findall(rf'data-run="{run}"[^>]+data-stamp="(\d+)"', client.get("/").text)

    before = stamp()
    again = stamp()
    wish = {"runs": [run], "add": ["x"]}
    client.post("/curate/tags", json=wish, headers={"origin": "http://127.0.0.1:7373"})
    assert before == again != stamp()


def test_groups_have_means_and_lead_to_their_runs(repository, browse):
    write(
        repository,
        *(
            make_record(
                config={"opt": opt, "seed": seed},
                metrics={"loss": a_summary(loss, goal="minimize")},
            )
            for opt, seed, loss in (("adam", 1, 0.25), ("adam", 2, 0.75), ("sgd", 1, 0.125))
        ),
    )
    client = browse(repository)
    text = client.get("/?q=seed+<+5&group=config.opt").text
    _, heads, *rows = table(text)

    assert [cell[2] for cell in heads] == ["opt", "runs", "loss↓ minimize"]
    assert [[cell[2] for cell in row] for row in rows] == [
        ["adam", "2 runs", "0.50 ± 0.35"],
        ["sgd", "1 run", "0.125"],
    ]
    assert rows[1][2][1]["class"] == "number best"
    assert link(text, "adam") == "/?q=%28seed%20%3C%205%29%20and%20config.opt%20%3D%20%27adam%27"
    assert len(order(client.get(link(text, "adam")).text)) == 2
    assert "2</strong> groups of <strong>3</strong> runs" in text
    curves = client.get(link(text, "Curves of the groups")).text
    assert '<option value="config.opt" selected>' in curves
    assert '<option value="config.opt" selected>opt</option>' in text


def test_groups_are_sorted_by_their_heads(repository, browse):
    write(repository, *(make_record(config={"n": n}) for n in (1, 2, 2)))
    client = browse(repository)
    first = client.get("/?group=n").text
    by_size = client.get(link(first, "runs")).text

    assert [row[0][2] for row in table(by_size)[2:]] == ["2", "1"]
    assert "sort=-runs" in link(first, "runs")


def test_each_example_of_a_filter_finds_what_it_says_among_these_runs(repository, browse):
    write(
        repository,
        *(
            make_record(
                config={"opt": "adam", "a b": n, "lr": n / 10}, metrics={"loss": a_summary(n)}
            )
            for n in range(1, 5)
        ),
    )
    client = browse(repository)
    text = client.get("/").text
    examples = re.findall(r'<a class="example" href="([^"]+)">', text)

    assert len(examples) >= 5
    for address in examples:
        assert 'class="error"' not in client.get(unescape(address)).text, address
    assert len(order(client.get(unescape(examples[0])).text)) in (1, 2)


def test_many_params_leave_room_for_metrics(repository, browse):
    for run, odd in ((A, 0), (B, 1)):
        config = {f"p{n}": n + odd for n in range(60)}
        metrics = {f"m{n}": a_summary(0.5) for n in range(40)}
        write(repository, make_record(id=run, config=config, metrics=metrics))
    text = browse(repository).get("/").text
    bands = {cell[2]: int(cell[1].get("colspan", 1)) for cell in table(text)[0]}
    assert (bands["params"], bands["metrics"]) == (20, 19)
    assert "61 more columns: choose them under Columns" in text


def test_what_each_row_says_can_be_hidden_and_then_be_a_column_elsewhere(repository, browse):
    three(repository)
    client = browse(repository)
    text = client.get("/?hide=name,created,tags&columns=lr,created").text
    bands, heads, *rows = table(text)
    assert [cell[2].strip() for cell in heads] == ["id", "status", "lr", "created", "note"]
    assert sum(int(cell[1].get("colspan", 1)) for cell in bands) == len(heads)
    assert {len(row) for row in rows} == {len(heads)}
    assert link(text, "Usual columns") == "/"
    form = client.get("/?hide=name,note&panel=columns").text
    assert re.findall(r'name="hide" value="(\w+)" checked', form) == ["name", "note"]
    _, heads, *_ = table(client.get("/?hide=name,status,created,tags,note&columns=lr").text)
    assert [cell[2].strip() for cell in heads] == ["id", "lr"]


def test_the_list_of_columns_knows_which_number_of_a_metric_is_shown(repository, browse):
    three(repository)
    form = browse(repository).get("/?columns=metrics.loss.min&panel=columns").text
    shown = form[form.index('id="shown"') : form.index('id="offered"')]
    assert 'data-word="metrics.loss"' in shown
    assert 'value="metrics.loss.min" checked' in shown
    assert "<option selected>min</option>" in shown
    assert 'id="all-metrics" href="/?columns=metrics.loss.min,metrics.%2A"' in form


def test_a_run_in_progress_has_its_step_in_its_status_and_in_no_column(repository, browse):
    three(repository)
    started = begin(open_here(repository))
    log(started, 50, loss=0.25)
    try:
        _, heads, *rows = table(browse(repository).get("/").text)
    finally:
        end(started, repository)
    assert "step" not in [cell[2].strip() for cell in heads]
    assert any("step 50" in cell[2] for row in rows for cell in row)
