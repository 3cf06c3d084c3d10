"""The runs that tried something already, and those that come nearest to it."""

import math
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, write_files
from tests.support.projects import begin, make_run, open_here
from tests.support.records import make_record, write_run

from repro.core.find import Found, find_params, found_json
from repro.core.find_alike import find_like, find_this
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.core.record import seal_run
from repro.core.request import Request
from repro.errors import UsageError
from repro.model.run import Run


def exact(found: Found) -> list[str]:
    return [record.run.id for record in found.exact]


def near(found: Found) -> dict[str, list[str]]:
    return {one.record.run.id: [each.what for each in one.differences] for one in found.near}


def like(project: Project, run: Run, limit: int | None = 10) -> Found:
    return find_like(project, resolve_run(project, run.id), limit=limit)


def this(project: Project, **request: Any) -> Found:
    values = {"command": ("python", "train.py"), "cwd": project.repository.root, **request}
    return find_this(project, Request(**values), limit=10)


@pytest.fixture
def project(repository: Path) -> Project:
    return open_here(repository)


def test_runs_that_have_all_values_are_found_newest_first(project: Project) -> None:
    a = make_run(project, config={"lr": 0.1, "model": {"width": 3}})
    make_run(project, config={"lr": 0.2, "model": {"width": 3}})
    c = make_run(project, config={"lr": 0.1, "model": {"width": 3}, "more": 1})

    found = find_params(project, {"lr": 0.1, "model": {"width": 3}}, limit=10)

    assert exact(found) == [c.id, a.id]
    assert found.matching == 2
    assert found.near == ()


@pytest.mark.parametrize(
    "value",
    [1, 1.0, True, "1", "two words", None, math.nan, math.inf, [1, 2], [], {}, "é\U0001f600", ""],
)
def test_a_value_of_any_type_is_found(project: Project, value: Any) -> None:
    run = make_run(project, config={"k": value, "other": 1})
    make_run(project, config={"k": "else"})
    make_run(project, config={"other": 1})

    assert exact(find_params(project, {"k": value}, limit=10)) == [run.id]


def test_a_number_is_found_however_it_was_written(project: Project) -> None:
    whole, point = make_run(project, config={"n": 1}), make_run(project, config={"n": 1.0})
    make_run(project, config={"n": True})
    make_run(project, config={"n": "1"})

    assert exact(find_params(project, {"n": 1}, limit=10)) == [point.id, whole.id]


def test_where_no_run_has_all_values_the_nearest_differ_in_fewest(project: Project) -> None:
    far = make_run(project, config={"lr": 5.0, "width": 9})
    one = make_run(project, config={"lr": 0.1, "width": 9})
    close = make_run(project, config={"lr": 0.11, "width": 4})
    make_run(project, config={"other": 1})

    found = find_params(project, {"lr": 0.1, "width": 4}, limit=10)

    assert found.exact == ()
    assert near(found) == {
        close.id: ["lr: 0.1 → 0.11"],
        one.id: ["width: 4 → 9"],
        far.id: ["lr: 0.1 → 5", "width: 4 → 9"],
    }
    assert list(near(found)) == [close.id, one.id, far.id]


def test_the_nearest_number_is_found_among_any_others(project: Project) -> None:
    repository = project.repository
    near_run = write_run(repository, make_record(config={"lr": 0.1001}))
    for n in range(3):
        write_run(repository, make_record(config={"lr": 10.0 + n}))

    found = find_params(project, {"lr": 0.1}, limit=1)

    assert list(near(found)) == [near_run.run.id]


def test_near_ones_come_beside_exact_ones_when_asked_for(project: Project) -> None:
    a, b = (make_run(project, config={"lr": lr}) for lr in (0.1, 0.2))

    found = find_params(project, {"lr": 0.1}, near=True, limit=10)

    assert (exact(found), near(found)) == ([a.id], {b.id: ["lr: 0.1 → 0.2"]})


