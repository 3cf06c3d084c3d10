"""A spec is read back as it was written, and nothing else is taken for one."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.spaces import spaces

from repro.errors import DamagedRecordError
from repro.model.canonical import format_json, parse_json
from repro.model.sampling import draw, rng_for
from repro.model.space import Constant, IntUniform, Uniform
from repro.model.sweepspec import EarlyStop, Method, SweepSpec
from repro.store.sweepspecs import decode_spec, encode_spec

SPEC = SweepSpec(
    method=Method.TPE,
    space={"z": Uniform(0.0, 8.0, 2), "a": IntUniform(1, 9, is_log=True), "c": Constant(None)},
    command=("python", "t.py", "${args}"),
    is_macro=True,
    metric="val_loss.min",
    goal="maximize",
    target=0.5,
    run_cap=50,
    early=EarlyStop(kind="hyperband", min_iter=3, max_iter=27),
    seed=2**63 - 1,
    name="a name",
    note="a note",
)


def through_a_file(spec):
    return decode_spec(parse_json(format_json(encode_spec(spec)), name="sweep.json"), "spec")


def test_every_part_is_read_back():
    assert through_a_file(SPEC) == SPEC
    assert list(through_a_file(SPEC).space) == ["z", "a", "c"]


@settings(max_examples=40)
@given(spaces(), st.integers(0, 99))
def test_a_spec_that_was_read_draws_as_the_one_that_was_written(space, seed):
    spec = SweepSpec(method=Method.RANDOM, space=space, seed=seed)

    read = through_a_file(spec)

    assert read == spec
    assert format_json(draw(read.space, rng_for(seed, 0))) == format_json(
        draw(space, rng_for(seed, 0))
    )


def edited(path, value):
    """The spec as JSON with one value changed, or left out."""
    spec = json.loads(format_json(encode_spec(SPEC)))
    *above, last = path
    place = spec
    for key in above:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return spec


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["method"], "magic"),
        (["method"], ...),
        (["goal"], "win"),
        (["space"], []),
        (["space"], {}),
        (["space"], [1]),
        (["space", 0, "key"], "a"),
        (["space", 0, "key"], "a.b"),
        (["space", 0, "key"], "a\x1b[2J"),
        (["space", 0, "key"], "x" * 300),
        (["space", 0, "kind"], "magic"),
        (["space", 0, "kind"], 3),
        (["space", 0, "low"], 9),
        (["space", 0, "low"], "NaN"),
        (["space", 0, "low"], True),
        (["space", 0, "low"], 10**400),
        (["space", 0, "q"], 0),
        (["space", 0, "q"], 1e-300),
        (["space", 0, "q"], "1"),
        (["space", 0, "log"], None),
        (["space", 1, "low"], 0),
        (["space", 1, "low"], 1.5),
        (["space", 1, "high"], 2**60),
        (["space", 2, "value"], ...),
        (["space", 2, "value"], "\0"),
        (["space", 2], {"key": "c", "kind": "categorical", "values": []}),
        (["space", 2], {"key": "c", "kind": "categorical", "values": "ab"}),
        (["space", 2], {"key": "c", "kind": "categorical", "values": [1, 2], "weights": [1]}),
        (["space", 2], {"key": "c", "kind": "categorical", "values": [1, 2], "weights": [2, -1]}),
        (["space", 2], {"key": "c", "kind": "categorical", "values": [1], "weights": "x"}),
        (["space", 2], {"key": "c", "kind": "normal", "mu": 0, "sigma": -1, "log": False}),
        (["space", 2], {"key": "c", "kind": "beta", "a": 0, "b": 1}),
        (["command"], "python"),
        (["command"], [3]),
        (["command"], ["${agrs}"]),
        (["command"], ["a\0b"]),
        (["macros"], 1),
        (["metric"], None),
        (["metric"], ""),
        (["target"], "NaN"),
        (["run_cap"], 0),
        (["run_cap"], 10**9),
        (["early", "kind"], "magic"),
        (["early", "min_iter"], 0),
        (["early", "max_iter"], 1),
        (["early", "eta"], 1),
        (["early"], []),
        (["seed"], -1),
        (["name"], 3),
    ],
)
def test_a_hostile_spec_is_refused(path, value):
    with pytest.raises(DamagedRecordError) as caught:
        decode_spec(edited(path, value), "spec")

    assert "spec" in caught.value.message
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("value", [None, [], 3, "x"])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(DamagedRecordError):
        decode_spec(value, "spec")


def test_a_spec_with_a_thousand_and_one_params_is_refused():
    many = [{"key": f"p{n}", "kind": "constant", "value": n} for n in range(1001)]

    with pytest.raises(DamagedRecordError, match="more than 1,000 params"):
        decode_spec(edited(["space"], many), "spec")
