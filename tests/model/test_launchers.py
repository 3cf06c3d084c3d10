"""A program's own arguments are found behind any launchers."""

import pytest

from repro.model.launchers import (
    is_package_runner,
    program_arguments,
    shell_line,
    starts_python,
)


@pytest.mark.parametrize(
    "command",
    [
        "python train.py ARGS",
        "python3.11 -u -X dev -W ignore -Werror -OO train.py ARGS",
        "/usr/bin/python -m package.train ARGS",
        "python -um package.train ARGS",
        "python -mpackage.train ARGS",
        "python -c code ARGS",
        "python - ARGS",
        "./train.py ARGS",
        "./train ARGS",
        "train ARGS",
        "bash -e run.sh ARGS",
        "bash -euo pipefail run.sh ARGS",
        "python -m torch.distributed.run --nproc_per_node 4 --nnodes=2 train.py ARGS",
        "python -m torch.distributed.launch --nproc_per_node 4 -m package.train ARGS",
        "python -m cProfile -o out.prof train.py ARGS",
        "torchrun --standalone --nproc-per-node=2 train.py ARGS",
        "torchrun --nnodes 2 -m package.train ARGS",
        "torchrun --new-option value train.py ARGS",
        "accelerate launch --mixed_precision fp16 --multi_gpu train.py ARGS",
        "accelerate launch --config_file c.yaml -m package.train ARGS",
        "deepspeed --num_gpus 2 --include localhost:0,1 train.py ARGS",
        "srun -n 4 --gres gpu:1 --job-name x python train.py ARGS",
        "srun --unknown 3 --exclusive python -u train.py ARGS",
        "srun --exclusive ./train ARGS",
        "mpirun -np 4 -x A=1 --mca btl tcp,self ./train ARGS",
        "mpiexec -n 2 python -m package ARGS",
        "uv run train.py ARGS",
        "uv run --with torch --python 3.12 python train.py ARGS",
        "uv run -- python train.py ARGS",
        "poetry run python train.py ARGS",
        "conda run -n env --no-capture-output python train.py ARGS",
        "env -u X CUDA_VISIBLE_DEVICES=0,1 python train.py ARGS",
        "CUDA_VISIBLE_DEVICES=0 python train.py ARGS",
        "env A=1 srun -n 2 uv run accelerate launch train.py ARGS",
        "timeout -s INT 10m nohup nice -n 5 python train.py ARGS",
        "taskset -c 0-3 python train.py ARGS",
        "coverage run --source src -m package ARGS",
        "ray job submit --address x -- python train.py ARGS",
    ],
)
def test_launchers_are_stepped_over(command):
    arguments = ["--init", "weights.py", "lr=1"]

    words = [word for part in command.split() for word in (arguments if part == "ARGS" else [part])]

    assert list(program_arguments(words)) == arguments


def test_a_tool_that_does_not_launch_is_the_program_itself():
    assert list(program_arguments(["conda", "install", "--yes"])) == ["install", "--yes"]


@pytest.mark.parametrize(
    "command", ["", "python", "env", "env A=1", "torchrun", "python -m", "uv run", "sh -c x --a=1"]
)
def test_a_command_without_a_program_has_no_arguments(command):
    assert list(program_arguments(command.split())) == []


def test_launchers_without_end_end():
    assert list(program_arguments(["env"] * 10_000)) == ["env"] * 9_984


@pytest.mark.parametrize(
    ("command", "position"),
    [
        ("sh -c LINE", 2),
        ("env A=1 bash -e -xc LINE more", 5),
        ("nohup /bin/bash --login -c LINE", 4),
        ("bash run.sh -c LINE", None),
        ("bash -euo pipefail -c LINE", 4),
        ("bash -e", None),
        ("bash -e -x", None),
        ("python -c LINE", None),
        ("env A=1", None),
        ("", None),
    ],
)
def test_the_word_that_is_a_line_of_shell_is_found(command, position):
    assert shell_line(command.split()) == position


@pytest.mark.parametrize(
    ("command", "is_python", "is_runner"),
    [
        (("python3.11", "-I", "t.py"), True, False),
        (("env", "-i", "/venv/bin/python", "t.py"), True, False),
        (("uv", "run", "python", "t.py"), True, True),
        (("poetry", "run", "train"), False, True),
        (("sh", "-c", "cd a && python t.py"), True, False),
        (("sh", "-c", "echo pythonic"), False, False),
        (("echo", "python", "-I"), False, False),
        (("./simulate", "uv", "run"), False, False),
    ],
)
def test_what_a_command_starts(command, is_python, is_runner):
    assert starts_python(command) is is_python
    assert is_package_runner(command) is is_runner