def test_a_param_that_no_run_has_is_an_error_with_near_names(project: Project) -> None:
    make_run(project, {"loss": 1.0}, config={"model": {"width": 3}})

    with pytest.raises(UsageError, match=r"no run has a param `model.widht`; .*`model.width`"):
        find_params(project, {"model.widht": 3}, limit=10)
    with pytest.raises(UsageError) as caught:
        find_params(project, {"loss": 1}, limit=10)
    assert caught.value.hint is not None
    assert "it is a metric" in caught.value.hint


def test_one_changed_param_is_the_one_difference(project: Project) -> None:
    a = make_run(project, command=("python", "train.py", "--lr", "0.1"))
    b = make_run(project, command=("python", "train.py", "--lr", "0.2"))

    assert near(like(project, a)) == {b.id: ["lr: 0.1 → 0.2"]}
    assert exact(like(project, a)) == []


def test_runs_of_the_same_conditions_come_first(project: Project) -> None:
    a = make_run(project, config={"lr": 0.1})
    other = make_run(project, config={"lr": 0.2})
    same = make_run(project, config={"lr": 0.1}, name="again")

    found = like(project, a)

    assert exact(found) == [same.id]
    assert list(near(found)) == [other.id]


def test_every_kind_of_condition_is_counted_and_named(project: Project) -> None:
    root = project.repository.root
    write_files(root, {"repro.yaml": "data:\n  train: data\n", "data/a.csv": "1"})
    write_files(root, {".gitignore": "data/\n"})
    project = open_here(root)
    packages = {"packages": {"digest": "a", "list": [{"name": "numpy", "version": "1"}]}}
    a = make_run(project, config={"lr": 0.1}, environment=packages)
    write_files(root, {"data/a.csv": "2", "train.py": "changed\n"})
    b = make_run(
        project,
        config={"lr": 0.2},
        command=("python", "other.py"),
        environment={"packages": {"digest": "b", "list": [{"name": "numpy", "version": "2"}]}},
    )

    assert near(like(project, a)) == {
        b.id: [
            "lr: 0.1 → 0.2",
            "code: 1 file (train.py)",
            "data train: 1 file changed (a.csv)",
            "command: python train.py → python other.py",
            "packages: numpy 1 → 2",
        ]
    }


def test_the_fewest_differences_come_first_and_the_newest_of_equals(project: Project) -> None:
    root = project.repository.root
    a = make_run(project, config={"lr": 0.1})
    two = make_run(project, config={"lr": 0.3, "x": 1})
    older, newer = (make_run(project, config={"lr": lr}) for lr in (0.2, 0.4))
    write_files(root, {"train.py": "changed\n"})
    code = make_run(project, config={"lr": 0.1})

    assert list(near(like(project, a))) == [code.id, newer.id, older.id, two.id]
    assert list(near(like(project, a, limit=2))) == [code.id, newer.id]


def test_equal_code_in_another_snapshot_is_no_difference(project: Project) -> None:
    write_files(project.repository.root, {"new.py": "x\n"})
    a, b = (make_run(project, config={"lr": lr}) for lr in (0.1, 0.2))
    assert a.snapshot != b.snapshot

    assert near(like(project, a)) == {b.id: ["lr: 0.1 → 0.2"]}


def test_a_params_file_counts_by_its_params(project: Project) -> None:
    root = project.repository.root
    write_files(root, {"repro.yaml": "config: [params.yaml]\n", "params.yaml": "lr: 0.1\n"})
    project = open_here(root)
    a = make_run(project)
    write_files(root, {"params.yaml": "lr: 0.2\n"})
    b = make_run(project)

    assert near(like(project, a)) == {b.id: ["lr: 0.1 → 0.2"]}


