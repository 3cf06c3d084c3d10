import math
import subprocess
import sys
from datetime import UTC, datetime

import pandas
import polars
import pytest

from repro.model.series import Point
from repro.sdk import pandas_frames, polars_frames
from repro.sdk.table import (
    Type,
    measure_column,
    moment_column,
    plain_column,
    seconds_column,
    status_column,
    texts_column,
)

HUGE = 1 << 70
NAN = math.nan


def in_pandas(column):
    return pandas_frames.frame_columns([column])[column.title]


def in_polars(column):
    return polars_frames.frame_columns([column])[column.title]


@pytest.mark.parametrize(
    ("values", "kind", "dtype"),
    [
        ([1, 2], "int64", polars.Int64),
        ([1, None], "Int64", polars.Int64),
        ([1, 2.5], "float64", polars.Float64),
        ([2.5, None], "Float64", polars.Float64),
        ([1, HUGE], "float64", polars.Float64),
        ([True, False], "bool", polars.Boolean),
        ([True, None], "boolean", polars.Boolean),
        (["a", None], "string", polars.String),
        ([None, None], "string", polars.String),
        ([[1, 2], [3]], "object", polars.List(polars.Int64)),
        ([[1, 2.5], None], "object", polars.List(polars.Float64)),
        ([["a"], []], "object", polars.List(polars.String)),
        ([[1, "a"], [[2]]], "object", polars.String),
        ([1, "a", True], "object", polars.String),
        ([{"a": 1}, {}], "object", polars.String),
    ],
    ids=str,
)
def test_a_param_has_the_type_that_all_its_values_have(values, kind, dtype):
    column = plain_column("config.x", values)

    assert str(in_pandas(column).dtype) == kind
    assert in_polars(column).dtype == dtype


@pytest.mark.parametrize(
    "values",
    [
        [1, None, 3],
        [0.5, None, 1.5],
        [True, None],
        ["a", None, "🦊"],
        [[1, 2], None, []],
        [["a", "b"]],
        [-(1 << 63), (1 << 63) - 1],
    ],
    ids=str,
)
def test_values_are_in_the_frames_as_they_were_recorded(values):
    column = plain_column("config.x", values)

    there = in_pandas(column)
    assert [None if there.isna()[n] else there[n] for n in range(len(values))] == values
    assert in_polars(column).to_list() == values


def test_values_of_several_types_are_objects_in_pandas_and_json_in_polars():
    column = plain_column("config.x", [1, "a", True, None, [1, "é"], {"k": 2}])

    assert list(in_pandas(column)) == [1, "a", True, None, [1, "é"], {"k": 2}]
    assert in_polars(column).to_list() == ["1", "a", "true", None, '[1, "é"]', '{"k": 2}']


def test_nan_of_a_param_is_a_value_and_not_missing():
    column = plain_column("config.x", [NAN, None, 1.0])

    assert in_pandas(column).isna().tolist() == [False, True, False]
    assert in_polars(column).is_null().to_list() == [False, True, False]


def test_integers_beyond_all_floats_are_infinite():
    column = plain_column("config.x", [10**400, -(10**400)])

    assert in_pandas(column).tolist() == [math.inf, -math.inf]


def test_a_byte_that_is_no_text_is_escaped():
    column = plain_column("config.x", ["a\udcff", "b"])

    assert in_pandas(column).tolist() == ["a\\xff", "b"]
    assert in_polars(column).to_list() == ["a\\xff", "b"]


def test_metrics_are_floats_whatever_is_missing():
    column = measure_column("metrics.loss", [0.5, None, NAN, 10**400])

    assert str(in_pandas(column).dtype) == "float64"
    assert in_pandas(column).isna().tolist() == [False, True, True, False]
    assert in_polars(column).is_null().to_list() == [False, True, False, False]


def test_moments_are_in_utc_and_span_every_year():
    texts = ["2026-11-24T20:05:01.250000Z", None, "9999-12-31T23:59:59.999999Z"]
    column = moment_column("created", texts)

    there = in_pandas(column)
    assert str(there.dtype) == "datetime64[us, UTC]"
    assert there[0] == pandas.Timestamp(texts[0])
    assert there.isna().tolist() == [False, True, False]
    assert in_polars(column).dtype == polars.Datetime("us", "UTC")
    assert in_polars(column)[0] == datetime(2026, 11, 24, 20, 5, 1, 250000, UTC)


def test_statuses_are_a_category_with_all_that_there_are():
    column = status_column("status", ["failed", "finished"])

    assert "running" in in_pandas(column).cat.categories
    assert in_polars(column).dtype == polars.Enum(in_pandas(column).cat.categories.to_list())


def test_tags_are_lists():
    column = texts_column("tags", [("a", "b"), ()])

    assert in_pandas(column).tolist() == [["a", "b"], []]
    assert in_polars(column).to_list() == [["a", "b"], []]


def test_a_time_that_no_calendar_has_is_missing():
    column = seconds_column("time", [0.0, NAN, 1e300, -1e300])

    assert column.type is Type.MOMENT
    assert in_pandas(column).isna().tolist() == [False, True, True, True]


SERIES = {
    "loss": [Point(0, 0.5, 10.0), Point(2, 0.25, 12.0)],
    "step": [Point(2, NAN, 12.0), Point(3, 7.0, 13.0)],
}


def test_points_are_a_row_a_step_and_a_column_a_metric():
    there = pandas_frames.frame_series(SERIES, long=False)

    assert there.index.name == "step"
    assert there.index.tolist() == [0, 2, 3]
    assert there["loss"].tolist()[:2] == [0.5, 0.25]
    assert there.isna().to_numpy().tolist() == [[False, True], [False, True], [True, False]]


def test_polars_has_the_steps_as_a_column_of_their_own():
    there = polars_frames.frame_series(SERIES, long=False)

    assert there.columns == ["step", "loss", "metrics.step"]
    assert there["step"].to_list() == [0, 2, 3]
    assert there["loss"].to_list() == [0.5, 0.25, None]


@pytest.mark.parametrize("frames", [pandas_frames, polars_frames], ids=["pandas", "polars"])
def test_long_points_are_a_row_each(frames):
    there = frames.frame_series(SERIES, long=True)

    assert list(there.columns) == ["metric", "step", "value", "time"]
    assert there["metric"].to_list() == ["loss", "loss", "step", "step"]
    assert there["step"].to_list() == [0, 2, 2, 3]
    assert there["time"][0].timestamp() == 10.0


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("frames", [pandas_frames, polars_frames], ids=["pandas", "polars"])
def test_no_points_are_an_empty_frame(frames, long):
    assert len(frames.frame_series({}, long=long)) == 0


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("frames", [pandas_frames, polars_frames], ids=["pandas", "polars"])
def test_steps_of_any_size_are_kept_apart(frames, long):
    series = {"loss": [Point(0, 1.0, 0.0), Point(HUGE, 2.0, 1.0)]}

    assert len(frames.frame_series(series, long=long)) == 2


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(name):
    code = f"import sys; sys.modules[{name!r}] = None; import repro.sdk.{name}_frames"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert f"pip install 'git-repro[{name}]'" in done.stderr.splitlines()[-1]
