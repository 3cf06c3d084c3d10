"""A sweep freezes all that its trials start from, and touches nothing of the user's."""

import json
from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import open_here
from tests.support.sweeps import make_spec, make_sweep

from repro.core.query import list_runs
from repro.core.sweep.freeze import freeze
from repro.core.trust import is_own
from repro.errors import InvalidInputError
from repro.model.space import Categorical, Uniform
from repro.model.sweepspec import EarlyStop, Method
from repro.store.objects import reading
from repro.store.refs import SWEEPS
from repro.store.runs import read_record


def test_plain_git_finds_the_code_behind_the_sweep_and_the_frozen_record(repository: Path):
    (repository / "train.py").write_text("print('as it was')\n")
    sweep = make_sweep(open_here(repository)).sweep
    (repository / "train.py").write_text("print('edited')\n")
    ref = SWEEPS + sweep.id
    assert git(repository, "show", f"{ref}^^:train.py") == "print('as it was')"
    record = json.loads(git(repository, "show", f"{ref}^:run.json"))
    assert (record["id"], record["command"]) == (sweep.id, ["python", "train.py"])
    assert git(repository, "rev-parse", f"{ref}^") == sweep.base
    git(repository, "fsck", "--strict")


@pytest.mark.parametrize(
    ("key", "value"),
    [("api_key", "abc"), ("model.db_password", "abc"), ("x", "https://ann:pw77@host/")],
)
def test_a_param_that_is_a_secret_is_refused(repository: Path, key: str, value: str):
    with pytest.raises(InvalidInputError, match="looks like a secret"):
        make_sweep(open_here(repository), space={key: Categorical((value, "b"))})
    assert git(repository, "for-each-ref", SWEEPS) == ""


def test_a_sweep_is_no_run_and_changes_nothing_of_the_user(repository: Path):
    (repository / "train.py").write_text("x\n")
    before = [git(repository, *words) for words in (["status", "--porcelain"], ["rev-parse", "@"])]
    project = open_here(repository)
    make_sweep(project)
    after = [git(repository, *words) for words in (["status", "--porcelain"], ["rev-parse", "@"])]
    assert before == after
    assert list_runs(project).records == []
    assert not project.live.exists() or not list(project.live.iterdir())


def test_the_spec_comes_back_as_it_was(repository: Path):
    spec = make_spec(
        method=Method.TPE,
        space={
            "model.width": Uniform(1.0, 8.0, q=0.5),
            "lr": Uniform(1e-5, 0.1, is_log=True),
            "n": Uniform(0, 8, q=2),
        },
        metric="val_loss.min",
        goal="maximize",
        run_cap=7,
        seed=3,
        early=EarlyStop(kind="hyperband", min_iter=2, max_iter=27),
        name="my sweep",
    )
    (repository / "train.py").write_text("x\n")
    at = freeze(open_here(repository), spec, cwd=repository)
    assert at.sweep.spec == spec
    assert list(at.sweep.spec.space) == ["model.width", "lr", "n"]


def test_the_frozen_record_holds_datasets_and_config(repository: Path):
    (repository / "data").mkdir()
    (repository / "data/a.csv").write_text("1,2\n")
    (repository / "params.yaml").write_text("depth: 3\n")
    (repository / "repro.yaml").write_text("config: [params.yaml]\ndata: {train: data}\n")
    project = open_here(repository)
    at = make_sweep(project)
    with reading(project.repository) as objects:
        record = read_record(objects, at.sweep.base)
    assert record.config["depth"] == 3
    assert record.data["train"]["files"] == 1
    assert is_own(project, record)


def test_a_secret_in_the_command_is_not_in_the_sweep(repository: Path):
    project = open_here(repository)
    make_sweep(project, command=("python", "train.py", "--api-key=abcdef0123456789abcdef"))
    [ref] = git(repository, "for-each-ref", "--format=%(refname)", SWEEPS).splitlines()
    for name in (f"{ref}:sweep.json", f"{ref}^:run.json"):
        assert "abcdef0123456789abcdef" not in git(repository, "show", name)


def test_before_the_first_commit_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    git(tmp_path, "init", "-q", "new")
    (tmp_path / "new/train.py").write_text("x\n")
    monkeypatch.chdir(tmp_path / "new")
    at = make_sweep(open_here(tmp_path / "new"))
    assert git(tmp_path / "new", "show", f"{SWEEPS}{at.sweep.id}^^:train.py") == "x"
