from repro.model.diagnosis import (
    Diagnosis,
    State,
    degraded,
    diagnosis_json,
    list_some,
    missing,
    ok,
    worst,
)


def test_only_what_is_missing_makes_a_diagnosis_bad():
    assert Diagnosis("a", (ok("code", "here"), degraded("gpu", "other"))).is_ok
    assert not Diagnosis("a", (ok("code", "here"), missing("data:x", "gone"))).is_ok


def test_the_worst_state_counts():
    assert worst([]) is State.OK
    assert worst([degraded("a", ""), ok("b", "")]) is State.DEGRADED
    assert worst([degraded("a", ""), missing("b", ""), ok("c", "")]) is State.MISSING


def test_json_has_every_key():
    assert diagnosis_json(Diagnosis("a", (missing("code", "gone", "fetch it"),))) == {
        "run": "a",
        "ok": False,
        "items": [{"item": "code", "state": "missing", "detail": "gone", "hint": "fetch it"}],
    }


def test_lists_read_as_a_person_writes_them():
    assert list_some(["a", "b"]) == "`a`, `b`"
    assert list_some("abcde") == "`a`, `b`, `c` and 2 more"
