"""Pictures, tables and histograms that were logged are in the record, as they were."""

import os
import signal
import tracemalloc
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
import polars as pl
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import repro
from repro.errors import InvalidInputError, StorageError, UsageError
from repro.model.medium import Bins, CellImage, Picture, Rows
from repro.sdk.media import Histogram, Image
from repro.sdk.mediatable import Table
from repro.sdk.notices import RecordingWarning
from tests.sdk.scripts import points, record, run, start, steps

plt.switch_backend("agg")

SQUARE = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
WIDE = np.arange(10, dtype=np.uint8).reshape(2, 5) * 20


def pixels(image: Image) -> Any:
    """The pixels that another reader finds."""
    return np.asarray(PIL.Image.open(BytesIO(image.data)))


class Tensor:
    """What code needs of a tensor of torch."""

    dtype = "torch.float32"

    def __init__(self, array: Any) -> None:
        self._array = array

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> "Tensor":
        return self

    def __array__(self, *_: object) -> Any:
        return self._array

    def numpy(self) -> Any:
        return self._array


def test_what_is_logged_beside_numbers_is_in_the_record(sdk: ModuleType, repository: Path) -> None:
    with sdk.init():
        sdk.log({"loss": 0.5, "val": {"x": sdk.Image(SQUARE, caption="one")}}, step=3)
        sdk.log({"several": [sdk.Image(SQUARE), sdk.Image(SQUARE.T)], "h": sdk.Histogram([1, 2])})
        table = sdk.Table(columns=["a", "b"])
        table.add_data(1, sdk.Image(SQUARE))
        table.add_data("x", None)
        sdk.log({"t": table})

    found = sdk.get_run("@")
    shown = [(one.name, one.step, one.place, one.kind, one.caption) for one in found.media]
    assert shown == [
        ("h", 4, 0, "histogram", None),
        ("several", 4, 0, "image", None),
        ("several", 4, 1, "image", None),
        ("t", 5, 0, "table", None),
        ("val/x", 3, 0, "image", "one"),
    ]
    picture = found.read_medium(found.media[4])
    assert isinstance(picture, Picture)
    assert picture.content_type == "image/png"
    assert (np.asarray(PIL.Image.open(BytesIO(picture.data))) == SQUARE).all()
    rows = found.read_medium(found.media[3])
    assert rows == Rows(("a", "b"), ((1, CellImage(0)), ("x", None)), 2)
    assert isinstance(found.read_medium(found.media[0]), Bins)
    assert steps(repository, "loss") == {3: 0.5}


def test_a_later_call_for_a_step_wins(sdk: ModuleType, repository: Path) -> None:
    with sdk.init():
        sdk.log({"x": [sdk.Image(SQUARE, caption="a"), sdk.Image(SQUARE, caption="b")]}, step=1)
        sdk.log({"x": sdk.Image(SQUARE, caption="c")}, step=1)

    assert [one.caption for one in sdk.get_run("@").media] == ["c"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (SQUARE, SQUARE),
        (SQUARE[:, :, None], SQUARE),
        (np.stack([SQUARE] * 3, axis=2), np.stack([SQUARE] * 3, axis=2)),
        (np.stack([SQUARE] * 4, axis=2), np.stack([SQUARE] * 4, axis=2)),
        (np.stack([WIDE] * 3), np.stack([WIDE] * 3, axis=2)),
        (Tensor(np.stack([SQUARE] * 3)), np.stack([SQUARE] * 3, axis=2)),
        (Tensor(SQUARE[None]), SQUARE),
        (Tensor(SQUARE), SQUARE),
        (np.array([[0.0, 0.5, 1.0]]), [[0, 128, 255]]),
        (np.array([[-1.0, 0.0, 1.0]]), [[0, 128, 255]]),
        (np.array([[-9.0, 20.4, 700.0]]), [[0, 20, 255]]),
        (np.array([[np.nan, 1.0, np.inf, -np.inf, 0.0]]), [[0, 255, 255, 0, 0]]),
        (np.array([[True, False]]), [[255, 0]]),
        (np.array([[0, 1]], np.uint8), [[0, 255]]),
        (np.array([[300, -5]], np.int64), [[255, 0]]),
        (np.asfortranarray(SQUARE)[::-1], SQUARE[::-1]),
        (PIL.Image.fromarray(SQUARE), SQUARE),
    ],
)  # fmt: skip
def test_arrays_tensors_and_pictures_show_their_pixels(given: Any, expected: Any) -> None:
    assert pixels(Image(given)).tolist() == np.asarray(expected).tolist()


