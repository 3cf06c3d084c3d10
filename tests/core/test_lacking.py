"""Which packages are to blame: found out one by one, within a time."""

from pathlib import Path

from tests.support.wheels import make_index, make_wheel

from repro.core.lacking import find_lacking
from repro.model.requirements import Requirement
from repro.store.package_index import open_index


def test_the_search_ends_after_two_minutes_and_says_what_was_not_tried(tmp_path: Path) -> None:
    names = [f"foo{number}" for number in range(8)]
    wheels = [make_wheel(tmp_path / "w", name, v) for name in names for v in ("1.0", "1.1")]
    environ = {
        "PIP_INDEX_URL": make_index(tmp_path / "index", wheels),
        "PIP_CONFIG_FILE": "/dev/null",
    }
    index = open_index(environ, tmp_path / "cache")
    now, given = 0.0, []

    def install(some: object, timeout_s: float) -> str:
        nonlocal now
        now += 50
        given.append(timeout_s)
        return "fails"

    wanted = [Requirement(name, "1.0") for name in names]
    found = find_lacking(index, wanted, install, lambda _: False, lambda: now)

    assert given == [120.0, 70.0, 20.0]
    assert [one.name for one in found] == names
    assert all("was not tried" in one.reason for one in found)
    assert all(one.nearest is None for one in found)
