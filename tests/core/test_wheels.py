"""Packages in a bundle: those an index has, without executing anything; the others are named."""

from pathlib import Path

import pytest
from tests.support import git
from tests.support.environments import World, make_world, versions_in
from tests.support.wheels import make_broken_sdist, make_index, make_wheel

from repro.core.bundle import Bundled, bundle_runs
from repro.core.rebuild import ensure_environment
from repro.model.run import Record


@pytest.fixture
def world(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return make_world(repository, tmp_path, monkeypatch)


def bundled(world: World, *records: Record) -> tuple[Bundled, Path]:
    done = bundle_runs(world.project, records, world.tmp / "x.bundle", with_env=True)
    crate = world.tmp / "crate"
    git(world.tmp, "clone", "-q", str(done.path), str(crate))
    return done, crate / "packages"


def test_an_environment_is_built_from_a_bundle_without_any_index(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.offer([("foo", "1.0"), ("foo", "2.0"), ("bar", "0.1"), ("other", "1.0")])
    records = [world.run({"foo": "1.0", "bar": "0.1"}), world.run({"foo": "2.0", "bar": "0.1"})]

    done, packages = bundled(world, *records)

    names = [wheel.name for wheel in sorted(packages.iterdir())]
    assert names == [
        "bar-0.1-py3-none-any.whl",
        "foo-1.0-py3-none-any.whl",
        "foo-2.0-py3-none-any.whl",
    ]
    assert (done.packages, done.lacking) == (3, ())
    monkeypatch.delenv("PIP_INDEX_URL")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))
    monkeypatch.setenv("UV_CACHE_DIR", str(world.tmp / "empty"))
    rebuilt = ensure_environment(world.project, records[0])
    assert versions_in(rebuilt.python, "foo", "bar") == ["1.0", "0.1"]


def test_what_cannot_be_had_is_named_and_the_rest_is_there(world: World) -> None:
    wheels = world.tmp / "wheels"
    only_source = make_broken_sdist(wheels, "src-only", "1.0")  # fails where it is executed
    make_index(world.tmp / "index", [make_wheel(wheels, "foo", "1.0"), only_source])
    local = {"url": (world.tmp / "gone").as_uri(), "dir_info": {}}
    record = world.run({"foo": "1.0", "gone": "3.0", "src-only": "1.0", "mine": local})

    done, packages = bundled(world, record)

    assert [wheel.name for wheel in packages.iterdir()] == ["foo-1.0-py3-none-any.whl"]
    assert [name for name, _ in done.lacking] == ["gone 3.0", "mine 1.0", "src-only 1.0"]
    reasons = dict(done.lacking)
    assert reasons["mine 1.0"] == "it came from no package index"
    assert "No matching distribution" in reasons["src-only 1.0"]
