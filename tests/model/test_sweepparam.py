"""`-p` means what other tools mean by it, and says so where they differ."""

import pytest

from repro.errors import UsageError
from repro.model.space import Beta, Categorical, Constant, IntUniform, Normal, Uniform
from repro.model.sweepparam import parse_param


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("uniform(0,1)", Uniform(0.0, 1.0)),
        ("loguniform(1e-5, 1e-1)", Uniform(1e-5, 0.1, is_log=True)),
        ("quniform(0,1,0.1)", Uniform(0.0, 1.0, 0.1)),
        ("qloguniform(16,256,16)", Uniform(16.0, 256.0, 16, is_log=True)),
        ("int(1,10)", IntUniform(1, 10)),
        ("logint(1,1024)", IntUniform(1, 1024, is_log=True)),
        ("normal(0,1)", Normal(0.0, 1.0)),
        ("lognormal(-3,0.5)", Normal(-3.0, 0.5, is_log=True)),
        ("qnormal(64,16,8)", Normal(64.0, 16.0, 8)),
        ("qlognormal(0,1,0.5)", Normal(0.0, 1.0, 0.5, is_log=True)),
        ("beta(2,5)", Beta(2.0, 5.0)),
        ("qbeta(2,5,0.25)", Beta(2.0, 5.0, 0.25)),
        ("interval(0,1)", Uniform(0.0, 1.0)),
        # Guild
        ("uniform[-2.0:2.0]", Uniform(-2.0, 2.0)),
        ("loguniform[1e-4:1e-1]", Uniform(1e-4, 0.1, is_log=True)),
        ("[1e-4:1e-2]", Uniform(1e-4, 1e-2)),
        ("[1:10]", IntUniform(1, 10)),
        ("range[1:3]", Categorical((1, 2, 3))),
        # DVC and Hydra
        ("0.1,0.2", Categorical((0.1, 0.2))),
        ("range(0,1,0.25)", Categorical((0, 0.25, 0.5, 0.75))),
        ("range(3)", Categorical((0, 1, 2))),
        ("range(3,0,-1)", Categorical((3, 2, 1))),
        ("choice(a,b,1)", Categorical(("a", "b", 1))),
        # values are typed as of `-c`
        ("sgd,adam", Categorical(("sgd", "adam"))),
        ("1, 2.5 ,true,null,017", Categorical((1, 2.5, True, None, "017"))),
        ("[64,64],[128]", Categorical(([64, 64], [128]))),
        ('{"a":1},x', Categorical(({"a": 1}, "x"))),
        ('"a,b","c(d)"', Categorical(("a,b", "c(d)"))),
        ("choice([64,64])", Categorical(([64, 64],))),
        ("3", Constant(3)),
        ("resnet-50", Constant("resnet-50")),
        ('""', Constant("")),
        ("a=b", Constant("a=b")),
    ],
)
def test_values_are_read(text, expected):
    key, distribution = parse_param(f"model.x={text}")

    assert (key, distribution) == ("model.x", expected)
    assert repr(distribution) == repr(expected) or "range" in text  # 1 is not 1.0 here


def test_a_range_of_decimals_has_no_digits_that_nobody_wrote():
    assert parse_param("x=range[0:0.4:0.1]")[1].values == (0.0, 0.1, 0.2, 0.3, 0.4)


@pytest.mark.parametrize(
    ("text", "reason", "hint"),
    [
        ("lr", "is not `key=values`", "loguniform"),
        ("lr=", "is not `key=values`", "loguniform"),
        ("=3", "not the name of a param", "model.width"),
        ("--lr=3", "not the name of a param", "model.width"),
        ("a..b=3", "not the name of a param", "model.width"),
        ("lr=unifrom(0,1)", "did you mean `uniform`", "double quotes"),
        ("lr=log_uniform(0,1)", "did you mean `loguniform`", "double quotes"),
        ("lr=uniform(0)", r"is `uniform\(LOW,HIGH\)`, and 1 number is given", "uniform"),
        ("lr=uniform(a,1)", "`a` is not a number", "1e-3"),
        ("lr=uniform(true,1)", "`true` is not a number", "1e-3"),
        ("lr=uniform(0,inf)", "inf is not finite", "reached"),
        ("lr=uniform(0,nan)", "nan is not finite", "reached"),
        ("lr=uniform(0,1" + "0" * 400 + ")", "is not finite", "reached"),
        ("lr=[0:1" + "0" * 400 + "]", "is not finite", "reached"),
        ("lr=1" + "0" * 5000 + ".0", "the value 1000", "as text"),
        ("lr=1" + "0" * 5000 + ".0,1", "the value 1000", "as text"),
        ("lr=range(0,1e308,1e-308)", "more than 1,000,000,000,000,000 values", "quniform"),
        ("lr=uniform(1,0)", r"`min` 1\.0 is not below `max` 0\.0", "mend"),
        ("lr=uniform(1,1)", "that is one value", "mend"),
        ("lr=loguniform(0,1)", "more than 0", "mend"),
        ("lr=quniform(1,2,5)", "no multiple of `q` 5", "mend"),
        ("lr=quniform(0,1,2)", "only one multiple of `q` 2", "mend"),
        ("lr=quniform(0,1,0)", "`q` must be more than 0", "mend"),
        ("lr=quniform(0,1,1e-300)", "too small", "mend"),
        ("lr=normal(0,0)", "`sigma` must be more than 0", "mend"),
        ("lr=lognormal(1000,1)", "out of the range", "mend"),
        ("lr=qlognormal(690,0.1,1e-300)", "too small", "mend"),
        ("lr=beta(0,1)", "more than 0", "mend"),
        ("n=int(1,2.5)", "not a whole number", "dot"),
        ("n=logint(0,8)", "must be 1 or more", "mend"),
        ("n=int(0,99999999999999999999)", "beyond 2", "mend"),
        ("n=range(0,1,0)", "step of 0", "range"),
        ("n=range(1,0)", "has 0 values", "values"),
        ("n=range(0,1,1e-9)", "1,000,000,000 values", "quniform"),
        ("n=range()", "is not a number", "1e-3"),
        ("x=[1,2]", "`: that may be one list or several", r"write `1,2` for several"),
        ("x=a,,b", "a value is missing", '""'),
        ("x=a,a", "occurs twice", "mend"),
        ("x=1,1.0", "occurs twice", "mend"),
        ("x=a,uniform(0,1)", "is not one value", "double quotes"),
        ("x=Adam(lr=1)", "there is no function `Adam`", "double quotes"),
        ("x=(a", "is not closed", "double quotes"),
        ('x="a', "is not closed", "double quotes"),
        ("x=nan,1", "is not finite", "as text"),
        ("x=" + "a" * 70_000, "is not `key=values`", "loguniform"),
        ("x=a\0,b", "holds what no program can be given", "mend"),
    ],
)
def test_what_makes_no_sense_is_refused(text, reason, hint):
    with pytest.raises(UsageError, match=reason) as caught:
        parse_param(text)

    assert hint in caught.value.hint
    assert len(caught.value.message) < 600
    assert len(caught.value.hint) < 300
    assert caught.value.message.isprintable()
