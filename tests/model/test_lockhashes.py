"""Hashes that lock files pin."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.lockhashes import read_hashes

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
UV = f"""
[[package]]
name = "foo"
version = "1.0"
sdist = {{ url = "x", hash = "{A}" }}
wheels = [{{ url = "y", hash = "{B}" }}]

[[package]]
name = "local"
source = {{ editable = "." }}
"""
POETRY = f"""
[[package]]
name = "Foo_Bar"
version = "2.0"
files = [{{file = "foo.whl", hash = "{A}"}}, {{file = "foo.tar.gz", hash = "{B}"}}]
"""
PYLOCK = f"""
lock-version = "1.0"
[[packages]]
name = "foo"
version = "3.0"
wheels = [{{url = "x", hashes = {{sha256 = "{"a" * 64}"}}}}]
sdist = {{url = "y", hashes = {{sha256 = "{"b" * 64}"}}}}
"""
LINES = f"""
--index-url https://example.org
# foo==9.0 --hash={A}
foo[extra]==4.0 ; python_version > "3" \\
    --hash={A} \\
    --hash={B}
    # via bar
bar==1.0
baz>=1.0 --hash={A}
"""
PIPFILE = json.dumps({"default": {"foo": {"version": "==5.0", "hashes": [A]}}, "develop": {}})


def test_each_kind_of_lock_file_is_read() -> None:
    found = read_hashes(
        {
            "uv.lock": UV.encode(),
            "sub/poetry.lock": POETRY.encode(),
            "pylock.dev.toml": PYLOCK.encode(),
            "requirements.txt": LINES.encode(),
            "Pipfile.lock": PIPFILE.encode(),
        }
    )

    assert {key: set(hashes) for key, hashes in found.items()} == {
        ("foo", "1.0"): {A, B},
        ("foo-bar", "2.0"): {A, B},
        ("foo", "3.0"): {A, B},
        ("foo", "4.0"): {A, B},
        ("foo", "5.0"): {A},
    }


def test_hashes_of_several_files_are_joined() -> None:
    one, other = f"foo==1.0 --hash={A}\n", f"foo==1.0 --hash={B} --hash={A}\n"

    found = read_hashes({"requirements.txt": one.encode(), "requirements-dev.txt": other.encode()})

    assert found == {("foo", "1.0"): (A, B)}


def test_what_cannot_be_read_gives_nothing() -> None:
    broken = {
        "uv.lock": b"[[package]]\nname = 3\n[[package",
        "poetry.lock": b"package = 3",
        "pdm.lock": b"\xff",
        "Pipfile.lock": b'{"default": {"foo": 3}}',
        "environment.yml": b"a: b",
        "pylock.toml": b'[[packages]]\nname = "x"\nversion = "1"\nwheels = 3\n',
    }

    assert read_hashes(broken) == {}


names = st.sampled_from(["uv.lock", "requirements.txt", "Pipfile.lock", "pylock.toml", "x"])


@given(st.dictionaries(names, st.binary(max_size=200)))
def test_any_bytes_can_be_read(files: dict[str, bytes]) -> None:
    read_hashes(files)


@pytest.mark.parametrize(
    "line", ["a" + " " * 300_000, " " * 300_000, "a" * 300_000, "a[" * 300_000]
)
def test_no_line_takes_long(line):
    before = time.process_time()
    read_hashes({"requirements.txt": line.encode()})
    assert time.process_time() - before < 1
