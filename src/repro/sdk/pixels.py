"""Pixels in arrays and tensors as PNG files; numpy is used where the program has loaded it."""

import sys
from collections.abc import Iterator
from typing import Any

from repro.model.png import encode_animation, encode_png

LONGEST_SIDE = 65_500  # pixels
_MOST_FPS = 65_535
_BAND = 1 << 18  # values that are worked on at a time

_CHANNELS = (1, 2, 3, 4)


def encode_array(data: Any, *, normalize: bool = True) -> bytes:
    """Give a PNG of what an array shows.

    Args:
        data: Shape (height, width) or (height, width, channels), with 1 to 4 channels: grey, grey
            and alpha, RGB, RGBA; of a torch tensor (channels, height, width).
        normalize: Values from 0 to 1 are multiplied by 255; those from -1 to 1 are mapped to 0 to
            255 first; any others are cut off at 0 and 255. Without it, all are cut off.

    Raises:
        TypeError: It is no array of numbers.
        ValueError: It has another shape, no pixel, or more than 65,500 in a row.

    Source: W&B's `wandb.Image` normalises so.
    """
    numpy = sys.modules.get("numpy")
    array, is_tensor = _as_array(numpy, data)
    if numpy is None or array.dtype.kind not in "biuf":
        raise TypeError(f"an image has pixels that are numbers, not {array.dtype}")
    array = _shaped(numpy, array, is_tensor)
    height, width, channels = array.shape
    lines = b"".join(_lines(numpy, array, normalize=normalize))
    return encode_png(lines, width=width, height=height, channels=channels)


def encode_frames(data: Any, fps: int) -> bytes:
    """Give an animated PNG of frames.

    Args:
        data: Shape (time, channels, height, width), with 1 to 4 channels; values as those of
            `encode_array`, of which all frames have the same range.
        fps: Frames a second.

    Raises:
        TypeError: It is no array of numbers.
        ValueError: It has another shape, no pixel, or there is no such rate.
    """
    numpy = sys.modules.get("numpy")
    array, _ = _as_array(numpy, data)
    if numpy is None or array.dtype.kind not in "biuf":
        raise TypeError(f"a video has pixels that are numbers, not {array.dtype}")
    if array.ndim == 5 and len(array) == 1:
        array = array[0]
    if array.ndim != 4 or array.shape[1] not in _CHANNELS or 0 in array.shape:
        raise ValueError(
            f"a video has the shape (time, channels, height, width), not {array.shape}"
        )
    if not 1 <= fps <= _MOST_FPS:
        raise ValueError(f"a video has 1 to {_MOST_FPS:,} frames a second, not {fps}")
    if array.dtype.kind == "f":
        low, high = _range(numpy, array)
        array = numpy.nan_to_num(array, nan=low, posinf=high, neginf=low)
    else:
        low, high = array.min(), array.max()
    shown = _to_bytes(numpy, array, low, high, normalize=True).transpose(0, 2, 3, 1)
    height, width, channels = shown.shape[1:]
    frames = [
        b"".join(_lines(numpy, numpy.ascontiguousarray(frame), normalize=False)) for frame in shown
    ]
    return encode_animation(frames, width=width, height=height, channels=channels, fps=fps)


def _as_array(numpy: Any, data: Any) -> tuple[Any, bool]:
    """An array of numpy, and whether it was a tensor of torch."""
    if hasattr(data, "detach") and hasattr(data, "cpu"):
        tensor = data.detach().cpu()
        if "bfloat16" in str(tensor.dtype):  # numpy has no such type
            tensor = tensor.float()
        return tensor.numpy(), True
    if numpy is not None and (hasattr(data, "__array__") or isinstance(data, numpy.ndarray)):
        return numpy.asarray(data), False
    raise TypeError(
        "an image is an array, a tensor, a picture of PIL, a figure of matplotlib, a path or"
        f" bytes, not {type(data).__qualname__}"
    )


def _shaped(numpy: Any, array: Any, is_tensor: bool) -> Any:
    """The array as (height, width, channels)."""
    shape = array.shape
    while array.ndim > 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 2:
        array = array[:, :, None]
    elif array.ndim == 3 and (is_tensor or array.shape[2] not in _CHANNELS):
        array = array.transpose(1, 2, 0)  # channels in front
    if array.ndim != 3 or array.shape[2] not in _CHANNELS or 0 in array.shape:
        raise ValueError(
            f"an image has the shape (height, width) or (height, width, channels), not {shape}"
            + ("; log a list of images for several" if len(shape) > 3 else "")
        )
    if max(array.shape) > LONGEST_SIDE:
        raise ValueError(f"an image has at most {LONGEST_SIDE:,} pixels a side, not {shape}")
    return numpy.ascontiguousarray(array)


def _lines(numpy: Any, array: Any, *, normalize: bool) -> Iterator[bytes]:
    """The filtered lines of a PNG, some at a time: copies of a large array are larger still."""
    low, high = _range(numpy, array) if array.dtype.kind == "f" else (array.min(), array.max())
    before = None
    for band in _bands(array):
        if band.dtype.kind == "f":
            band = numpy.nan_to_num(band.astype(numpy.float64), nan=low, posinf=high, neginf=low)
        pixels = _to_bytes(numpy, band, low, high, normalize=normalize).reshape(len(band), -1)
        yield _filtered(numpy, pixels, before, array.shape[2])
        before = pixels[-1]


def _bands(array: Any) -> Iterator[Any]:
    n_lines = max(1, _BAND // (array.shape[1] * array.shape[2]))
    for begin in range(0, len(array), n_lines):
        yield array[begin : begin + n_lines]


def _range(numpy: Any, array: Any) -> tuple[float, float]:
    """The least and the greatest of the values that are finite; NaN is shown as the least."""
    lows, highs = [], []
    for band in _bands(array):
        values = band.astype(numpy.float64)
        some = values[numpy.isfinite(values)]
        if some.size:
            lows.append(float(some.min()))
            highs.append(float(some.max()))
    return (min(lows), max(highs)) if lows else (0.0, 1.0)


def _to_bytes(numpy: Any, array: Any, low: float, high: float, *, normalize: bool) -> Any:
    """The pixels of an array whose values lie from `low` to `high`."""
    if array.dtype.kind == "b":
        return array.astype(numpy.uint8) * numpy.uint8(255)
    if normalize and low >= 0 and high <= 1:
        array = array * 255.0 if array.dtype.kind == "f" else array.astype(numpy.int64) * 255
    elif normalize and low >= -1 and high <= 1:
        array = (array + 1.0) * 127.5
    elif array.dtype == numpy.uint8:
        return array
    return numpy.rint(numpy.clip(array, 0, 255)).astype(numpy.uint8)


def _filtered(numpy: Any, pixels: Any, before: Any, channels: int) -> bytes:
    """Lines as PNG filters them: none, the left pixel or the one above taken off.

    Of each line the filter is chosen that leaves the least sum of absolute differences.

    Args:
        before: The line above the first one, None at the top of the picture.

    Source: W3C, "Portable Network Graphics (PNG) Specification", section 12.7.
    """
    left, above = pixels.copy(), pixels.copy()
    left[:, channels:] -= pixels[:, :-channels]
    above[1:] -= pixels[:-1]
    if before is not None:
        above[0] -= before
    choices = numpy.stack([pixels, left, above])
    sums = numpy.minimum(choices, -choices).sum(axis=2, dtype=numpy.int64)
    best = sums.argmin(axis=0)
    chosen = choices[best, numpy.arange(len(pixels))]
    lines: bytes = numpy.column_stack([best.astype(numpy.uint8), chosen]).tobytes()
    return lines
