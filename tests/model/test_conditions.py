from pathlib import Path

import pytest

from repro.model.conditions import list_redacted, local_path, packages_of
from repro.model.secrets import redact_argv


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (("python", "train.py"), []),
        (("python", "--api-key", "k"), ["--api-key"]),
        (("python", "--api-key=k"), ["--api-key"]),
        (("env", "HF_TOKEN=k", "python"), ["HF_TOKEN"]),
        (("wandb", "login", "k" * 40), ["argument 2"]),
        (("curl", "https://u:p@example.org/?a=b"), ["argument 1"]),
        (("sh", "-c", "X_TOKEN=k python t.py"), ["X_TOKEN"]),
        (("a", "--token", "k", "--token", "l"), ["--token"]),
    ],
)
def test_what_was_redacted_is_named_as_the_user_would_give_it(command, names):
    assert list_redacted(redact_argv(command)) == names


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///a/b%20c", Path("/a/b c")),
        ("https://example.org/a", None),
        ("file:relative", None),
        ("file://[", None),
        ("file:///a%00b", None),
        ("", None),
    ],
)
def test_only_an_absolute_file_url_is_a_path(url, path):
    assert local_path(url) == path


@pytest.mark.parametrize("packages", [None, 3, {}, {"list": 3}, {"list": [3, {}, {"name": 3}]}])
def test_what_is_no_list_of_packages_has_none(packages):
    assert packages_of({"packages": packages}) == {}
