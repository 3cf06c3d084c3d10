"""Versions of CUDA and cuDNN by names and small files."""

from pathlib import Path

import pytest
from tests.support import write_files

from repro.model.canonical import Json
from repro.store.cuda import read_cuda


def told(
    root: Path, *packages: tuple[str, str], prefix: Path | None = None, **environ: str
) -> dict[str, Json] | None:
    return read_cuda(packages, prefix=str(prefix) if prefix else None, environ=environ, root=root)


def test_a_machine_without_cuda_has_none(tmp_path):
    assert told(tmp_path, ("numpy", "2.0"), ("nvidia-ml-py", "12.0")) is None


@pytest.mark.parametrize("suffix", ["-cu11", "-cu12", ""])
def test_wheels_tell_by_their_versions(tmp_path, suffix):
    found = told(
        tmp_path,
        (f"nvidia-cuda-runtime{suffix}", "12.4.127"),
        (f"nvidia-cudnn{suffix}", "9.1.0.70"),
        ("nvidia-cudnn-frontend", "1.0"),
    )

    assert found == {"runtime": "12.4.127", "cudnn": "9.1.0.70", "toolkit": None}


def test_conda_tells_by_the_names_of_its_files(tmp_path):
    names = ("cuda-cudart-12.4.127-0.json", "cudnn-8.9.2.26-cuda12_0.json", "history")
    write_files(tmp_path / "env/conda-meta", dict.fromkeys(names, "{}"))

    found = told(tmp_path, prefix=tmp_path / "env")

    assert found == {"runtime": "12.4.127", "cudnn": "8.9.2.26", "toolkit": None}


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        ("version.json", '{"cuda": {"name": "CUDA SDK", "version": "12.4.1"}}', "12.4.1"),
        ("version.txt", "CUDA Version 10.1.243\n", "10.1.243"),
        ("version.json", '{"cuda": {"version": 12}}', None),
        ("version.json", "[", None),
        ("version.json", "[]", None),
    ],
)
def test_the_toolkit_tells_by_its_version_file(tmp_path, name, text, version):
    write_files(tmp_path, {f"usr/local/cuda/{name}": text})

    found = told(tmp_path)

    assert (found or {}).get("toolkit") == version


def test_a_variable_says_where_the_toolkit_is(tmp_path):
    write_files(tmp_path, {"opt/version.json": '{"cuda": {"version": "11.8.0"}}'})

    assert told(tmp_path, CUDA_HOME=str(tmp_path / "opt")) == {
        "runtime": None,
        "cudnn": None,
        "toolkit": "11.8.0",
    }


def test_a_library_of_the_system_tells_by_the_name_that_its_link_leads_to(tmp_path):
    folder = tmp_path / "usr/lib/x86_64-linux-gnu"
    write_files(folder, {"libcudnn.so.9.1.0": ""})
    (folder / "libcudnn.so.9").symlink_to("libcudnn.so.9.1.0")

    assert told(tmp_path) == {"runtime": None, "cudnn": "9.1.0", "toolkit": None}
