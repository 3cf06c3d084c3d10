"""D01 to D30: JSON, YAML, series of metrics."""

import json
from typing import Any

from tests.hostile.cases_records import a_metric, files_of, with_text
from tests.hostile.making import Maker
from tests.hostile.table import Case, Elsewhere, Make, Row


def _bad(id_: str, what: str, says: str, *forms: Make, plain: Any = "refused") -> Case:
    return Case(id=id_, what=what, forms=forms, says=says, plain=plain)


def _kept(id_: str, what: str, then: str, *forms: Make) -> Case:
    return Case(id=id_, what=what, forms=forms, vetted="accepted", plain="written", then=then)


def _json(text: str | bytes) -> tuple[Make, ...]:
    """The text as a value in the middle of `run.json`, and as a whole file."""
    data = text if isinstance(text, bytes) else text.encode()

    def inside(maker: Maker, run_id: str) -> str:
        run = files_of(maker, run_id)["run.json"].rstrip()[:-1] + b',\n"odd": ' + data + b"}\n"
        return maker.run(run_id, files={"run.json": run})

    return inside, with_text("environment.json", b'{"odd": ' + data + b"}\n")


def _yaml(text: str) -> Make:
    return with_text("config.yaml", text)


def _series(text: str, path: str = "metrics/0.csv") -> Make:
    return with_text(path, text)


def _metrics(names: list[str]) -> Make:
    return lambda maker, run_id: maker.run(run_id, metrics=dict.fromkeys(names, a_metric()))


def _many_metrics(maker: Maker, run_id: str) -> str:
    one = json.dumps(a_metric().__class__.__name__)
    text = '{"metrics": {' + ", ".join(f'"m{n}": {one}' for n in range(1_000_000)) + "}}"
    return maker.run(run_id, files={"metrics.json": text.encode()})


_BOMB = "a0: [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 10))
_MERGE = "a: &a {x: 1}\nb:\n  <<: [" + ", ".join(["*a"] * 10_000) + "]\n"
_ODD = ["a\nb", "\x1b[2J", "<img onerror>", '=HYPERLINK("x")', "../../x", "\u202eevil", ""]
_HEAD = "step,time,loss\n"

