import time

import pytest
from tests.support.records import make_record

from repro.model.outlook import describe_outlook, foresee
from repro.model.run import Omitted

KEPT, PINNED = {"path": "a", "kept": True}, {"path": "b", "kept": False}


def package(name, **origin):
    return {"name": name, "version": "1", "origin": origin}


def environment(*packages):
    return {"packages": {"list": list(packages)}}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "yes"),
        ({"data": {"train": KEPT}}, "yes"),
        ({"data": {"train": PINNED}}, "yes, as long as dataset `train` stays as it is"),
        (
            {"data": {"train": PINNED, "test": PINNED}},
            "yes, as long as dataset `train`, dataset `test` stay as they are",
        ),
        (
            {"data": {str(number): PINNED for number in range(5)}},
            "yes, as long as dataset `0`, dataset `1`, dataset `2` and 2 more stay as they are",
        ),
        (
            {"omitted": (Omitted(".env", 9, "looks secret"),)},
            "yes, as long as `.env` stays as it is",
        ),
        ({"omitted": (Omitted("a.ckpt", 9, "excluded"),)}, "yes"),
        ({"command": ("a", "--token", "<redacted>")}, "yes, given `--token` again"),
        (
            {"environment": environment(package("w", url="file:///w/w.whl"))},
            "yes, as long as `/w/w.whl` stays as it is",
        ),
        (
            {"environment": {"packages": {"list": [], "system": ["/usr/lib/python3/x"]}}},
            "yes, as long as `/usr/lib/python3/x` stays as it is",
        ),
        ({"environment": environment(package("v", url="git+https://x.org/v", vcs="git"))}, "yes"),
        ({"environment": environment(package("o", path=".", editable=True))}, "yes"),
        ({"environment": environment(package("o", path="w/o.whl", hash="sha256:1"))}, "yes"),
        ({"environment": environment(package("git-repro", path="."))}, "yes"),
        (
            {"environment": environment(package("o", path="."))},
            "yes, if the installed copy of `.` is its code (`pip install -e .`)",
        ),
        (
            {"environment": environment(package("o", path="."), package("p", path="a b"))},
            "yes, if the installed copy of `.` and 1 more is its code (`pip install -e .`)",
        ),
        (
            {"environment": environment(package("e", url="file:///e", editable=True, tree="1"))},
            "yes",
        ),
        (
            {"environment": environment(package("e", url="file:///e", editable=True))},
            "no — the code of the editable package `e` is not in the record · repro doctor abc",
        ),
        (
            {
                "environment": environment(
                    package(
                        "e",
                        url="file:///e",
                        editable=True,
                        tree="1",
                        omitted=[{"path": "w.bin", "size": 9, "reason": "too large"}],
                    )
                )
            },
            "no — `w.bin` of the editable package `e` is not in the record · repro doctor abc",
        ),
        (
            {"omitted": (Omitted("b.bin", 9, "too large"), Omitted("d/", None, "not pinned"))},
            "no — `b.bin` is not in the record (too large); `d/` is not in the record (not pinned)"
            " · repro doctor abc",
        ),
        (
            {"environment": {"packages": {"error": "no answer"}}},
            "no — its packages could not be recorded (no answer) · repro doctor abc",
        ),
        (
            {"data": {"train": PINNED}, "omitted": (Omitted("b.bin", 9, "too large"),)},
            "no — `b.bin` is not in the record (too large) · repro doctor abc",
        ),
    ],
)
def test_the_short_form_says_what_the_record_knows(changes, line):
    record = make_record(**changes)

    assert describe_outlook(foresee(record), "abc") == f"reproducible: {line}"


@pytest.mark.parametrize(
    "changes",
    [
        {"environment": {"packages": 3, "interpreter": []}},
        {"environment": environment(3, {"name": 3}, package("x", url=3), package("y", url="[//["))},
        {"data": {"train": 3}},
    ],
)
def test_a_record_made_to_do_harm_is_no_traceback(changes):
    assert describe_outlook(foresee(make_record(**changes)), "abc").startswith("reproducible: ")


def test_it_costs_next_to_nothing():
    many = environment(*(package(f"p{number}", url="https://x.org") for number in range(500)))
    record = make_record(environment=many)
    costs_s = []
    for _ in range(10):
        start = time.process_time()
        foresee(record)
        costs_s.append(time.process_time() - start)

    assert min(costs_s) < 0.005
