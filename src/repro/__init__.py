"""Git for experiments: `repro.init()`, `repro.log()`, `repro.finish()`.

Names are loaded when they are first used: `import repro` itself costs next to nothing, and the
command line never pays for the face of training code.
"""

from importlib import import_module

from repro.version import VERSION

__all__ = [
    "Histogram",
    "Image",
    "Record",
    "RecordingWarning",
    "ReproError",
    "Run",
    "RunList",
    "Table",
    "__version__",
    "config",
    "define_metric",
    "finish",
    "get_run",
    "init",
    "log",
    "log_artifact",
    "run",
    "runs",
    "seed",
    "summary",
    "use_data",
]

__version__ = VERSION

_HOMES = {
    "Histogram": "repro.sdk.media",
    "Image": "repro.sdk.media",
    "Record": "repro.sdk.record",
    "RecordingWarning": "repro.sdk.notices",
    "ReproError": "repro.errors",
    "Run": "repro.sdk.run",
    "RunList": "repro.sdk.runlist",
    "Table": "repro.sdk.mediatable",
    "define_metric": "repro.sdk.session",
    "finish": "repro.sdk.session",
    "get_run": "repro.sdk.queries",
    "init": "repro.sdk.session",
    "log": "repro.sdk.session",
    "log_artifact": "repro.sdk.session",
    "runs": "repro.sdk.queries",
    "seed": "repro.sdk.seeding",
    "use_data": "repro.sdk.session",
}
# These are of the run that is current at the moment they are asked for.
_CURRENT = {"config": "current_config", "run": "current_run", "summary": "current_summary"}


def __getattr__(name: str) -> object:
    if name in _CURRENT:
        return getattr(import_module("repro.sdk.session"), _CURRENT[name])()
    if name not in _HOMES:
        raise AttributeError(f"module `repro` has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