def test_large_pictures_read_back_whatever_filter_their_lines_have() -> None:
    rows, columns = np.mgrid[0:200, 0:300]
    smooth = np.stack([rows, columns, rows + columns], axis=2).astype(np.uint8)
    noise = np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8)

    assert (pixels(Image(smooth)) == smooth).all()
    assert (pixels(Image(noise)) == noise).all()
    assert len(Image(smooth).data) < 6_000


def test_a_huge_picture_takes_little_more_memory_than_its_lines() -> None:
    rows, columns = np.mgrid[0:1500, 0:1400]
    shown = np.stack([rows, columns, rows ^ columns], axis=2).astype(np.uint8)
    values = shown / np.float32(255)
    values[1400, 7] = np.nan, np.inf, -np.inf
    tracemalloc.start()
    image = Image(values)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    expected = shown.copy()
    expected[1400, 7] = 0, 255, 0
    assert (pixels(image) == expected).all()
    assert most < 4 * shown.nbytes  # 20 times as much, if it were worked on at once


def test_without_normalizing_values_are_cut_off() -> None:
    given = np.array([[0.0, 0.6, 1.0, 300.0]])

    assert pixels(Image(given, normalize=False)).tolist() == [[0, 1, 1, 255]]


def test_a_picture_is_as_it_was_when_it_was_made() -> None:
    array = SQUARE.copy()
    image = Image(array)
    array[:] = 0

    assert (pixels(image) == SQUARE).all()


def test_files_and_bytes_are_kept_as_they_are(tmp_path: Path) -> None:
    file = BytesIO()
    PIL.Image.fromarray(SQUARE).save(file, "JPEG")
    path = tmp_path / "a.jpg"
    path.write_bytes(file.getvalue())

    assert Image(path).data == Image(str(path)).data == Image(file.getvalue()).data
    assert (Image(path).format, Image(path).width, Image(path).height) == ("jpeg", 4, 3)
    assert Image(Image(path, caption="x")).caption == "x"


def test_a_picture_of_pil_without_a_form_in_png_is_turned_into_one() -> None:
    assert pixels(Image(PIL.Image.new("CMYK", (2, 2)))).shape == (2, 2, 3)
    assert pixels(Image(PIL.Image.new("RGB", (2, 2)), mode="L")).shape == (2, 2)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ("nosuch.png", InvalidInputError, "cannot be read"),
        (b"<svg/>", InvalidInputError, "no PNG, JPEG, GIF or WebP"),
        (np.zeros(3), ValueError, "shape"),
        (np.zeros((0, 4)), ValueError, "shape"),
        (np.zeros((2, 2, 2, 3)), ValueError, "shape"),
        (np.zeros((2, 2), complex), TypeError, "numbers"),
        (np.array([["a"]]), TypeError, "numbers"),
        (np.zeros((1, 70_000)), ValueError, "65,500"),
        (object(), TypeError, "object"),
        (3, TypeError, "int"),
    ],
)
def test_what_is_no_picture_is_refused_at_once(given: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        Image(given)


def test_figures_are_logged_as_they_are(sdk: ModuleType, repository: Path) -> None:
    figure, axes = plt.subplots(figsize=(2, 1), dpi=50)
    axes.plot([1, 2])
    try:
        with sdk.init():
            sdk.log({"figure": figure, "axes": axes, "plt": plt, "loss": 1.0})
            sdk.log({"part": Figure(figsize=(3, 1), dpi=50).subfigures(1, 2)[0].subplots()})
            sdk.log({"image": sdk.Image(Figure(figsize=(1, 1)), caption="mine")})
    finally:
        plt.close(figure)

    found = sdk.get_run("@").media
    assert [one.name for one in found] == ["axes", "figure", "image", "part", "plt"]
    assert [(one.file.width, one.file.height) for one in found] == [(100, 50)] * 2 + [
        (100, 100), (150, 50), (100, 50),
    ]  # fmt: skip
    assert len({one.file.digest for one in found}) == 3


def test_tables_take_rows_arrays_and_data_frames() -> None:
    frame = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]})

    assert Table(columns=["x", "y"], data=[[1, "a"], (2, "b")]).data == [[1, "a"], [2, "b"]]
    assert Table(dataframe=frame).data == [[1, "a"], [2, "b"]]
    assert Table(data=frame).columns == ["x", "y"]
    assert Table(columns=frame.columns.to_numpy(), data=frame).columns == ["x", "y"]
    assert Table(dataframe=pl.DataFrame({"x": [1, 2], "y": ["a", "b"]})).columns == ["x", "y"]
    assert Table(columns=["x", "y"], data=np.arange(4).reshape(2, 2)).data == [[0, 1], [2, 3]]
    assert Table().columns == ["Input", "Output", "Expected"]


