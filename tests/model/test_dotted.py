"""A dotted key leads to the entry that the config shows under it."""

from hypothesis import given
from hypothesis import strategies as st

from repro.model.config import flatten_config
from repro.model.dotted import find_path, value_at, with_value

KEYS = st.text("ab.", min_size=1, max_size=3)
CONFIGS = st.recursive(st.integers(), lambda inner: st.dictionaries(KEYS, inner, max_size=3))


def test_keys_with_dots_of_their_own_are_found():
    config = {"a.b": {"c": 1}, "a": {"d.e": 2}}

    assert find_path(config, "a.b.c") == ("a.b", "c")
    assert find_path(config, "a.d.e") == ("a", "d.e")
    assert find_path(config, "a") == ("a",)
    assert find_path(config, "a.x") is None
    assert find_path(config, "a.d.e.f") is None
    assert find_path(config, "") is None


def test_only_the_entry_changes():
    config = {"a": {"b": 1, "c": 2}, "d": 3}

    assert with_value(config, ("a", "b"), [9]) == {"a": {"b": [9], "c": 2}, "d": 3}
    assert config == {"a": {"b": 1, "c": 2}, "d": 3}


@given(st.dictionaries(KEYS, CONFIGS, max_size=4))
def test_whatever_a_config_shows_is_found(config):
    for key in flatten_config(config):
        path = find_path(config, key)
        assert path is not None
        assert ".".join(path) == key
        assert value_at(with_value(config, path, "new"), path) == "new"


def test_a_deep_key_costs_nothing():
    assert find_path({"a": {"a": 1}}, "a" + ".a" * 5000) is None
