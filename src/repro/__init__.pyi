from repro.errors import ReproError as ReproError
from repro.sdk.mappings import Config, Summary
from repro.sdk.media import Histogram as Histogram
from repro.sdk.media import Image as Image
from repro.sdk.mediatable import Table as Table
from repro.sdk.notices import RecordingWarning as RecordingWarning
from repro.sdk.queries import get_run as get_run
from repro.sdk.queries import runs as runs
from repro.sdk.record import Record as Record
from repro.sdk.run import Run as Run
from repro.sdk.runlist import RunList as RunList
from repro.sdk.seeding import seed as seed
from repro.sdk.session import define_metric as define_metric
from repro.sdk.session import finish as finish
from repro.sdk.session import init as init
from repro.sdk.session import log as log
from repro.sdk.session import log_artifact as log_artifact
from repro.sdk.session import use_data as use_data

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

__version__: str
config: Config
run: Run | None
summary: Summary
