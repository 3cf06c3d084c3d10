"""Scripts written for W&B run as they stand with `import repro as wandb`, and lose nothing."""

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import repro
import repro as wandb
from repro.errors import InvalidInputError, UnknownRunError, UsageError
from repro.sdk import unlike
from repro.sdk.notices import RecordingWarning
from tests.sdk.scripts import record, run
from tests.support import write_files

pytestmark = pytest.mark.filterwarnings("ignore:.*has no use for:UserWarning")


@pytest.fixture(autouse=True)
def _no_run_stays_open(sdk: ModuleType) -> None:
    """Each script starts without a run."""


@dataclass
class Optimiser:
    name: str = "adam"
    betas: tuple[float, float] = (0.9, 0.99)


@dataclass
class Settings:
    lr: float = 1e-3
    optimiser: Optimiser = field(default_factory=Optimiser)


class Flags:
    """What code needs of the flags of absl."""

    def __iter__(self) -> Iterator[str]:
        return iter(self.flag_values_dict())

    def flag_values_dict(self) -> dict[str, float]:
        return {"lr": 0.1, "seed": 3}


def test_a_script_with_flags_describes_its_run_and_leaves_files(repository: Path) -> None:
    args = argparse.Namespace(lr=0.1, epochs=3, out=None)
    assert wandb.login(key="k")
    wandb.setup()
    wandb.require("core")
    run = wandb.init(
        project="mnist", entity="me", group="g", job_type="train", tags=["a"], notes="why",
        config=args, dir="logs", settings=wandb.Settings(start_method="thread"), mode="online",
        resume="allow", reinit=True, save_code=True, anonymous="must",
    )  # fmt: skip
    wandb.config.update({"extra": 1}, allow_val_change=True)
    wandb.config.setdefaults({"lr": 5, "new": 2})
    assert (wandb.config.lr, run.group, run.job_type, run.url) == (0.1, "g", "train", None)
    wandb.run.name = f"run-{wandb.run.id}"
    wandb.run.save()
    wandb.run.log_code(".")
    with open(os.path.join(wandb.run.dir, "model.pt"), "wb") as file:  # noqa: PTH123
        file.write(b"weights")
    for epoch in range(args.epochs):
        wandb.log({"train": {"loss": 1 / (epoch + 1)}, "epoch": epoch}, commit=False)
        wandb.log({"acc": epoch / 3}, sync=False)
        assert wandb.run.step == epoch + 1
    wandb.run.summary["best"] = 2
    wandb.summary.update({"last": 1})
    wandb.run.mark_preempting()
    wandb.finish()

    with pytest.raises(UsageError, match="is over"):
        run.dir  # noqa: B018  it is made when it is asked for

    found = repro.get_run("@")
    assert found.config == {"lr": 0.1, "epochs": 3, "out": None, "extra": 1, "new": 2}
    assert found.tags == ("a", "group:g", "job-type:train")
    assert (found.name, found.note) == (f"run-{found.id}", "why")
    assert [point.step for point in found.series["train/loss"]] == [0, 1, 2]
    assert found.summary == {"best": 2, "last": 1}
    assert found.read_artifact("model.pt") == b"weights"


def test_configs_of_all_kinds_are_read(repository: Path) -> None:
    write_files(repository, {"c.yaml": "lr: 0.5\nmodel: {width: 3}\n"})
    with wandb.init(config=Settings()) as run:
        assert run.config.optimiser.name == "adam"
        run.config.update(Flags())
        assert run.config.as_dict()["seed"] == 3
    with wandb.init(config="c.yaml") as run:
        assert run.config.as_dict() == {"lr": 0.5, "model": {"width": 3}}
    with pytest.raises(InvalidInputError, match="cannot be read"):
        wandb.init(config="missing.yaml")


def test_a_config_that_is_assigned_is_recorded_before_init_and_after_it(repository: Path) -> None:
    wandb.config = {"lr": 0.5, "epochs": 2}
    assert wandb.config["epochs"] == 2
    with wandb.init(config={"epochs": 3}):
        wandb.config = argparse.Namespace(batch=8)
        assert wandb.config.batch == 8
    with wandb.init():
        pass

    newest, before = repro.runs()
    assert before.config == {"lr": 0.5, "epochs": 3, "batch": 8}
    assert newest.config == {}
    with pytest.raises(AttributeError, match="cannot be set"):
        wandb.run = None


