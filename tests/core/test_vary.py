"""A varied param changes where it came from, or the rerun is refused before anything is written."""

import os
import subprocess
import sys

import pytest
from tests.support import write_files
from tests.support.projects import open_here
from tests.support.records import make_record

from repro.core.query import resolve_run
from repro.core.vary import Variation, find_unconsumed, plan_variation, write_variation
from repro.errors import InvalidInputError, UsageError
from repro.model.varied import format_varied
from repro.store.journal_reader import Journal
from repro.store.settings import Settings

FILES = {
    "params.yaml": "lr: 0.1  # c\nwidth: 3\nopt: {name: adam}\nhidden: 1\n",
    "more.json": '{"width": 4}\n',
}
SETTINGS = Settings(config=("params.yaml", "more.json"))
CONFIG = {
    "lr": 0.2,
    "width": 4,
    "opt": {"name": "adam"},
    "dropout": 0.5,
    "api_key": "<redacted>",
    "url": "https://<redacted>@h/x",
    "model.size": 1,
}
COMMAND = ("python", "train.py", "--lr", "0.2", "--api-key", "<redacted>")


@pytest.fixture
def root(tmp_path):
    write_files(tmp_path / "tree", FILES)
    return tmp_path / "tree"


def plan(root, settings=SETTINGS, **assignments):
    record = make_record(command=COMMAND, config=CONFIG)
    return plan_variation(root, settings, record, assignments.pop("keys", assignments))


def test_the_command_is_varied_where_it_gives_the_param(root):
    assert plan(root, lr=0.3) == Variation(
        argv=("python", "train.py", "--lr", "0.3", "--api-key", "<redacted>"),
        overrides={"lr": 0.3},
        said=("`lr`: 0.2 → 0.3, in the command",),
    )


def test_else_the_last_file_that_gives_it(root):
    found = plan(root, width=5)

    assert found == Variation(
        argv=COMMAND,
        edits={"more.json": b'{"width": 5}\n'},
        overrides={"width": 5},
        said=("`width`: 4 → 5, in `more.json`",),
    )
    assert (root / "more.json").read_text() == FILES["more.json"]


def test_else_the_program_must_read_it_from_its_run(root):
    found = plan(root, keys={"dropout": 0.1, "model.size": 2})

    assert (found.argv, found.edits) == (COMMAND, {})
    assert found.overrides == {"dropout": 0.1, "model.size": 2}
    assert list(found.awaited) == ["dropout", "model.size"]


def test_several_params_change_one_file_once(root):
    found = plan(root, keys={"hidden": 2, "opt": {"name": "sgd"}, "lr": 1})

    text = FILES["params.yaml"].replace("adam", "sgd").replace("hidden: 1", "hidden: 2")
    assert found.edits == {"params.yaml": text.encode()}
    assert found.overrides == {"hidden": 2, "opt.name": "sgd", "lr": 1}
    assert len(found.said) == 3


def test_a_secret_of_the_command_is_never_replaced(root):
    record = make_record(command=COMMAND, config={"api_key": 3})

    with pytest.raises(InvalidInputError, match="without its value"):
        plan_variation(root, SETTINGS, record, {"api_key": 4})


def test_what_is_planned_is_written(root):
    write_variation(root, plan(root, width=5))

    assert (root / "more.json").read_text() == '{"width": 5}\n'
    assert (root / "params.yaml").read_text() == FILES["params.yaml"]


@pytest.mark.parametrize(
    ("keys", "message", "hint"),
    [
        ({"drpout": 1}, "no param `drpout`; did you mean `dropout`?", "--config` lists"),
        ({"name": 1}, "no param `name`; did you mean `opt.name`?", "--config` lists"),
        ({"zzz": 1}, "no param `zzz`", "--config` lists"),
        ({"__class__": 1}, "no param", ""),
        ({"lr.__class__": 1}, "no param", ""),
        ({"a" + ".a" * 500: 1}, "no param", ""),
        ({"x\x1b[31m": 1}, r"no param `x\x1b[31m`", ""),
        ({"opt": 1}, "`opt` is a section", "`-c opt.name=VALUE`"),
        ({"opt": {}}, "`opt` is a section", ""),
        ({"api_key": "k"}, "`api_key` was recorded without its value", "environment"),
        ({"url": "k"}, "`url` was recorded without its value", "environment"),
        ({"dropout": "x" * 70_000}, "a variable holds", "file"),
    ],
)
def test_what_cannot_be_varied_is_refused_with_a_next_step(root, keys, message, hint):
    with pytest.raises((InvalidInputError, UsageError)) as caught:
        plan(root, keys=keys)

    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
    assert caught.value.hint


