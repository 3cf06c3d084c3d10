"""Options for engines are read once, and what is wrong is named."""

import pytest

from repro.errors import UsageError
from repro.model.launching import (
    RayOptions,
    SlurmOptions,
    read_ray_options,
    read_slurm_options,
)


def test_options_of_slurm_are_those_of_sbatch():
    given = {
        "partition": "gpu",
        "gpus-per-task": "1",
        "cpus_per_task": "8",
        "mem": "16gb",
        "time": "1:30:00",
        "setup": "module load cuda\nexport A=1",
        "constraint": "a100&nvlink",
        "mail_type": "END",
    }

    assert read_slurm_options(given) == SlurmOptions(
        partition="gpu",
        gpus_per_task=1,
        cpus_per_task=8,
        mem="16G",
        time_min=90,
        setup=("module load cuda", "export A=1"),
        extra={"constraint": "a100&nvlink", "mail-type": "END"},
    )
    assert read_slurm_options({}) == SlurmOptions()


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("90", 90), ("1:30", 2), ("2:00:00", 120), ("1-0", 1440), ("1-2:30", 1590), ("0:0:1", 1)],
)
def test_times_are_those_of_sbatch(text: str, minutes: int):
    assert read_slurm_options({"time": text}).time_min == minutes


def test_options_of_ray_are_resources():
    given = {"num_gpus": "0.5", "num-cpus": "2", "memory": "2G", "resources.TPU": "1"}

    assert read_ray_options({**given, "address": "host:6379"}) == RayOptions(
        address="host:6379",
        num_cpus=2,
        num_gpus=0.5,
        memory_bytes=2 << 30,
        resources={"TPU": 1},
    )


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("time", "soon", "not a time"),
        ("time", "0", "above zero"),
        ("mem", "much", "16G"),
        ("cpus_per_task", "-1", "a whole number"),
        ("partition", "a\nb", "one word"),
        ("local", "maybe", "`true` or `false`"),
        ("a b", "1", "no option of sbatch"),
        ("constraint", "x\n#SBATCH --y", "no option of sbatch"),
    ],
)
def test_what_slurm_could_not_take_is_named(key: str, text: str, says: str):
    with pytest.raises(UsageError, match=says):
        read_slurm_options({key: text})


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("num_gpu", "1", "did you mean `num_gpus`"),
        ("num_gpus", "nan", "a number"),
        ("num_cpus", "-1", "a number"),
        ("memory", "0", "amount of memory"),
        ("resources.", "1", "nothing that Ray is asked"),
    ],
)
def test_what_ray_could_not_take_is_named(key: str, text: str, says: str):
    with pytest.raises(UsageError, match=says):
        read_ray_options({key: text})