def test_metrics_that_share_a_prefix_share_a_goal(repository: Path) -> None:
    with wandb.init() as run:
        run.define_metric("epoch")
        run.define_metric("val/*", step_metric="epoch", summary="max")
        wandb.define_metric("val/loss", summary="min", step_sync=True)
        run.log({"val/acc": 1, "val/loss": 2, "epoch": 0})

    goals = {name: one.goal for name, one in repro.get_run("@").metrics.items()}
    assert goals == {"val/acc": "maximize", "val/loss": "minimize", "epoch": None}


def test_files_of_an_artifact_are_kept_below_its_name(repository: Path) -> None:
    write_files(repository, {"m.pt": b"m", "out/a.txt": "a", "out/sub/b.txt": "b"})
    run = wandb.init(job_type="upload")
    artifact = wandb.Artifact("model", type="model", description="d", metadata={"acc": 0.9})
    artifact.add_file("m.pt")
    artifact.add_dir("out", name="data")
    with artifact.new_file("notes.json") as file:
        json.dump({"k": 1}, file)
    artifact.add(wandb.Table(columns=["a"], data=[[wandb.Image(np.zeros((2, 2)))]]), "rows")
    artifact.add_reference("s3://bucket/x")
    artifact.metadata["epoch"] = 3
    run.log_artifact(artifact, aliases=["best"])
    wandb.log_artifact("m.pt", name="plain", type="model", aliases=["last"])
    with pytest.raises(InvalidInputError, match="no file"):
        artifact.add_file("missing")
    with pytest.raises(TypeError, match="has no file"):
        artifact.add(wandb.Histogram([1]), "h")
    wandb.finish()

    found = repro.get_run("@")
    assert [one.path for one in found.artifacts] == [
        "model.artifact.json", "model/data/a.txt", "model/data/sub/b.txt", "model/m.pt",
        "model/notes.json", "model/rows.pictures/0.png", "model/rows.table.json",
        "plain", "plain.artifact.json",
    ]  # fmt: skip
    assert json.loads(found.read_artifact("model.artifact.json")) == {
        "aliases": ["best"],
        "description": "d",
        "metadata": {"acc": 0.9, "epoch": 3},
        "references": {"x": "s3://bucket/x"},
        "type": "model",
    }
    with pytest.raises(InvalidInputError, match="kept no"):
        found.read_artifact("nothing")