def test_a_params_file_that_was_not_recorded_is_named(root):
    with pytest.raises(InvalidInputError, match=r"no params file `gone\.yaml`"):
        plan(root, Settings(config=("gone.yaml",)), dropout=1)


@pytest.mark.parametrize(
    "name", ["../out.yaml", "link.yaml", "folder/out.yaml", "{out}", ".git/x.yaml"]
)
def test_nothing_outside_of_the_tree_is_edited(root, name):
    out = root.parent / "out.yaml"
    write_files(root.parent, {"out.yaml": "dropout: 0.5\n"})
    (root / "link.yaml").symlink_to(out)
    (root / "folder").symlink_to(root.parent)
    name = name.format(out=out)

    found = plan(root, Settings(config=(name,)), dropout=1)

    assert (found.edits, list(found.awaited)) == ({}, ["dropout"])
    with pytest.raises(InvalidInputError, match="not inside"):
        write_variation(root, Variation((), {name: b"dropout: 1\n"}))
    assert out.read_text() == "dropout: 0.5\n"


def test_a_file_by_another_spelling_of_its_path_is_edited(root):
    (root / "conf").mkdir()

    found = plan(root, Settings(config=("./conf/../more.json",)), width=7)
    write_variation(root, found)

    assert (root / "more.json").read_text() == '{"width": 7}\n'


SCRIPT = """
import argparse, json, repro
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--amp", action=argparse.BooleanOptionalAction)
args = parser.parse_args()
width = json.load(open("params.json"))["model"]["width"]
run = repro.init(config={"dropout": 0.5, "lr": args.lr})
repro.log({"lr": args.lr, "width": width, "dropout": run.config.dropout, "amp": args.amp})
"""


def test_a_real_program_runs_with_the_varied_params_wherever_they_come_from(repository):
    write_files(
        repository,
        {
            "train.py": SCRIPT,
            "params.json": '{\n  "model": {"width": 3}\n}\n',
            "repro.yaml": "config: [params.json]\n",
        },
    )
    argv = (sys.executable, "train.py", "--lr", "0.1", "--no-amp")

    def execute(argv, **variables):
        command = [sys.executable, "-m", "repro", "run", "--", *argv]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, **variables})
        project = open_here(repository)
        return project, resolve_run(project, "@")

    project, before = execute(argv)
    keys = {"lr": 0.2, "model": {"width": 4}, "dropout": 0.1, "amp": True}
    variation = plan_variation(repository, project.settings, before, keys)
    write_variation(repository, variation)
    _, after = execute(variation.argv, REPRO_VARIED=format_varied(variation.overrides))

    assert variation.argv == (sys.executable, "train.py", "--lr", "0.2", "--amp")
    assert list(variation.awaited) == ["dropout"]
    assert after.config == {
        "model": {"width": 4}, "lr": 0.2, "amp": True, "dropout": 0.1,
    }  # fmt: skip
    values = {name: metric.last for name, metric in after.metrics.items()}
    assert values == {"lr": 0.2, "width": 4, "dropout": 0.1, "amp": 1}


def test_what_no_journal_says_to_be_read_was_not_consumed():
    records = [
        {"k": "varied", "v": ["lr"]}, {"k": "varied", "v": "width"}, {"k": "varied", "v": [1]},
        {"k": "varied"}, {"k": "config", "v": ["width"]},
    ]  # fmt: skip

    assert find_unconsumed([Journal("a", {}, records, 0)], ["lr", "width"]) == ["width"]
    assert find_unconsumed([], ["lr"]) == ["lr"]
    assert find_unconsumed([], []) == []
