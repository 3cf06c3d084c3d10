"""A filter asks for what its names and values stand for, or says which one stands for nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.filters import BOOL, NULL, NUMBER, TEXT, TEXTS, Known, expressions
from tests.support.filters import write_expression as write

from repro.errors import FilterError
from repro.model.binding import parse_filter, parse_sort, resolve_name
from repro.model.condition import (
    All,
    Among,
    Comparison,
    IsNan,
    IsNull,
    Key,
    Matches,
    Negation,
    Some,
    SortKey,
    Space,
)
from repro.model.times import format_time, parse_time

NOW = parse_time("2026-11-26T12:00:00.000000Z")
DAY = 86_400
KNOWN = Known(
    config={
        "lr": NUMBER, "dropout": NUMBER, "optimizer": TEXT, "seed": NUMBER | TEXT, "ema": BOOL,
        "best": NUMBER, "status": TEXT, "age": NUMBER, "a b": NUMBER, "data.path": TEXT,
        "run.seed": NUMBER, "gone": NULL, "walltime": TEXT, "tags.x": TEXT, "learning_rate": NUMBER,
    },
    metrics={
        "loss": NUMBER, "val/loss": NUMBER, "best": NUMBER, "x": NUMBER, "x.min": NUMBER,
        "a.b": NUMBER,
    },
    summary={"best": NUMBER, "passed": BOOL | NUMBER},
    env={"python": TEXT, "packages.numpy": TEXT},
    data={"train": TEXT, "train.files": NUMBER, "train.bytes": NUMBER, "train.kept": BOOL},
)  # fmt: skip


def bind(text: str, known: Known = KNOWN):
    return parse_filter(text, known, now=NOW)


def config(name: str) -> Key:
    return Key(Space.CONFIG, name)


def metric(name: str, statistic: str = "last") -> Key:
    return Key(Space.METRIC, name, statistic)


def field(name: str) -> Key:
    return Key(Space.FIELD, name)


LR, TAG, CREATED = config("lr"), Key(Space.TAG, ""), field("created")


def test_blank_is_no_condition():
    assert bind("") is None
    assert bind(" \n") is None


def test_the_example_of_the_reference_is_understood():
    text = (
        "lr < 1e-4 and (dropout > 0.1 or optimizer = 'adam') and duration < 4h"
        " and created > 2026-11-01 and tag = 'v2' and status = finished"
    )

    assert bind(text) == All(
        (
            Comparison(LR, "<", 1e-4),
            Some(
                (
                    Comparison(config("dropout"), ">", 0.1),
                    Comparison(config("optimizer"), "=", "adam"),
                )
            ),
            Comparison(field("duration"), "<", 14_400.0),
            Comparison(CREATED, ">=", "2026-11-02T00:00:00.000000Z"),
            Comparison(TAG, "=", "v2"),
            Comparison(field("status"), "=", "finished"),
        )
    )


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("lr", LR),
        ("config.lr", LR),
        ("params.lr", LR),
        ("param.lr", LR),
        ("`lr`", LR),
        ("params.`lr`", LR),
        ('params."a b"', config("a b")),
        ("`a b`", config("a b")),
        ("loss", metric("loss")),
        ("val/loss", metric("val/loss")),
        ("metrics.val/loss.min", metric("val/loss", "min")),
        ("val/loss.max_step", metric("val/loss", "max_step")),
        ("metrics.`val/loss`.mean", metric("val/loss", "mean")),
        ("metric.loss.last", metric("loss")),
        ("x.min", metric("x.min")),
        ("metrics.x.min", metric("x.min")),
        ("metrics.x.min.min", metric("x.min", "min")),
        ("metrics.`x`.min", metric("x.min")),
        ("metrics.x.max", metric("x", "max")),
        ("`a.b`.count", metric("a.b", "count")),
        ("summary.best", Key(Space.SUMMARY, "best")),
        ("passed", Key(Space.SUMMARY, "passed")),
        ("env.python", Key(Space.ENV, "python")),
        ("env.packages.numpy", Key(Space.ENV, "packages.numpy")),
        ("packages.numpy", Key(Space.ENV, "packages.numpy")),
        ("data.train", Key(Space.DATA, "train")),
        ("data.train.files", Key(Space.DATA, "train.files")),
        ("train.bytes", Key(Space.DATA, "train.bytes")),
        ("duration", field("duration")),
        ("run.duration", field("duration")),
        ("attributes.duration", field("duration")),
        ("attribute.`duration`", field("duration")),
        ("status", field("status")),
        ("config.status", config("status")),
        ("config.age", config("age")),
        ("tag", TAG),
        ("tags", TAG),
        ("tags.x", config("tags.x")),
        ("data.path", config("data.path")),
        ("run.seed", config("run.seed")),
    ],
)
def test_a_name_stands_for_one_thing(name, key):
    assert bind(f"{name} is null") == IsNull(key)
    assert resolve_name(name, KNOWN) == key


def test_the_version_of_python_has_a_short_name_of_the_environment_only():
    whole = Key(Space.ENV, "interpreter.version")
    known = Known(env={"interpreter.version": TEXT}, config={"python": TEXT})

    assert resolve_name("env.python", known) == whole
    assert resolve_name("python", known) == config("python")
    with pytest.raises(FilterError):
        resolve_name("python", Known(env={"interpreter.version": TEXT}))


def test_a_name_given_alone_needs_no_quotes():
    known = Known(config={"a b": NUMBER, "in": NUMBER}, metrics={"1e5": NUMBER, 'say "x"': NUMBER})

    assert resolve_name("a b", known) == config("a b")
    assert resolve_name("config.a b", known) == config("a b")
    assert resolve_name("in", known) == config("in")
    assert resolve_name("1e5", known) == metric("1e5")
    assert resolve_name('say "x"', known) == metric('say "x"')


@pytest.mark.parametrize("text", ["", " ", "config.", "``", "lr < 1", "nosuch", "best"])
def test_what_stands_for_nothing_is_no_name(text):
    with pytest.raises(FilterError):
        resolve_name(text, KNOWN)


def test_where_no_run_has_any_name_all_filters_fit_none():
    nothing = Known()

    assert bind("lr < 1 and ema", nothing) == All(
        (Comparison(LR, "<", 1), Comparison(config("ema"), "=", value=True))
    )


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("0.1 < lr", Comparison(LR, ">", 0.1)),
        (
            "1e-5 < lr < 1e-3",
            All((Comparison(LR, ">", 1e-5), Comparison(LR, "<", 1e-3))),
        ),
        ("lr = 1e400", Comparison(LR, "=", math.inf)),
        ("lr > -inf", Comparison(LR, ">", -math.inf)),
        ("lr != 0", Comparison(LR, "!=", 0)),
        ("optimizer = adam", Comparison(config("optimizer"), "=", "adam")),
        ("optimizer = '1'", Comparison(config("optimizer"), "=", "1")),
        ("seed = 1", Comparison(config("seed"), "=", 1)),
        ("seed = '1'", Comparison(config("seed"), "=", "1")),
        ("seed = 1h", Comparison(config("seed"), "=", 3600.0)),
        ("walltime = 4h", Comparison(config("walltime"), "=", "4h")),
        ("walltime > 2026-11-01", Comparison(config("walltime"), ">", "2026-11-01")),
        ("ema = true", Comparison(config("ema"), "=", value=True)),
        ("ema != FALSE", Comparison(config("ema"), "!=", value=False)),
        ("ema", Comparison(config("ema"), "=", value=True)),
        ("not dirty", Negation(Comparison(field("dirty"), "=", value=True))),
        ("passed = 1", Comparison(Key(Space.SUMMARY, "passed"), "=", 1)),
        ("gone = 1", Comparison(config("gone"), "=", 1)),
        ("gone", Comparison(config("gone"), "=", value=True)),
        ("lr in (1, 1e-3)", Among(LR, (1, 1e-3))),
        ("lr not in (1)", Negation(Among(LR, (1,)))),
        ("lr is not null", Negation(IsNull(LR))),
        ("lr is nan", IsNan(LR)),
        ("gone is nan", IsNan(config("gone"))),
        ("optimizer ~ '^a'", Matches(config("optimizer"), "regex", "^a")),
        ("optimizer !~ '[[a]'", Negation(Matches(config("optimizer"), "regex", "[[a]"))),
        ("optimizer like 'a%'", Matches(config("optimizer"), "like", "a%")),
        ("name ilike 4%", Matches(field("name"), "ilike", "4%")),
        ("created like 2026-11%", Matches(CREATED, "like", "2026-11%")),
        ("name = 2026", Comparison(field("name"), "=", "2026")),
        ("snapshot = 12e4567", Comparison(field("snapshot"), "=", "12e4567")),
        ("data.train.bytes > 1.5GiB", Comparison(Key(Space.DATA, "train.bytes"), ">", 1610612736)),
        ("duration < 1h30m", Comparison(field("duration"), "<", 5400)),
        ("metrics.loss.min_step = 3", Comparison(metric("loss", "min_step"), "=", 3)),
        ("status = 'FINISHED'", Comparison(field("status"), "=", "finished")),
        ("status in (failed, Killed)", Among(field("status"), ("failed", "killed"))),
        ("status != lost", Comparison(field("status"), "!=", "lost")),
        ("status ~ fin", Matches(field("status"), "regex", "fin")),
        ("tag = v2", Comparison(TAG, "=", "v2")),
        ("tag = 2", Comparison(TAG, "=", "2")),
        ("tag != v2", Negation(Comparison(TAG, "=", "v2"))),
        ("'v2' = tags", Comparison(TAG, "=", "v2")),
        ("tag in (a, b)", Among(TAG, ("a", "b"))),
        ("tag not in (a, b)", Negation(Among(TAG, ("a", "b")))),
        ("tag like v%", Matches(TAG, "like", "v%")),
        ("tag !~ v", Negation(Matches(TAG, "regex", "v"))),
        ("tag is null", IsNull(TAG)),
    ],
)
def test_a_filter_asks_for_what_it_says(text, condition):
    assert bind(text) == condition


def test_true_and_one_are_two_values():
    assert bind("passed = true").value is True
    assert bind("passed = 1").value is not True


DAY_BEGINS, DAY_ENDS = "2026-11-01T00:00:00.000000Z", "2026-11-02T00:00:00.000000Z"
INSIDE = All((Comparison(CREATED, ">=", DAY_BEGINS), Comparison(CREATED, "<", DAY_ENDS)))


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("created < 2026-11-01", Comparison(CREATED, "<", DAY_BEGINS)),
        ("created <= 2026-11-01", Comparison(CREATED, "<", DAY_ENDS)),
        ("created > 2026-11-01", Comparison(CREATED, ">=", DAY_ENDS)),
        ("created >= 2026-11-01", Comparison(CREATED, ">=", DAY_BEGINS)),
        ("created = 2026-11-01", INSIDE),
        ("created = '2026-11-01'", INSIDE),
        ("created != 2026-11-01", Negation(INSIDE)),
        ("created in (2026-11-01)", Some((INSIDE,))),
        ("2026-11-01 > created", Comparison(CREATED, "<", DAY_BEGINS)),
        ("created >= today", Comparison(CREATED, ">=", "2026-11-26T00:00:00.000000Z")),
        ("yesterday < created", Comparison(CREATED, ">=", "2026-11-26T00:00:00.000000Z")),
        ("created < now", Comparison(CREATED, "<", format_time(NOW))),
        ("created > 9999-12-31", Comparison(CREATED, ">=", ":")),
    ],
)
def test_a_date_is_all_of_its_moments(text, condition):
    assert bind(text) == condition


@pytest.mark.parametrize(
    ("text", "operator", "moment"),
    [
        ("age < 7d", ">", format_time(NOW - 7 * DAY)),
        ("age <= 7d", ">=", format_time(NOW - 7 * DAY)),
        ("age > 7d", "<", format_time(NOW - 7 * DAY)),
        ("age >= 60", "<=", format_time(NOW - 60)),
        ("7d > age", ">", format_time(NOW - 7 * DAY)),
        ("run.age < 7d", ">", format_time(NOW - 7 * DAY)),
        ("age < -1h", ">", format_time(NOW + 3600)),
        ("age = 0", "=", format_time(NOW)),
        ("age != 0", "!=", format_time(NOW)),
        ("age < 1e30", ">", ""),
        ("age < inf", ">", ""),
        ("age > -1e30", "<", ":"),
        ("age > -1e400", "<", ":"),
        ("age < 1" + "0" * 400, ">", ""),
    ],
)
def test_an_age_is_counted_from_the_creation(text, operator, moment):
    assert bind(text) == Comparison(CREATED, operator, moment)


# The text with the wrong place between « and », part of the message, part of the hint.
FAULTS = [
    ("«lrr» < 1", "no run has `lrr`; did you mean `lr`?", "repro show"),
    ("«LR» < 1", "did you mean `lr`?", ""),
    ("«config.lrr» < 1", "no run has `lrr` as a param; did you mean `config.lr`?", ""),
    ("«metrics.lr» < 1", "no run has `lr` as a metric", ""),
    ("«rate» < 1", "did you mean `learning_rate`?", ""),
    ("«numpy» = '1'", "did you mean `packages.numpy`?", ""),
    ("«attributes.start_time» > 1", "did you mean `started`?", ""),
    ("«duratoin» > 1", "did you mean `duration`", ""),
    ("«ab» > 1", "did you mean `a.b` or ``a b``?", ""),
    ("«config.» > 1", "a name is missing behind `config.`", "metrics.loss"),
    ("«``» > 1", "a name is missing", ""),
    ('«""» = 1', "a name is missing", ""),
    ("«config» = 1", "`config` is only the beginning of a name", "`config.NAME` for a param"),
    ("lr > «4hours»", "`4hours` is text", "such as `90s`, `4h`"),
    ("lr > 4 «h» and ema", "not `h`", "one word, such as `90s`, `4h`"),
    ("(lr > 4 «hours»)", "not `hours`", "one word, such as `90s`, `4h`"),
    ("lr > loss «h»", "not `h`", ""),
    ("lr < 1 and «🏃» > 1", "no run has `🏃`", ""),
    ("«best» > 1", "is a param, a metric and an entry of the summary",
     "write `config.best`, `metrics.best` or `summary.best`"),
    ("«metrics.loss.median» > 1", "`median` is no statistic", "last, first, min, max"),
    ("«tags.foo» = 'x'", "a tag has no value", "tag = 'foo'"),
    ("«`config.lr`» < 1", "no run has `config.lr`", ""),
    ("optimizer = «1»", "`optimizer` is a text in every run, and `1` is a number", "text: '1'"),
    ("optimizer in (adam, «1»)", "is a text in every run", ""),
    ("lr = «'0.1'»", "`lr` is a number in every run, and `0.1` is text", "quotes off: 0.1"),
    ("duration < «'4h'»", "is a number in every run", "take the quotes off: 4h"),
    ("lr < «dropout»", "`lr` is a number in every run, and `dropout` is text", "no other names"),
    ("lr = «true»", "is a bool", ""),
    ("ema = «1»", "`ema` is true or false in every run, and `1` is a number", "true or false"),
    ("ema < «true»", "true and false have no order", "write `=`"),
    ("passed = «yes»", "is a number or true or false in every run", ""),
    ("metrics.loss < «adam»", "is a number in every run", ""),
    ("env.python = «3.11»", "is a text in every run", "'3.11'"),
    ("«lr»", "`lr` alone is neither true nor false", "`lr is not null`"),
    ("not «tag»", "alone is neither true nor false", ""),
    ("«lr» ~ 'a'", "no pattern fits it", ""),
    ("«age» like 'a'", "`age` is a number in every run", ""),
    ("«optimizer» is nan", "never NaN", "is null"),
    ("«tag» is nan", "never NaN", ""),
    ("optimizer ~ «'a(b'»", "no regular expression: missing ), unterminated", ""),
    ("optimizer ~ «'" + "(" * 9000 + "'»", "no regular expression", ""),
    ("optimizer ~ «'" + "a" * 10_001 + "'»", "at most 10,000 characters", ""),
    ("optimizer ~ «'a{99999999999}'»", "no regular expression", ""),
    ("status = «done»", "no run has the status `done`", "running, finished, failed"),
    ("status in (failed, «done»)", "no run has the status `done`", ""),
    ("status = «pruned»", "no run has the status `pruned`", "`pruned` alone is a condition"),
    ("sweep = «prune»", "`prune` is no id of a sweep", "`repro sweep ls` has the id"),
    ("sweep in (aj1592, «my-scan»)", "`my-scan` is no id of a sweep", ""),
    ("created < «7d»", "`7d` is no date", "write `age < 7d`"),
    ("created < «5»", "`5` is no date", "2026-11-01"),
    ("created = «2026-02-30»", "`2026-02-30` is no date: day is out of range", ""),
    ("created in (today, «5»)", "`5` is no date", ""),
    ("age < «2026-11-01»", "an age is a duration", "`created`"),
    ("age < «'7d'»", "an age is a duration", ""),
]  # fmt: skip


def fault_in(text: str, known: Known = KNOWN) -> FilterError | None:
    try:
        bind(text, known)
    except FilterError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("text", "hint"),
    [("env.nothing = 1", "environment"), ("data.nothing = 1", "datasets"),
     ("summary.nothing = 1", "summary"), ("metrics.nothing = 1", "the metrics"),
     ("run.nothing = 1", "duration"), ("nothing = 1", "params and metrics")],
)  # fmt: skip
def test_the_hint_of_an_unknown_name_is_about_what_was_asked_for(text, hint):
    with pytest.raises(FilterError) as caught:
        bind(text)
    assert hint in (caught.value.hint or "")


def test_a_misspelled_and_behind_a_number_is_no_unit():
    with pytest.raises(FilterError, match="here `and` or `or` should stand, not `adn`") as caught:
        bind("lr > 4 adn ema")
    assert caught.value.hint is None


@pytest.mark.parametrize(("marked", "message", "hint"), FAULTS)
def test_a_fault_is_told_where_it_is(marked, message, hint):
    text = marked.replace("«", "").replace("»", "")

    error = fault_in(text)

    assert error is not None
    start, end = error.start, error.end
    assert f"{text[:start]}«{text[start:end]}»{text[end:]}" == marked
    assert message in error.message
    assert hint in (error.hint or "")


def test_a_name_of_ten_thousand_letters_is_shown_cut():
    error = fault_in("x" * 10_000 + " < 1")

    assert error is not None
    assert (error.start, error.end) == (0, 10_000)
    assert len(error.message) < 200


def test_an_unknown_name_beside_very_many_gets_the_nearest():
    known = Known(config={f"param_{number}": NUMBER for number in range(100_000)})

    error = fault_in("parm_4711 = 1", known)

    assert error is not None
    assert "`param_4711`" in error.message


def test_a_list_of_moments_has_an_end():
    error = fault_in(f"created in ({', '.join(['today'] * 1001)})")

    assert error is not None
    assert "at most 1,000 moments" in error.message


def test_a_list_of_values_may_be_long():
    values = ", ".join(map(str, range(100_000)))

    assert bind(f"lr in ({values})") == Among(LR, tuple(range(100_000)))


@given(expressions().map(write) | TEXTS)
def test_any_text_is_a_condition_or_refused_within_it(text):
    for known in (KNOWN, Known()):
        error = fault_in(text, known)
        assert error is None or 0 <= error.start <= error.end <= len(text)


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("loss", SortKey(metric("loss"))),
        ("-loss.min", SortKey(metric("loss", "min"), descending=True)),
        ("-config.best", SortKey(config("best"), descending=True)),
        ("created", SortKey(CREATED)),
        ("age", SortKey(CREATED, descending=True)),
        ("-age", SortKey(CREATED)),
        ("a b", SortKey(config("a b"))),
        ("-`a b`", SortKey(config("a b"), descending=True)),
    ],
)
def test_a_name_is_an_order(word, key):
    assert parse_sort([word], KNOWN) == (key,)


def test_orders_are_as_many_as_are_given():
    assert parse_sort([], KNOWN) == ()
    assert parse_sort(["lr", "-loss"], KNOWN) == (
        SortKey(LR),
        SortKey(metric("loss"), descending=True),
    )


@pytest.mark.parametrize(
    "marked", ["«nosuch»", "-«nosuch»", "«best»", "«tag»", "-«tags»", "-«»", "«»", "«config.»"]
)
def test_what_is_no_order_is_told(marked):
    word = marked.replace("«", "").replace("»", "")

    with pytest.raises(FilterError) as caught:
        parse_sort([word], KNOWN)

    start, end = caught.value.start, caught.value.end
    assert caught.value.text == word
    assert f"{word[:start]}«{word[start:end]}»{word[end:]}" == marked


@given(st.text())
def test_any_text_is_an_order_or_refused(text):
    try:
        parse_sort([text], KNOWN)
    except FilterError as error:
        found = error
    else:
        return
    assert 0 <= found.start <= found.end <= len(text)


def test_the_beginning_of_an_id_is_enough():
    sweep = field("sweep")
    begins = All((Comparison(sweep, ">=", "aj1592"), Comparison(sweep, "<", "aj1593")))
    assert bind("sweep = aj1592") == begins
    assert bind("sweep != aj1592") == Negation(begins)
    assert bind("sweep = aj1592aj1592") == Comparison(sweep, "=", "aj1592aj1592")
    assert bind("sweep in (aj1592, bbbbbbbbbbbb)") == Some(
        (Among(sweep, ("bbbbbbbbbbbb",)), begins)
    )
    assert bind("id = zzzz") == All(
        (Comparison(field("id"), ">=", "zzzz"), Comparison(field("id"), "<", "zzz{"))
    )
    assert bind("user = anna") == Comparison(field("user"), "=", "anna")
    with pytest.raises(FilterError, match="at most 1,000 beginnings of ids"):
        bind(f"id in ({', '.join(['zzzz'] * 1001)})")
