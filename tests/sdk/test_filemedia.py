"""Sounds, films, pages and figures of plotly are in the record, and what they show is right."""

import sys
import wave
from io import BytesIO, StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import PIL.Image
import pytest

from repro.errors import InvalidInputError
from repro.sdk.filemedia import Audio, Html, Video
from repro.sdk.notices import RecordingWarning
from tests.support import write_files


class Figure:
    """What code needs of a figure of plotly."""

    def to_json(self) -> str:
        return '{"data": [{"type": "scatter"}]}'


def samples(audio: Audio) -> tuple[int, int, list[int]]:
    """Channels, rate, samples that another reader finds."""
    with wave.open(BytesIO(audio.data)) as sound:
        frames = sound.readframes(sound.getnframes())
        values = np.frombuffer(frames, "<i2").tolist()
        return sound.getnchannels(), sound.getframerate(), values


def frames(video: Video) -> list[Any]:
    """The frames that another reader finds."""
    picture = PIL.Image.open(BytesIO(video.data))
    found = []
    for number in range(getattr(picture, "n_frames", 1)):
        picture.seek(number)
        found.append(np.asarray(picture.convert("RGB")))
    return found


def test_what_is_logged_is_an_artifact_by_its_name_and_step(
    sdk: ModuleType, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"film.mp4": b"\0\0\0 ftypisom", "page.html": "<b>", "x.gif": b"GIF89a"}
    write_files(repository, files)
    module = ModuleType("plotly.basedatatypes")
    module.BaseFigure = Figure  # type: ignore[attr-defined]  # as plotly has one
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with sdk.init():
        sounds = [sdk.Audio([0.0, 1.0], 8000, caption="beep"), sdk.Audio([0.0], 8000)]
        sdk.log({"a": {"sound": sounds}, "loss": 1}, step=3)
        sdk.log({"film": sdk.Video("film.mp4"), "page": sdk.Html("page.html")})
        sdk.log({"figure": Figure(), "gif": sdk.Video("x.gif", "c")})
        with pytest.warns(RecordingWarning, match="keeps no masks"):
            sdk.Image(np.zeros((2, 2)), masks={"a": 1}, boxes=None)
        with pytest.warns(RecordingWarning, match="keeps no Audio"):
            sdk.log({"t": sdk.Table(columns=["a"], data=[[sounds[0]]])})

    found = sdk.get_run("@")
    assert [one.path for one in found.artifacts] == [
        "media/audio/a/sound_3_0.txt", "media/audio/a/sound_3_0.wav",
        "media/audio/a/sound_3_1.wav", "media/html/page_4_0.html",
        "media/plotly/figure_5_0.plotly.json", "media/video/film_4_0.mp4",
    ]  # fmt: skip
    assert found.read_artifact("media/audio/a/sound_3_0.txt") == b"beep"
    assert found.read_artifact("media/html/page_4_0.html") == b"<b>"
    assert b'"scatter"' in found.read_artifact("media/plotly/figure_5_0.plotly.json")
    assert [(one.name, one.kind, one.caption) for one in found.media] == [
        ("gif", "image", "c"),
        ("t", "table", None),
    ]


def test_whatever_a_medium_and_its_file_are_called_training_goes_on_and_it_is_kept(
    sdk: ModuleType, repository: Path
) -> None:
    names = ["../x", "/x", "a//b", ".git/config", "a\nb", "x" * 500, "é\\..\\b"]
    write_files(repository, {"film.x y": "film", "said.txt": "bytes"})
    with sdk.init():
        for name in names:
            sdk.log({name: sdk.Html(name)}, step=0)
        sdk.log({"film": sdk.Video("film.x y"), "said": sdk.Audio("said.txt", caption="c")}, step=0)

    found = sdk.get_run("@")
    kept = {one.path: found.read_artifact(one.path).decode() for one in found.artifacts}
    assert (kept["media/video/film_0_0"], kept["media/audio/said_0_0.txt"]) == ("film", "bytes")
    assert sorted(kept.values()) == sorted([*names, "film", "bytes"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([0, 0.5, -1.0, 7.0], (1, [0, 16384, -32767, 32767])),
        (np.array([0, 0.5, -1.0, 7.0]), (1, [0, 16384, -32767, 32767])),
        (np.array([[1, -2], [3, 4]], np.int16), (2, [1, -2, 3, 4])),
        (np.array([0, 128, 255], np.uint8), (1, [-32768, 0, 32512])),
        (np.array([1 << 16, -(1 << 31)], np.int32), (1, [1, -32768])),
        (np.array([np.nan, 1.0]), (1, [0, 32767])),
    ],
)
def test_samples_are_those_that_were_given(given: Any, expected: tuple[int, list[int]]) -> None:
    channels, values = expected

    assert samples(Audio(given, sample_rate=8000)) == (channels, 8000, values)


def test_what_is_no_sound_is_refused() -> None:
    with pytest.raises(ValueError, match="sample_rate"):
        Audio([0.0])
    with pytest.raises(ValueError, match="at least 1"):
        Audio([0.0], 0)
    with pytest.raises(ValueError, match="shape"):
        Audio(np.zeros((2, 2, 2)), 8000)
    with pytest.raises(TypeError, match="numbers"):
        Audio(["x"], 8000)
    with pytest.raises(TypeError, match="numbers"):
        Audio(np.array(["x"]), 8000)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        Audio("missing.wav")


def test_frames_are_a_picture_that_moves() -> None:
    given = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
    video = Video(given, fps=8)

    shown = frames(video)
    assert len(shown) == 2
    assert (np.stack(shown) == given.transpose(0, 2, 3, 1)).all()
    assert PIL.Image.open(BytesIO(video.data)).info["duration"] == 125


def test_all_frames_have_the_same_range_of_values() -> None:
    dark_and_light = np.stack([np.full((1, 2, 2), 0.1), np.full((1, 2, 2), 1.0)])

    assert [int(one[0, 0, 0]) for one in frames(Video(dark_and_light))] == [26, 255]


def test_what_is_no_film_is_refused() -> None:
    for shape in ((3, 4, 5), (2, 7, 4, 5), (2, 2, 3, 4, 5), (0, 3, 4, 5)):
        with pytest.raises(ValueError, match="shape"):
            Video(np.zeros(shape))
    with pytest.raises(ValueError, match="frames a second"):
        Video(np.zeros((1, 3, 4, 5)), fps=-1)
    with pytest.raises(TypeError, match="numbers"):
        Video(np.full((1, 3, 4, 5), "x"))


def test_a_page_is_its_text_its_path_or_an_open_file(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("<p>file")

    assert Html("<p>text").data == b"<p>text"
    assert Html(StringIO("<p>open")).data == b"<p>open"
    assert Html(path).data == Html(str(path)).data == b"<p>file"
    assert Html(str(path), data_is_not_path=True).data == str(path).encode()
