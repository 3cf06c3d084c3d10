"""Git for experiments: `repro.init()`, `repro.log()`, `repro.finish()`.

Names are loaded when they are first used: `import repro` itself costs next to nothing, and the
command line never pays for the face of training code.
"""

import sys
from importlib import import_module

from repro.version import VERSION

__all__ = [
    "AlertLevel",
    "Artifact",
    "Audio",
    "Error",
    "Histogram",
    "Html",
    "Image",
    "Plotly",
    "Record",
    "RecordingWarning",
    "ReproError",
    "Run",
    "RunList",
    "Settings",
    "Table",
    "Video",
    "__version__",
    "alert",
    "config",
    "define_metric",
    "finish",
    "get_run",
    "init",
    "join",
    "log",
    "log_artifact",
    "log_code",
    "login",
    "mark_preempting",
    "plot",
    "require",
    "run",
    "runs",
    "save",
    "seed",
    "setup",
    "summary",
    "teardown",
    "unwatch",
    "use_data",
    "util",
    "watch",
]

__version__ = VERSION

_HOMES = {
    "AlertLevel": "repro.sdk.familiar",
    "Artifact": "repro.sdk.artifacts",
    "Audio": "repro.sdk.filemedia",
    "Histogram": "repro.sdk.media",
    "Html": "repro.sdk.filemedia",
    "Image": "repro.sdk.media",
    "Plotly": "repro.sdk.filed",
    "Record": "repro.sdk.record",
    "RecordingWarning": "repro.sdk.notices",
    "ReproError": "repro.errors",
    "Run": "repro.sdk.run",
    "RunList": "repro.sdk.runlist",
    "Settings": "repro.sdk.beforehand",
    "Table": "repro.sdk.mediatable",
    "Video": "repro.sdk.filemedia",
    "alert": "repro.sdk.current",
    "define_metric": "repro.sdk.current",
    "finish": "repro.sdk.session",
    "get_run": "repro.sdk.queries",
    "init": "repro.sdk.session",
    "log": "repro.sdk.session",
    "log_artifact": "repro.sdk.current",
    "log_code": "repro.sdk.current",
    "login": "repro.sdk.beforehand",
    "mark_preempting": "repro.sdk.current",
    "plot": "repro.sdk.plot",
    "require": "repro.sdk.beforehand",
    "runs": "repro.sdk.queries",
    "save": "repro.sdk.current",
    "seed": "repro.sdk.seeding",
    "setup": "repro.sdk.beforehand",
    "unwatch": "repro.sdk.current",
    "use_data": "repro.sdk.current",
    "util": "repro.sdk.beforehand",
    "watch": "repro.sdk.current",
}
# W&B's other words for some of them.
_ALSO = {"Error": "ReproError", "join": "finish", "teardown": "finish"}
# These are of the run that is current at the moment they are asked for.
_CURRENT = {"config": "current_config", "run": "current_run", "summary": "current_summary"}


def __getattr__(name: str) -> object:
    if name in _CURRENT:
        return getattr(import_module("repro.sdk.session"), _CURRENT[name])()
    called = _ALSO.get(name, name)
    if called not in _HOMES:
        unlike = import_module("repro.sdk.unlike")
        raise AttributeError(unlike.explain("repro", name, unlike.MODULE))
    home = import_module(_HOMES[called])
    value = home if name == "plot" else getattr(home, called)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(type(sys)):  # type: ignore[misc]  # the type of modules, without its module
    """The package, in which `repro.config = ...` is no mere name: it is recorded."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in _CURRENT:
            import_module("repro.sdk.session").assign(name, value)
        else:
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