def test_a_column_can_be_added_and_had() -> None:
    table = Table(columns=["a"], data=[[1], [2]], dtype=int, optional=True)
    table.add_column("b", [3, 4])

    assert (table.get_column("b"), list(table.iterrows())) == ([3, 4], [(0, [1, 3]), (1, [2, 4])])
    with pytest.raises(ValueError, match="2 cells"):
        table.add_data(1)
    with pytest.raises(TypeError, match="row"):
        Table(columns=["a"], data=["text"])


def test_cells_are_what_json_has_and_all_else_is_text(sdk: ModuleType, repository: Path) -> None:
    cells = [np.float32(0.5), np.int64(3), float("nan"), 10**30, True, [1], "\ud800", Path("x")]
    with sdk.init():
        sdk.log({"t": sdk.Table(columns=list("abcdefgh"), data=[cells])})

    found = sdk.get_run("@")
    rows = found.read_medium(found.media[0])
    assert rows.rows == ((0.5, 3, "NaN", str(10**30), True, "[1]", "\\ud800", "x"),)


def test_a_table_too_large_keeps_its_first_rows_and_says_so(
    sdk: ModuleType, repository: Path
) -> None:
    rows = [[number, "x" * 1_000_000] for number in range(20)]
    sdk.init()
    with pytest.warns(RecordingWarning, match="of 20 rows of a table are not kept"):
        sdk.log({"t": sdk.Table(columns=["n", "text"], data=rows)})
    sdk.finish()

    [table] = sdk.get_run("@").media
    assert (table.rows + table.left_out, table.file.where) == (20, "store")
    assert 10 < table.rows < 17


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 2, 9, float("nan")],
        np.array([[1, 2], [2, 9.0]]),
        Tensor(np.array([[1, 2], [2, 9.0]])),
        (number for number in (1, 2, 2, 9)),
    ],
)
def test_histograms_count_the_numbers_in_anything(values: Any) -> None:
    found = Histogram(values, num_bins=4)

    assert (found.histogram, found.bins) == ([3, 0, 0, 1], [1, 3, 5, 7, 9])


@pytest.mark.parametrize("values", [[-1.7e308, 1.7e308], [1e17, 1e17 + 16], [1e300, 1e300]])
def test_ranges_that_floats_cannot_divide_are_counted(values: list[float]) -> None:
    assert sum(Histogram(np.array(values)).histogram) == 2


def test_a_histogram_of_numpy_is_taken_as_it_is() -> None:
    found = Histogram(np_histogram=np.histogram([1, 2, 2], bins=2))

    assert (found.histogram, found.bins) == ([1, 2], [1.0, 1.5, 2.0])


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({}, TypeError),
        ({"sequence": "abc"}, TypeError),
        ({"sequence": [1, None]}, TypeError),
        ({"sequence": [1], "num_bins": 513}, ValueError),
        ({"np_histogram": ([1], [1])}, ValueError),
        ({"np_histogram": ([1], [2, 1])}, ValueError),
        ({"np_histogram": ([float("inf")], [1, 2])}, ValueError),
    ],
)
def test_what_is_no_histogram_is_refused_at_once(words: dict[str, Any], error: Any) -> None:
    with pytest.raises(error):
        Histogram(**words)


