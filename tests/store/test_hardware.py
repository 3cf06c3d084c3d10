"""What machine this is, on the real one and on the files of others."""

import os
from pathlib import Path

import pytest

from repro.store.hardware import read_hardware

_VERSION = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n"
    "GCC version:  gcc version 11.4.0\n"
)
_OPEN_VERSION = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (dvs)\n"
)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with two cards, whose `nvidia-smi` counts how often it is asked."""
    for number in (1, 2):
        folder = tmp_path / f"proc/driver/nvidia/gpus/0000:0{number}:00.0"
        folder.mkdir(parents=True)
        (folder / "information").write_text("Model: \t\t NVIDIA A100\nIRQ:   \t\t 124\n")
    (tmp_path / "proc/driver/nvidia/version").write_text(_VERSION)
    make_smi(tmp_path, "echo 'NVIDIA A100-SXM4-40GB, 40960, 535.104.05'")
    return tmp_path


def make_smi(machine: Path, script: str) -> None:
    program = machine / "bin" / "nvidia-smi"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\necho asked >> {machine}/asked\n{script}\n")
    program.chmod(0o755)


def gpus(machine: Path) -> object:
    environ = {"PATH": f"{machine / 'bin'}:{os.defpath}"}
    return read_hardware(environ=environ, cache=machine / "cache/gpus.json", root=machine)["gpus"]


def n_asked(machine: Path) -> int:
    path = machine / "asked"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_this_machine_has_a_processor_and_memory(tmp_path):
    found = read_hardware(environ=os.environ, cache=tmp_path / "gpus.json")

    assert os.cpu_count() == found["cores"]
    assert isinstance(found["cpu"], str)
    assert isinstance(found["memory_bytes"], int)
    assert found["memory_bytes"] > 1 << 20


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        (
            "model\t\t: 85\nmodel name\t: Xeon: Gold\n\nprocessor\t: 1\nmodel name\t: no",
            "Xeon: Gold",
        ),
        ("processor\t: 0\nBogoMIPS\t: 108.00\nModel\t\t: Raspberry Pi 4\n", "Raspberry Pi 4"),
        ("processor\t: 0\ncpu\t\t: POWER9 (raw)\n", "POWER9 (raw)"),
        ("", os.uname().machine),
    ],
)
def test_the_processor_is_named(tmp_path, cpuinfo, expected):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(cpuinfo)

    found = read_hardware(environ={}, cache=tmp_path / "gpus.json", root=tmp_path)

    assert expected == found["cpu"]


def test_a_machine_without_cards_has_none_and_asks_nobody(machine):
    for path in machine.glob("proc/driver/nvidia/gpus/*/information"):
        path.unlink()

    assert gpus(machine) == []
    assert n_asked(machine) == 0


def test_cards_are_named_with_memory_and_driver(machine):
    card = {"name": "NVIDIA A100-SXM4-40GB", "memory_bytes": 40960 << 20, "driver": "535.104.05"}

    assert [card] == gpus(machine)


def test_nvidia_smi_is_asked_once(machine):
    assert gpus(machine) == gpus(machine)
    assert n_asked(machine) == 1


def test_nvidia_smi_is_asked_again_under_another_driver(machine):
    gpus(machine)
    (machine / "proc/driver/nvidia/version").write_text(_OPEN_VERSION)
    gpus(machine)

    assert n_asked(machine) == 2


def test_a_damaged_memory_is_only_forgotten(machine):
    before = gpus(machine)
    (machine / "cache/gpus.json").write_bytes(b"{")

    assert before == gpus(machine)


@pytest.mark.parametrize("version", [_VERSION, _OPEN_VERSION])
def test_without_nvidia_smi_names_and_driver_are_known(machine, version):
    (machine / "bin/nvidia-smi").unlink()
    (machine / "proc/driver/nvidia/version").write_text(version)
    driver = "535.104.05" if version == _VERSION else "570.86.15"

    card = {"name": "NVIDIA A100", "memory_bytes": None, "driver": driver}
    assert [card, card] == gpus(machine)


@pytest.mark.parametrize("script", ["exit 9", "echo nonsense", "echo 'a, [N/A], b, c'"])
def test_an_nvidia_smi_that_fails_is_asked_once_and_costs_only_its_facts(machine, script):
    make_smi(machine, script)

    found = gpus(machine)

    assert isinstance(found, list)
    assert all(card["memory_bytes"] is None for card in found)
    assert found == gpus(machine)
    assert n_asked(machine) == 1
