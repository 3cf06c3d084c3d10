"""Names of W&B that repro has under another one, or not at all: what their users are told."""

from collections.abc import Mapping

_FILES = "`repro.log_artifact(path, name=...)` keeps a file with the run"
_READ = "`repro.get_run(NAME)` has `artifacts`, and `read_artifact(path)` gives the bytes of one"
_PINS = f"`repro.use_data(path)` pins what a run reads; of an earlier run {_READ}"
_TAGS = "there is no registry: tags say which run counts, as in `run.tags = ['production']`"
_TABLE = "log the table: `repro.log({'name': table})`"
_CALLBACK = "call `repro.log(values, step=epoch)` in a callback of your own"
_PICTURE = "log a picture of it, `repro.Image(...)`, or keep the file: `repro.log_artifact(path)`"
_MASKS = "log the picture with its masks and boxes drawn: `repro.Image(array)`"
_PLOT = "`repro.plot` has `confusion_matrix`, `roc_curve`, `pr_curve`, `bar`, `line`, `scatter`"
_SWEEP = (
    "`repro sweep FILE` in a terminal reads W&B's sweep files and runs each trial as a program;"
    " a search within a program is recorded by `repro.optuna.Callback`"
)
_PLACE = "a repository is the project, and its git remotes say where runs go"

MODULE: Mapping[str, str] = {
    "Api": "`repro.runs(where)` and `repro.get_run(NAME)` read runs",
    "Bokeh": _PICTURE,
    "Classes": _MASKS,
    "Graph": "the code of a run is recorded; log a picture of the graph: `repro.Image(...)`",
    "JoinedTable": "join the rows yourself, and log one `repro.Table`",
    "Molecule": _PICTURE,
    "Object3D": _PICTURE,
    "agent": _SWEEP,
    "apis": "`repro.runs(where)` and `repro.get_run(NAME)` read runs",
    "catboost": _CALLBACK,
    "controller": _SWEEP,
    "ensure_configured": "there is nothing to configure: leave it out",
    "fastai": _CALLBACK,
    "gym": "log frames: `repro.log({'play': repro.Video(array)})`",
    "integration": _CALLBACK,
    "keras": _CALLBACK,
    "launch": "`repro rerun RUN` does a run again",
    "lightgbm": _CALLBACK,
    "link_artifact": _TAGS,
    "link_model": _TAGS,
    "log_model": _FILES,
    "plot_table": _TABLE,
    "plots": _PLOT,
    "restore": _READ,
    "sklearn": _PLOT,
    "sweep": _SWEEP,
    "tensorboard": "`repro.init(sync_tensorboard=True)` records what a SummaryWriter is given",
    "tensorflow": _CALLBACK,
    "termerror": "print it: `repro run` keeps what a program prints",
    "termlog": "print it: `repro run` keeps what a program prints",
    "termwarn": "print it: `repro run` keeps what a program prints",
    "use_artifact": _PINS,
    "use_model": _PINS,
    "visualize": _TABLE,
    "xgboost": _CALLBACK,
}

RUN: Mapping[str, str] = {
    "display": "`repro ui` shows runs",
    "entity": _PLACE,
    "get_project_url": _PLACE,
    "get_sweep_url": "`repro sweep ls` lists sweeps",
    "history": "`repro.get_run(run.id).series` has its points",
    "link_artifact": _TAGS,
    "link_model": _TAGS,
    "log_model": _FILES,
    "logged_artifacts": "`repro.get_run(run.id).artifacts` has them",
    "path": _PLACE,
    "project": _PLACE,
    "project_name": _PLACE,
    "restore": _READ,
    "sweep_id": "`repro.get_run(run.id).run.sweep` has it",
    "upsert_artifact": _FILES,
    "use_artifact": _PINS,
    "use_model": _PINS,
}


def explain(whose: str, name: str, known: Mapping[str, str]) -> str:
    """What an `AttributeError` says of a name that is not there."""
    if name in known:
        return f"{whose} has no `{name}`: {known[name]}"
    return f"{whose} has no attribute {name!r}"
