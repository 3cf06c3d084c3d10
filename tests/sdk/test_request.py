"""What a run says its command was."""

import pytest

from repro.sdk.request import command_of


@pytest.mark.parametrize(
    "argv",
    [
        ["/usr/bin/python3", "-m", "ipykernel_launcher", "-f", "/tmp/tmp87.json"],
        ["python", "/lib/ipykernel_launcher.py", "-f", "k.json", "--x.hist_file=:memory:"],
        ["python", "-m", "colab_kernel_launcher", "-f", "k.json"],
    ],
)
def test_a_kernels_own_arguments_are_no_part_of_the_command(argv: list[str]) -> None:
    command = command_of(argv)

    assert command[-1].endswith(("launcher", "launcher.py"))
    assert "-f" not in command


def test_a_scripts_arguments_are_all_of_them() -> None:
    assert command_of(["python", "train.py", "-f", "x"]) == ("python", "train.py", "-f", "x")