def test_what_is_saved_is_kept_as_it_is_at_the_end(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(repository, {"out/a.txt": "early", "out/now.md": "now"})
    wandb.init()
    assert [kept.path for kept in wandb.save("out/*.txt")] == ["out/a.txt"]
    wandb.save("out/now.md", policy="now")
    wandb.save(repository / "late/*", base_path=repository / "late")
    wandb.save("nothing-*")
    with pytest.raises(ValueError, match="policy"):
        wandb.save("x", policy="never")
    write_files(repository, {"out/a.txt": "at the end", "out/now.md": "later", "late/b": "b"})
    monkeypatch.chdir(repository / "late")
    with pytest.warns(RecordingWarning, match="no file matched"):
        wandb.finish()

    found = repro.get_run("@")
    kept = {one.path: found.read_artifact(one.path) for one in found.artifacts}
    assert kept == {"out/a.txt": b"at the end", "out/now.md": b"now", "b": b"b"}


def test_files_in_the_folder_of_a_run_can_be_saved_and_logged_by_their_paths(
    repository: Path,
) -> None:
    run = wandb.init()
    write_files(Path(run.dir), {"model.h5": "early", "ckpt/1.pt": "1"})
    saved = wandb.save(os.path.join(wandb.run.dir, "model.h5"))
    logged = wandb.log_artifact(run.dir + "/ckpt")
    assert [kept.path for kept in (*saved, *logged)] == ["model.h5", "ckpt/1.pt"]
    write_files(Path(run.dir), {"model.h5": "late"})
    wandb.finish()

    found = repro.get_run("@")
    kept = {one.path: found.read_artifact(one.path) for one in found.artifacts}
    assert kept == {"model.h5": b"late", "ckpt/1.pt": b"1"}
    assert record(repository).run.warnings == ()


def test_files_in_the_folder_of_a_run_survive_kill_9(repository: Path) -> None:
    code = """
        import repro as wandb
        wandb.init()
        os.makedirs(wandb.run.dir + "/ckpt")
        for name in ("ckpt/1.pt", "id_rsa", "said.txt"):
            with open(os.path.join(wandb.run.dir, name), "w") as file:
                file.write("in the folder")
        with open("said.txt", "w") as file:
            file.write("said")
        wandb.log_artifact("said.txt")
        os.kill(os.getpid(), signal.SIGKILL)
    """
    run(repository, code, code_is=-9)

    why, where = record(repository).run.warnings
    assert why == "`id_rsa` is not kept: it looks like a secret"
    assert where.startswith("files in the folder of this run that its record does not have: 2;")
    found = repro.get_run("@")
    kept = {one.path: found.read_artifact(one.path) for one in found.artifacts}
    assert kept == {"ckpt/1.pt": b"in the folder", "said.txt": b"said"}


def test_an_id_of_ones_own_finds_the_run_again(repository: Path) -> None:
    given = wandb.util.generate_id()
    assert len(given) == 8
    with pytest.raises(UnknownRunError):
        wandb.init(id=given, resume="must")
    with pytest.warns(RecordingWarning, match="a new one"):
        first = wandb.init(id=given, resume="allow", tags=["a"])
    assert not first.resumed
    wandb.log({"loss": 1})
    wandb.join()
    again = wandb.init(id=given, resume=True)
    assert (again.id, again.resumed, again.step) == (first.id, True, 1)
    wandb.finish()
    with wandb.init(id=given) as other:
        assert other.id != first.id

    assert repro.get_run(first.id).tags == ("a", f"id:{given}")


def test_alerts_are_said_and_kept_once_in_their_time(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with wandb.init() as run:
        wandb.alert("low", "acc 0.1", level=wandb.AlertLevel.WARN, wait_duration=300)
        run.alert(title="low", text="acc 0.2", wait_duration=300)
        run.alert(title="done", text="x")
        with pytest.raises(ValueError, match="loud"):
            run.alert(title="x", text="x", level="loud")

    said = [line for line in capsys.readouterr().err.splitlines() if "acc" in line]
    assert said == ["repro: warn: low: acc 0.1"]
    assert repro.get_run("@").summary["alerts"] == [
        {"title": "low", "text": "acc 0.1", "level": "WARN"},
        {"title": "done", "text": "x", "level": "INFO"},
    ]


def test_a_run_that_is_switched_off_takes_all_of_it(repository: Path) -> None:
    with wandb.init(mode="disabled") as run:
        with open(run.dir + "/x.txt", "w") as file:  # noqa: PTH123
            file.write("x")
        wandb.log_artifact(wandb.Artifact("a", type="t"))
        assert wandb.save("*") == ()
        wandb.alert("a", "b")
        wandb.log_code()
        wandb.mark_preempting()
        wandb.unwatch()
        assert (run.step, run.resumed, run.get_url()) == (0, False, None)

    assert len(repro.runs()) == 0


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Api", "repro.runs"),
        ("sweep", "repro sweep"),
        ("agent", "repro sweep"),
        ("use_artifact", "use_data"),
        ("restore", "read_artifact"),
        ("Object3D", "log_artifact"),
        ("keras", "repro.log"),
        ("sklearn", "confusion_matrix"),
        ("nosuchname", "no attribute"),
    ],
)
def test_what_is_not_there_names_what_to_use(name: str, meant: str) -> None:
    with pytest.raises(AttributeError, match=meant):
        getattr(wandb, name)


def test_a_run_names_what_it_has_in_place_of_what_it_has_not(repository: Path) -> None:
    with wandb.init() as run:
        for name, meant in (("project", "repository"), ("link_artifact", "tags"), ("x", "no attr")):
            with pytest.raises(AttributeError, match=meant):
                getattr(run, name)


def test_all_that_is_named_in_their_place_is_there() -> None:
    words = " ".join((*unlike.MODULE.values(), *unlike.RUN.values()))
    for name in {word.split("(")[0] for word in words.split("`repro.")[1:]}:
        assert name.partition("`")[0].partition(".")[0] in {*repro.__all__, "optuna"}
