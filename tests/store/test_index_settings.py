"""Which indexes the user has set."""

from pathlib import Path

from repro.store.index_settings import PYPI, read_index_settings


def test_nothing_set_is_pypi(tmp_path: Path) -> None:
    found = read_index_settings({"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"})

    assert found.indexes == (PYPI,)
    assert found.find_links == ()


def test_files_of_pip_are_read_from_the_weakest_to_the_strongest(tmp_path: Path) -> None:
    for place, text in {
        "xdg/pip/pip.conf": "[global]\nindex-url = https://weak.example/simple\n",
        "home/.config/pip/pip.conf": (
            "[global]\nindex-url = https://user.example/simple\n"
            "extra-index-url =\n    https://a.example\n    https://b.example\n"
            "[install]\nfind-links = /links\n"
        ),
        "own.conf": "nonsense",
    }.items():
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    environ = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_DIRS": str(tmp_path / "xdg")}

    found = read_index_settings({**environ, "PIP_CONFIG_FILE": str(tmp_path / "own.conf")})

    assert found.indexes[0] == "https://user.example/simple"
    assert found.indexes[1:] == ("https://a.example", "https://b.example")
    assert found.find_links == ("/links",)


def test_variables_win_over_files_and_those_of_uv_over_those_of_pip(tmp_path: Path) -> None:
    environ = {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": "https://pip.example",
        "PIP_EXTRA_INDEX_URL": "https://extra.example",
        "UV_DEFAULT_INDEX": "main=https://uv.example",
        "UV_INDEX": "one=https://one.example https://two.example",
        "UV_FIND_LINKS": "/a,/b",
        "PIP_FIND_LINKS": "/c /a",
    }

    found = read_index_settings(environ)

    assert found.indexes == (
        "https://uv.example",
        "https://one.example",
        "https://two.example",
        "https://extra.example",
    )
    assert found.find_links == ("/a", "/b", "/c")


def test_no_index_leaves_the_links(tmp_path: Path) -> None:
    environ = {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/c"}

    assert read_index_settings(environ).indexes == ()
    assert read_index_settings(environ).find_links == ("/c",)
