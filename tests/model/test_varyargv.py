"""A param is varied in the words that gave it, in their own style."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from repro.errors import InvalidInputError
from repro.model.config import config_from_command, flatten_config, parse_value
from repro.model.values import ABSENT, is_same
from repro.model.varyargv import vary_argv


@pytest.mark.parametrize(
    ("before", "key", "text", "after"),
    [
        ("python t.py --lr 0.1 x", "lr", "0.5", "python t.py --lr 0.5 x"),
        ("python t.py --lr=0.1", "lr", "1e-4", "python t.py --lr=0.0001"),
        ("python t.py -b32", "b", "64", "python t.py -b64"),
        ("python t.py -b 32", "b", "64", "python t.py -b 64"),
        ("python t.py -b32", "b", "big", "python t.py -b big"),
        ("python t.py lr=0.1 +n=2 ++m.k=3", "n", "5", "python t.py lr=0.1 +n=5 ++m.k=3"),
        ("python t.py lr=0.1 +n=2 ++m.k=3", "m.k", "x", "python t.py lr=0.1 +n=2 ++m.k=x"),
        ("python t.py --model.width 3", "model.width", "4", "python t.py --model.width 4"),
        ("python t.py --learning-rate 1", "learning_rate", "2", "python t.py --learning-rate 2"),
        ("python t.py --lr 0.1 --lr 0.2", "lr", "0.3", "python t.py --lr 0.3"),
        ("python t.py lr=0.1 lr=0.2", "lr", "0.3", "python t.py lr=0.1 lr=0.3"),
        ("python t.py --f a --f b", "f", '["x","y"]', "python t.py --f x --f y"),
        ("python t.py --layers 1 2 3 --x", "layers", "[4,5]", "python t.py --layers 4 5 --x"),
        ("python t.py --layers 1 2 3 --x", "layers", "[4]", "python t.py --layers 4 --x"),
        ("python t.py --amp", "amp", "false", "python t.py"),
        ("python t.py --amp", "amp", "true", "python t.py --amp"),
        ("python t.py --no-amp", "amp", "true", "python t.py --amp"),
        ("python t.py --nano-no-amp", "nano_no_amp", "false", "python t.py"),
        ("python t.py --no-amp", "amp", "false", "python t.py --no-amp"),
        ("python t.py --no-amp", "no_amp", "false", "python t.py"),
        ("python t.py --amp True", "amp", "false", "python t.py --amp False"),
        ("python t.py --amp=true", "amp", "false", "python t.py --amp=false"),
        ("python t.py amp=true", "amp", "false", "python t.py amp=false"),
        ("python t.py --x 1", "x", "none", "python t.py --x None"),
        ("python t.py --x 1", "x", "-0.5", "python t.py --x -0.5"),
        ("python t.py --x 1", "x", "-a", "python t.py --x=-a"),
        ("python t.py --x 1", "x", "a=b", "python t.py --x=a=b"),
        ("python t.py --x [1,2]", "x", "[3]", "python t.py --x [3]"),
        ('python t.py m={"w":1,"k":{"d":2}}', "m.k.d", "3", 'python t.py m={"w":1,"k":{"d":3}}'),
        ("uv run torchrun --n 2 t.py --lr 1", "lr", "2", "uv run torchrun --n 2 t.py --lr 2"),
        ("python t.py --lr 0.1", "lr", "0.1", "python t.py --lr 0.1"),
        ("python t.py --x 3 --x", "x", "true", "python t.py --x"),
        ("python t.py --x 3 --x", "x", "false", "python t.py"),
        ("python t.py --no-x", "x", "3", "python t.py --x=3"),
    ],
)  # fmt: skip
def test_words_keep_their_style(before, key, text, after):
    assert vary_argv(before.split(), key, parse_value(text)) == tuple(after.split())


@pytest.mark.parametrize(
    ("command", "key"),
    [
        ("python t.py --lr 0.1", "width"),
        ("torchrun --nnodes 2 t.py", "nnodes"),
        ("python t.py -- --lr 0.1", "lr"),
        ("python t.py lr=0.1", "lr.x"),
        ("python t.py hydra.run.dir=x", "hydra.run.dir"),
        ("sh -c '--lr 0.1'", "lr"),
        ("", "lr"),
        ('python t.py m={"w":1}', "m.z"),
        ("python t.py --x 1", "__class__"),
    ],
)
def test_what_the_command_does_not_give_is_not_varied_in_it(command, key):
    assert vary_argv(command.split(), key, 1) is None


@pytest.mark.parametrize("word", ["x=1", "--x=1", "-x1"])
def test_a_value_that_no_word_says_is_refused(word):
    with pytest.raises(InvalidInputError, match="cannot be"):
        vary_argv(["python", "t.py", word], "x", [[[[[[[[[1]]]]]]]]])


NAMES = st.from_regex(r"[A-Za-z_][\w]{0,5}(\.[A-Za-z_]\w{0,3})?", fullmatch=True)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3)


def as_words(name, value, style):
    text = str(value) if not isinstance(value, list) else "[1,2]"
    return {
        "spaced": [f"--{name}", text],
        "equals": [f"--{name}={text}"],
        "hydra": [f"{name}={text}"],
        "flag": [f"--{name}"],
        "several": [f"--{name}", "1", "2"],
        "repeated": [f"--{name}", "a", f"--{name}", "b"],
    }[style]


STYLES = st.sampled_from(["spaced", "equals", "hydra", "flag", "several", "repeated"])


@given(st.lists(st.tuples(NAMES, SCALARS, STYLES), min_size=1, max_size=4), VALUES, st.data())
def test_the_config_of_the_varied_command_has_the_new_value(options, value, data):
    argv = ["python", "t.py", *(w for one in options for w in as_words(*one))]
    known = flatten_config(config_from_command(argv))
    assume(known)
    key = data.draw(st.sampled_from(sorted(known)))
    others = {other: v for other, v in known.items() if other != key}

    try:
        varied = vary_argv(argv, key, value)
    except InvalidInputError:
        return

    assume(varied is not None)
    config = flatten_config(config_from_command(varied))
    found = config.get(key, ABSENT)
    said = [value, *(value if isinstance(value, list) and len(value) == 1 else [])]
    assert any(is_same(found, one) for one in said) or (value is False and found is ABSENT)
    assert [k for k in others if not is_same(config.get(k, ABSENT), others[k])] == []


@given(SCALARS.filter(lambda value: not isinstance(value, str) or value.isprintable()))
def test_any_plain_value_can_be_said(value):
    for words in (["--x", "1"], ["--x=1"], ["x=1"]):
        varied = vary_argv(["python", "t.py", *words], "x", value)
        assert varied is not None
        found = config_from_command(varied)["x"]
        assert is_same(found, value) or (math.isnan(value) and math.isnan(found))
