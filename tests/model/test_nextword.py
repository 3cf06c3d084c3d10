import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.condition import Key, Kind, Space
from repro.model.nextword import complete_filter, complete_name

KNOWN = {
    Space.CONFIG: ["batch size", "dropout", "ema", "lr", "optimizer.lr", "status"],
    Space.METRIC: ["lr", "train/loss", "val_loss"],
    Space.SUMMARY: ["best"],
    Space.ENV: ["packages.numpy", "python.version"],
    Space.DATA: ["train"],
}
TAGS = ["v1", "v2", "a b"]


class Words:
    """A vocabulary of a few names, all of them numbers but `ema`."""

    def has(self, space, name):
        return name in self.names(space)

    def names(self, space):
        return KNOWN.get(space, [])

    def kinds(self, key):
        return {Kind.BOOL} if key == Key(Space.CONFIG, "ema") else {Kind.NUMBER}


def texts_of(key, begun):
    return TAGS if key == Key(Space.TAG, "") else []


def names(prefix):
    return [name for name, _ in complete_name(prefix, Words())]


def filters(text):
    return [found for found, _ in complete_filter(text, Words(), texts_of)]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("dro", ["dropout"]),
        ("train", ["train/loss"]),
        ("optimizer.", ["optimizer.lr"]),
        ("sta", ["status", "started"]),
        ("config.", ["config.dropout", "config.ema", "config.lr", "config.optimizer.lr"]),
        ("config.sta", ["config.status"]),
        ("metrics.val", ["metrics.val_loss"]),
        ("metrics.val_loss.m", ["metrics.val_loss.min", "metrics.val_loss.max"]),
        ("val_loss.last_", ["val_loss.last_step"]),
        ("env.packages", ["env.packages.numpy"]),
        ("su", ["summary."]),
        ("data.", ["data.train"]),
        ("nothing", []),
        ("config.nothing", []),
    ],
)
def test_names_are_completed_in_their_space(prefix, found):
    assert set(found) <= set(names(prefix))
    assert all(name.startswith(prefix) for name in names(prefix))
    if not found:
        assert names(prefix) == []


def test_a_name_that_several_spaces_have_is_offered_with_its_space():
    assert "lr" not in names("")
    assert {"config.lr", "metrics.lr"} <= {*names("")}


def test_a_param_that_is_called_like_a_field_is_offered_with_its_space():
    assert names("status") == ["status"]
    assert "config.status" in names("")


def test_a_name_that_needs_quotes_is_not_offered():
    assert names("batch") == []
    assert names("config.batch") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dro", ["dropout"]),
        ("dropout ", ["dropout =", "dropout <", "dropout is", "dropout not"]),
        ("dropout <", ["dropout <", "dropout <="]),
        ("dropout<", ["dropout<="]),
        ("dropout < 0.1 ", ["dropout < 0.1 and", "dropout < 0.1 or"]),
        ("dropout < 0.1 and val", ["dropout < 0.1 and val_loss"]),
        ("dropout < 0.1 AND not val", ["dropout < 0.1 AND not val_loss"]),
        ("(dropout > 1 or val", ["(dropout > 1 or val_loss"]),
        ("not (", ["not (dropout", "not (not"]),
        ("0.1 < dropout ", ["0.1 < dropout and"]),
        ("status = fin", ["status = finished"]),
        ("status in (failed, ki", ["status in (failed, killed"]),
        ("status in ", ["status in ("]),
        ("status not ", ["status not in", "status not like"]),
        ("tag = ", ["tag = v1", "tag = v2"]),
        ("ema = t", ["ema = true"]),
        ("dirty = f", ["dirty = false"]),
        ("dropout is ", ["dropout is null", "dropout is not"]),
        ("dropout is not n", ["dropout is not null", "dropout is not nan"]),
        ("(dropout > 1) ", ["(dropout > 1) and"]),
        ("`batch size` ", ["`batch size` ="]),
        ("status = 'failed' a", ["status = 'failed' and"]),
    ],
)
def test_the_last_word_of_a_filter_is_completed(text, found):
    assert set(found) <= set(filters(text))


def test_the_value_of_a_number_is_not_guessed():
    assert filters("dropout < ") == []


@pytest.mark.parametrize("text", ["name = 'fin", 'name = "fin', "`batch"])
def test_within_quotes_nothing_is_offered(text):
    assert filters(text) == []


@given(st.text())
def test_whatever_is_typed_stays_as_it_is(text):
    assert all(found.startswith(text) for found in filters(text))
