"""The package indexes that installers are set to ask."""

from pathlib import Path

import pytest
from tests.support import write_files

from repro.model.canonical import Json
from repro.store.indexes import read_indexes

URL = "https://ada:hunter2@example.org/simple"
BARE = "https://<redacted>@example.org/simple"


def told(prefix: Path, **environ: str) -> dict[str, Json] | None:
    alone = {"PIP_CONFIG_FILE": "/dev/null", "HOME": str(prefix / "home")}
    return read_indexes(prefix=str(prefix), environ={**alone, **environ})


def test_where_nothing_is_set_there_is_none(tmp_path):
    assert told(tmp_path) is None


@pytest.mark.parametrize("name", ["PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX"])
def test_variables_tell_without_credentials(tmp_path, name):
    assert told(tmp_path, **{name: URL}) == {"default": BARE, "extra": []}


def test_further_indexes_are_told(tmp_path):
    found = told(
        tmp_path, UV_INDEX=f"mine={URL} https://b.org/x", PIP_EXTRA_INDEX_URL="https://c.org"
    )

    assert found == {"default": None, "extra": [BARE, "https://b.org/x", "https://c.org"]}


@pytest.mark.parametrize("where", ["pip.conf", "home/.config/pip/pip.conf", "home/.pip/pip.conf"])
def test_files_of_pip_tell(tmp_path, where):
    extra = f"extra-index-url =\n    https://b.org\n    {URL}\n"
    text = f"[global]\ntimeout = 3\nindex-url = {URL}\n{extra}"
    write_files(tmp_path, {where: text})

    assert told(tmp_path) == {"default": BARE, "extra": ["https://b.org", BARE]}


def test_a_variable_wins_over_a_file_and_the_nearest_file_over_others(tmp_path):
    write_files(
        tmp_path,
        {
            "pip.conf": "[global]\nindex-url = https://near.org\n",
            "home/.pip/pip.conf": "[global]\nindex-url = https://far.org\n",
        },
    )

    assert told(tmp_path) == {"default": "https://near.org", "extra": []}
    assert told(tmp_path, PIP_INDEX_URL="https://v.org") == {
        "default": "https://v.org",
        "extra": [],
    }


def test_a_file_that_cannot_be_read_tells_nothing(tmp_path):
    (tmp_path / "pip.conf").mkdir()

    assert told(tmp_path, PIP_CONFIG_FILE="/absent\0") is None