def test_runs_of_unknown_identity_are_never_the_same(project: Project) -> None:
    records = [
        write_run(project.repository, make_record(identity=None, config={"lr": 1}))
        for _ in range(2)
    ]
    found = find_like(project, records[0], limit=10)
    assert found.exact == ()
    assert near(found) == {
        records[1].run.id: ["whether anything differs is not in the records"],
    }


def test_a_claimed_identity_with_other_conditions_is_not_the_same(project: Project) -> None:
    a = make_run(project, config={"lr": 0.1})
    liar = write_run(project.repository, make_record(identity=a.identity, config={"lr": 0.9}))

    found = like(project, a)

    assert found.exact == ()
    assert near(found) == {liar.run.id: ["lr: 0.1 → 0.9"]}


def test_a_run_whose_code_is_gone_hides_no_other(project: Project) -> None:
    a = make_run(project, config={"lr": 0.1})
    lost = write_run(
        project.repository,
        make_record(config={"lr": 0.1}, snapshot="1" * 40, base="1" * 40),
    )
    b = make_run(project, config={"lr": 0.2})

    assert list(near(like(project, a))) == [b.id]
    assert lost.run.id not in near(like(project, a))


def test_a_run_in_progress_is_among_the_near_ones(project: Project) -> None:
    a = make_run(project, config={"lr": 0.1})
    live = begin(project, config={"lr": 0.2})
    try:
        assert near(like(project, a)) == {live.id: ["lr: 0.1 → 0.2"]}
    finally:
        live.journal.close()


def test_answers_are_the_same_without_the_index(project: Project) -> None:
    a = make_run(project, config={"lr": 0.1})
    for lr in (0.2, 0.3):
        make_run(project, config={"lr": lr})
    before = near(like(project, a)), near(find_params(project, {"lr": 0.25}, limit=10))
    for path in project.repository.private.glob("index.db*"):
        path.unlink()

    assert (near(like(project, a)), near(find_params(project, {"lr": 0.25}, limit=10))) == before


def test_what_would_run_now_is_found_where_it_ran(project: Project) -> None:
    a = make_run(project, config={"lr": 0.1})

    assert exact(this(project, config={"lr": 0.1})) == [a.id]
    assert near(this(project, config={"lr": 0.2})) == {a.id: ["lr: 0.2 → 0.1"]}
    write_files(project.repository.root, {"train.py": "changed\n"})
    found = this(project, config={"lr": 0.1})
    assert (exact(found), near(found)) == ([], {a.id: ["code: 1 file (train.py)"]})


def test_where_it_runs_counts_though_no_identity_says_so(project: Project) -> None:
    a = make_run(project)
    folder = project.repository.root / "sub"
    folder.mkdir()

    found = this(project, cwd=folder)

    assert found.exact == ()
    [line] = near(found)[a.id]
    assert line.startswith("command: ")


def test_another_interpreter_counts_though_no_identity_says_so(project: Project) -> None:
    environment = {"interpreter": {"version": "3.11.2"}, "packages": {"digest": "x", "list": []}}
    a = make_run(project, environment=environment)
    other = {**environment, "interpreter": {"version": "3.12.0"}}

    assert exact(this(project, environment=environment)) == [a.id]
    found = this(project, environment=other)
    assert found.exact == ()
    assert near(found) == {a.id: ["environment: interpreter.version: 3.12.0 → 3.11.2"]}


def test_what_only_code_sets_is_no_difference_from_what_would_run(project: Project) -> None:
    live = begin(project, config={"lr": 0.1})
    live.journal.append({"k": "config", "c": {"epochs": 9}, "t": project.clock()})
    live.journal.append({"k": "end", "t": project.clock(), "status": "finished", "exit_code": 0})
    live.journal.close()
    a = seal_run(project, live.dir).run
    assert resolve_run(project, a.id).config["epochs"] == 9

    assert exact(this(project, config={"lr": 0.1})) == [a.id]