CASES: tuple[Row, ...] = (
    _bad(
        "D01",
        "bare `NaN`, `Infinity`, `-Infinity`",
        "is not JSON|no valid",
        *_json("NaN"),
        *_json("Infinity"),
        *_json("[-Infinity]"),
    ),
    _bad("D02", "`1e400`", "out of range", *_json("1e400"), *_json("[-1e999]")),
    _bad("D03", "integer of 5,000 digits", "out of range", *_json("1" * 5000)),
    _kept(
        "D04",
        "2^63 and 2^53 + 1",
        "kept exactly",
        *_json(str(2**63)),
        *_json(str(2**53 + 1)),
        with_text("config.yaml", f"a: {2**63}\n"),
    ),
    _bad("D05", "a key twice", "occurs twice", *_json('{"a": 1, "a": 2}')),
    _bad(
        "D06",
        "`[` 100,000 times",
        "nests deeper",
        *_json("[" * 100_000),
        *_json("[" * 70 + "]" * 70),
    ),
    _bad(
        "D07",
        "10^6 names of metrics",
        "more than the limit of 16,777,216",
        _many_metrics,
        plain="either",
    ),
    _bad("D08", "half a surrogate pair", "surrogate", *_json('"\\ud800"')),
    _bad(
        "D09",
        "byte order mark",
        "byte order mark",
        with_text("environment.json", b"\xef\xbb\xbf{}"),
    ),
    _bad("D10", "UTF-16", "UTF-8", with_text("environment.json", '{"a": 1}'.encode("utf-16"))),
    _bad("D11", "invalid UTF-8", "UTF-8", *_json(b'"\xff"')),
    _kept(
        "D12", "`\\u0000` in a key and a value", "shown escaped", *_json('{"a\\u0000b": "\\u0000"}')
    ),
    _kept(
        "D13",
        "keys `__proto__`, `constructor`, `toString`",
        "keys like any other",
        *_json('{"__proto__": 1, "constructor": {}, "toString": null}'),
    ),
    _kept(
        "D14",
        "empty key, key of 1 MB",
        "shown cut",
        *_json('{"": 1, "' + "k" * 1_000_000 + '": 2}'),
    ),
    _bad("D15", "`{}x`", "cannot read", with_text("environment.json", "{}x")),
    _bad(
        "D16",
        "empty file",
        "cannot read",
        with_text("environment.json", ""),
        with_text("run.json", ""),
    ),
    Elsewhere(
        id="D17",
        what="record cut at every byte",
        outcome="refused at every byte",
        tests=("tests/hostile/test_cut.py::test_a_record_that_is_cut_anywhere_is_refused",),
    ),
    _bad("D18", "YAML of nine levels of aliases", "config.yaml", _yaml(_BOMB)),
    _bad(
        "D19",
        '`!!python/object/apply:os.system ["id"]`',
        "config.yaml",
        _yaml('a: !!python/object/apply:os.system ["touch CANARY"]\n'),
    ),
    _bad("D20", "`&a [*a]`", "config.yaml", _yaml("a: &a [*a]\n")),
    _bad("D21", "merge key of 10,000 mappings", "config.yaml", _yaml(_MERGE)),
    _bad(
        "D22",
        "`no`, `1_000`, `12:30:45`, `017`, which each YAML reads otherwise",
        "config.yaml",
        *(_yaml(f"a: {word}\n") for word in ("no", "1_000", "12:30:45", "017")),
    ),
    _bad(
        "D23",
        "YAML 5,000 levels deep",
        "config.yaml",
        _yaml("a: " + "[" * 5000 + "]" * 5000 + "\n"),
        _yaml("".join("  " * n + "a:\n" for n in range(1000)) + "  " * 1000 + "a: 1\n"),
    ),
    _kept(
        "D24",
        "`${oc.env:AWS_SECRET_ACCESS_KEY}`, `{{7*7}}` in a config",
        "texts: never resolved",
        lambda maker, run_id: maker.run(
            run_id, config={"a": "${oc.env:AWS_SECRET_ACCESS_KEY}", "b": "{{7*7}}"}
        ),
    ),
    _kept(
        "D25",
        "metric `a<LF>b`, `ESC[2J`, `<img onerror>`, `=HYPERLINK(…)`, `../../x`, U+202E, none",
        "shown escaped; a name never becomes that of a file",
        _metrics(_ODD),
    ),
    _bad(
        "D25b",
        "metric with a name of 17 MB",
        "more than the limit",
        lambda maker, run_id: maker.run(
            run_id, files={"metrics.json": b'{"metrics": {"' + b"n" * 17_000_000 + b'": 1}}'}
        ),
        plain="either",
    ),
    _bad(
        "D26",
        'step 2^64, 1.5, NaN, `"x"`, going back, twice',
        "metrics/",
        *(_series(f"{_HEAD}{step},1.0,0.5\n") for step in (2**64, 1.5, "nan", '"x"')),
        _series(f"{_HEAD}2,1.0,0.5\n1,2.0,0.5\n"),
        _series(f"{_HEAD}1,1.0,0.5\n1,2.0,0.5\n"),
        _series("step,time,metric,value\n2,1.0,a,0.5\n1,2.0,a,0.5\n", "metrics/long.csv"),
        plain="written",
    ),
    _kept("D26b", "negative step", "a step like any other", _series(f"{_HEAD}-1,1.0,0.5\n")),
    _bad(
        "D27",
        "10^8 points",
        "more than the limit|bytes",
        lambda maker, run_id: maker.run(
            run_id, files={"metrics/0.csv": (_HEAD + "1,1.0,0.5\n" * 7_000_000).encode()}
        ),
        plain="either",
    ),
    _kept(
        "D28",
        "wall time -1e18, 1e18, NaN",
        "shown as they are",
        _series(f"{_HEAD}1,-1e18,0.5\n2,1e18,0.5\n3,nan,0.5\n"),
    ),
    _bad(
        "D29",
        "gzip in place of a table",
        "metrics/0.csv",
        with_text("metrics/0.csv", b"\x1f\x8b\x08" + b"\0" * 50),
        plain="written",
    ),
    Elsewhere(
        id="D30",
        what="values that are bytes, a set, a NumPy scalar, a tensor, one whose `__repr__` raises or `__float__` blocks",
        outcome="numbers are converted, all else is an error at the call; the journal stays whole",
        tests=(
            "tests/sdk/test_values.py::test_what_is_no_number_is_refused_by_name",
            "tests/sdk/test_values.py::test_scalars_of_numpy_are_taken",
        ),
    ),
)
