"""Arrays and tensors of samples as WAV files; numpy is used where the program has loaded it."""

import sys
import wave
from array import array
from collections.abc import Sequence
from io import BytesIO
from typing import Any

_LOUDEST = 32_767  # of 16 bits
_MOST_CHANNELS = 64


def encode_wav(data: Any, rate: int) -> bytes:
    """Give a WAV file of 16 bits a sample.

    Args:
        data: Shape (n,) or (n, channels): floats, cut off at -1 and 1; or integers of 16 bits;
            or, with numpy, unsigned ones of 8 or signed ones of 32.
        rate: Samples a second, at least 1.

    Raises:
        TypeError: They are no numbers.
        ValueError: They have another shape, or the rate is below 1.
    """
    if rate < 1:
        raise ValueError(f"a sound has at least 1 sample a second, not {rate}")
    samples, channels = _with_numpy(data) if hasattr(data, "__array__") else _of_list(data)
    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples)
    return file.getvalue()


def _with_numpy(data: Any) -> tuple[bytes, int]:
    if hasattr(data, "detach") and hasattr(data, "cpu"):
        data = data.detach().cpu()
    numpy = sys.modules["numpy"]
    values = numpy.asarray(data)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or not 0 < values.shape[1] <= _MOST_CHANNELS:
        raise ValueError(f"samples have the shape (n,) or (n, channels), not {values.shape}")
    if values.dtype.kind == "f":
        values = numpy.clip(numpy.nan_to_num(values), -1, 1) * _LOUDEST
    elif values.dtype == numpy.uint8:
        values = (values.astype(numpy.int16) - 128) * 256
    elif values.dtype == numpy.int32:
        values = values >> 16
    elif values.dtype.kind not in "bui":
        raise TypeError(f"samples are numbers, not {values.dtype}")
    whole = numpy.rint(numpy.clip(values, -_LOUDEST - 1, _LOUDEST)).astype("<i2")
    return whole.tobytes(), values.shape[1]


def _of_list(data: Sequence[float]) -> tuple[bytes, int]:
    """Samples of one channel, as a list or another sequence of numbers."""
    try:
        loud = [one if isinstance(one, int) else one * _LOUDEST for one in data]
        values = array("h", [round(max(-_LOUDEST - 1, min(_LOUDEST, one))) for one in loud])
    except (TypeError, ValueError) as error:
        raise TypeError(f"samples are numbers, not {type(data).__qualname__}") from error
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes(), 1