def test_datasets_are_part_of_what_would_run(project: Project) -> None:
    root = project.repository.root
    write_files(root, {"data/a.csv": "1", ".gitignore": "data/\n"})
    a = make_run(project, data=("data",))

    assert exact(this(project, data=("data",))) == [a.id]
    assert near(this(project)) == {a.id: [f"data data: absent → {digest(project, a)}"]}
    write_files(root, {"data/a.csv": "2"})
    [line] = near(this(project, data=("data",)))[a.id]
    assert line.startswith("data data: ")


def digest(project: Project, run: Run) -> str:
    entry: Any = resolve_run(project, run.id).data["data"]
    return str(entry["digest"]).partition(":")[2][:12]


def test_asking_leaves_nothing_behind(project: Project) -> None:
    root = project.repository.root
    write_files(root, {"repro.yaml": "data:\n  d: {path: data, keep: true}\n", "data/a": "1"})
    write_files(root, {".gitignore": "data/\n", "new.py": "x\n"})
    project = open_here(root)

    def state() -> tuple[object, ...]:
        private = project.repository.private
        kept = [
            path for path in private.rglob("*") if not path.name.startswith(("stat.db", "index"))
        ]
        refs = git(root, "for-each-ref")
        return (
            refs,
            git(root, "count-objects", "-v"),
            git(root, "status", "--porcelain"),
            sorted(kept),
        )

    this(project)
    before = state()
    this(project, command=("python", "other.py"))

    assert state() == before
    assert not any((project.repository.private / name).exists() for name in ("live", "store"))


def test_in_a_repository_without_runs_nothing_is_found(project: Project) -> None:
    found = this(project)
    assert (found.exact, found.near) == ((), ())
    found = find_params(project, {"lr": 1}, limit=10)
    assert (found.exact, found.near) == ((), ())


def test_json_says_each_difference_with_its_part_and_values(project: Project) -> None:
    a = make_run(project, config={"lr": 0.1})
    b = make_run(project, config={"x": 1})
    value: Any = found_json(like(project, a))

    assert value["exact"] == []
    [one] = value["near"]
    assert one["run"]["id"] == b.id
    assert one["differences"] == [
        {"part": "config", "what": "lr: 0.1 → absent", "key": "lr", "values": [0.1, None]},
        {"part": "config", "what": "x: absent → 1", "key": "x", "values": [None, 1]},
    ]


def test_exact_runs_beyond_the_limit_are_not_near(project: Project) -> None:
    other = write_run(project.repository, make_record(config={"lr": 0.2, "width": 3}))
    for _ in range(3):
        make_run(project, config={"lr": 0.1, "width": 3})

    found = find_params(project, {"lr": 0.1, "width": 3}, near=True, limit=2)

    assert len(found.exact) == 2
    assert near(found) == {other.run.id: ["lr: 0.1 → 0.2"]}
    same = find_params(project, {"width": 3}, near=True, limit=2)
    assert same.near == ()


def test_near_runs_are_found_behind_any_number_of_exact_ones(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repro.core.find._POOL", 2)
    other = make_run(project, config={"optimizer": "sgd"})
    for _ in range(3):
        make_run(project, config={"optimizer": "adam"})

    found = find_params(project, {"optimizer": "adam"}, near=True, limit=5)

    assert list(near(found)) == [other.id]


def test_no_more_of_the_same_than_the_limit(project: Project) -> None:
    a, *_ = (make_run(project, config={"lr": 0.1}) for _ in range(4))

    found = like(project, a, limit=2)

    assert (len(found.exact), found.near) == (2, ())


def test_null_is_found_behind_any_number_of_runs_that_lack_the_param(project: Project) -> None:
    repository = project.repository
    none = write_run(repository, make_record(config={"clip": None, "lr": 1}))
    for _ in range(3):
        write_run(repository, make_record(config={"lr": 1}))

    found = find_params(project, {"clip": None, "lr": 1}, limit=1)

    assert exact(found) == [none.run.id]
    assert found.matching == 1
