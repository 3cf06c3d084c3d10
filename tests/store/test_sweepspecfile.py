"""A sweep file as it lies on the disk."""

import pytest

from repro.errors import InvalidInputError
from repro.model.space import Uniform
from repro.model.sweepspec import Method
from repro.store.sweepspecfile import read_sweep_file

TEXT = """\
program: train.py
method: random
parameters:
  lr:
    distribution: log_uniform_values
    min: !!float 1e-5
    max: 1e-1
"""


def test_the_yaml_that_wandb_advises_is_read(tmp_path):
    path = tmp_path / "sweep.yaml"
    path.write_text(TEXT)

    spec = read_sweep_file(path)

    assert (spec.method, spec.space) == (Method.RANDOM, {"lr": Uniform(1e-5, 0.1, is_log=True)})


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("min:", "mim:", "line 6: unknown key `parameters.lr.mim`"),
        ("!!float 1e-5", "!!float x", "line 6: `x` is out of range"),
        ("!!float", "!!python/tuple", "line 6: the tag"),
        ("1e-1", "[", "line 8: "),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path, old, new, reason):
    path = tmp_path / "sweep.yaml"
    path.write_text(TEXT.replace(old, new))

    with pytest.raises(InvalidInputError) as caught:
        read_sweep_file(path)

    assert caught.value.message.startswith(f"`{path}`")
    assert reason in caught.value.message


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidInputError, match=r"there is no sweep file `.*x\.yaml`"):
        read_sweep_file(tmp_path / "x.yaml")
    with pytest.raises(InvalidInputError, match="is not a file"):
        read_sweep_file(tmp_path)
