"""The digest of an environment."""

import pytest

from repro.model.environment import environment_digest

ENVIRONMENT = {
    "interpreter": {
        "implementation": "cpython",
        "version": "3.11.9",
        "abi": "cpython-311-x86_64-linux-gnu",
        "executable": "/a/bin/python",
        "prefix": "/a",
    },
    "platform": {"system": "Linux", "machine": "x86_64", "release": "6.1"},
    "packages": {"digest": "sha256:1", "count": 0, "list": []},
}


def test_the_digest_is_a_sha256_that_stays_the_same():
    expected = "sha256:8a190c903a572c0b444aaea06551cc1e125e335e45d486e274b81b4898a35b1a"
    assert environment_digest(ENVIRONMENT) == expected


@pytest.mark.parametrize(
    ("part", "key"),
    [
        ("interpreter", "implementation"),
        ("interpreter", "version"),
        ("interpreter", "abi"),
        ("platform", "system"),
        ("platform", "machine"),
        ("packages", "digest"),
    ],
)
def test_what_decides_the_loaded_code_is_in_the_digest(part: str, key: str):
    other = {**ENVIRONMENT, part: {**ENVIRONMENT[part], key: "other"}}
    assert environment_digest(other) != environment_digest(ENVIRONMENT)


@pytest.mark.parametrize(
    ("part", "key"), [("interpreter", "prefix"), ("platform", "release"), ("hardware", "cpu")]
)
def test_where_it_lies_and_what_it_runs_on_is_not(part: str, key: str):
    other = {**ENVIRONMENT, part: {**ENVIRONMENT.get(part, {}), key: "other"}}
    assert environment_digest(other) == environment_digest(ENVIRONMENT)


@pytest.mark.parametrize("value", [{}, {"interpreter": []}, {"packages": None, "platform": "x"}])
def test_a_record_that_says_nothing_has_a_digest(value: dict):
    assert environment_digest(value) == environment_digest({})
