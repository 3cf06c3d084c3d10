from repro.errors import ReproError as Error
from repro.errors import ReproError as ReproError
from repro.sdk import plot as plot
from repro.sdk.artifacts import Artifact as Artifact
from repro.sdk.beforehand import Settings as Settings
from repro.sdk.beforehand import login as login
from repro.sdk.beforehand import require as require
from repro.sdk.beforehand import setup as setup
from repro.sdk.beforehand import util as util
from repro.sdk.current import alert as alert
from repro.sdk.current import define_metric as define_metric
from repro.sdk.current import log_artifact as log_artifact
from repro.sdk.current import log_code as log_code
from repro.sdk.current import mark_preempting as mark_preempting
from repro.sdk.current import save as save
from repro.sdk.current import unwatch as unwatch
from repro.sdk.current import use_data as use_data
from repro.sdk.current import watch as watch
from repro.sdk.familiar import AlertLevel as AlertLevel
from repro.sdk.filed import Plotly as Plotly
from repro.sdk.filemedia import Audio as Audio
from repro.sdk.filemedia import Html as Html
from repro.sdk.filemedia import Video as Video
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
from repro.sdk.session import finish as finish
from repro.sdk.session import finish as join
from repro.sdk.session import finish as teardown
from repro.sdk.session import init as init
from repro.sdk.session import log as log

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

__version__: str
config: Config
run: Run | None
summary: Summary