def test_lists_of_anything_else_stay_refused_and_nothing_is_recorded(
    sdk: ModuleType, repository: Path
) -> None:
    sdk.init()
    for value in ([1.0, 2.0], [], [sdk.Image(SQUARE), 1.0], os, SQUARE):
        with pytest.raises(TypeError, match="`x` must be a number"):
            sdk.log({"loss": 1.0, "x": value})
    sdk.finish()

    assert sdk.get_run("@").media == ()
    assert points(repository, record(repository)) == {}


def test_a_run_that_is_over_takes_no_more(sdk: ModuleType, repository: Path) -> None:
    over = sdk.init()
    sdk.finish()

    with pytest.raises(UsageError, match="closed"):
        over.log({"x": sdk.Image(SQUARE)})


def test_a_run_that_is_switched_off_takes_media(sdk: ModuleType, repository: Path) -> None:
    with sdk.init(mode="disabled"):
        sdk.log({"x": sdk.Image(SQUARE), "t": sdk.Table(columns=["a"])})

    assert list(sdk.runs()) == []


def test_where_nothing_can_be_written_the_points_are_kept_and_that_is_said(
    sdk: ModuleType, repository: Path
) -> None:
    run = sdk.init()
    (run.live_dir / "media").write_bytes(b"in the way")
    with pytest.warns(RecordingWarning, match="x of step 0 is not kept"):
        sdk.log({"x": sdk.Image(SQUARE), "loss": 1.0})
    sdk.log({"x": [sdk.Image(SQUARE)] * 2, "loss": 2.0})  # a second warning would be an error
    run._strict = True
    with pytest.raises(StorageError):
        sdk.log({"x": sdk.Image(SQUARE)})
    with pytest.warns(RecordingWarning, match="3 media are not kept"):
        sdk.finish()

    assert steps(repository, "loss") == {0: 1.0, 1: 2.0}
    assert record(repository).run.warnings == ("3 media are not kept: they could not be written",)


def test_a_script_of_wandb_runs_and_what_it_logged_survives_kill_9(repository: Path) -> None:
    code = """
        import repro as wandb
        wandb.init(project="p")
        table = wandb.Table(columns=["x"], data=[[1]])
        image = wandb.Image(IMAGE, caption="c", boxes={}, masks=None, classes=[])
        wandb.log({"image": [image], "h": wandb.Histogram([1, 2]), "t": table, "loss": 1})
        assert not {"numpy", "PIL", "torch", "matplotlib"} & set(sys.modules)
        os.kill(os.getpid(), signal.SIGKILL)
    """.replace("IMAGE", repr(Image(SQUARE).data))
    process = start(repository, code)
    process.communicate(timeout=60)

    assert process.returncode == -signal.SIGKILL
    found = record(repository)
    assert found.run.status == "lost"
    assert [one.kind for one in repro.get_run("@").media] == ["histogram", "image", "table"]


def test_ranks_have_media_under_their_prefix(repository: Path) -> None:
    code = """
        import subprocess
        repro.init()
        inner = ("import repro; repro.init(); "
                 "repro.log({'x': repro.Histogram([1, 2])}, step=1); repro.finish()")
        live = repro.run.live_dir
        env = {**os.environ, "REPRO_RUN_ID": repro.run.id, "REPRO_LIVE_DIR": str(live), "RANK": "2"}
        subprocess.run([sys.executable, "-c", inner], env=env, check=True)
        repro.log({'x': repro.Histogram([1, 2])}, step=1)
    """
    run(repository, code)

    assert [one.name for one in repro.get_run("@").media] == ["rank2/x", "x"]


def test_a_resumed_run_keeps_its_media_and_goes_on_behind_them(
    sdk: ModuleType, repository: Path
) -> None:
    with sdk.init(name="a"):
        sdk.log({"x": sdk.Image(SQUARE), "y": sdk.Image(SQUARE)}, step=7)
    with sdk.init(resume="a"):
        sdk.log({"x": sdk.Image(SQUARE.T)})
        sdk.log({"y": sdk.Image(SQUARE.T)}, step=7)

    found = sdk.get_run("a")
    assert [(one.name, one.step) for one in found.media] == [("x", 7), ("x", 8), ("y", 7)]
    sizes = [PIL.Image.open(BytesIO(found.read_medium(one).data)).size for one in found.media]
    assert sizes == [(4, 3), (3, 4), (3, 4)]
