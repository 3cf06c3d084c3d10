"""Two codes compared, file by file."""

from tests.support import git, write_files
from tests.support.projects import open_here

from repro.core import codediff
from repro.core.codediff import read_code_diff


def commit(root, files, *, gone=()) -> str:
    write_files(root, files)
    for name in gone:
        (root / name).unlink()
    git(root, "add", "-A")
    git(root, "commit", "-qm", "x")
    return git(root, "rev-parse", "HEAD")


def test_each_file_has_its_kind_and_how_many_lines_differ(repository):
    many = "".join(f"line {n}\n" for n in range(20))
    a = commit(repository, {"keep": "1\n", "old": many, "gone": "x\n", "odd\n\"'é:(x)": "1\n"})
    files = {"keep": "1\n2\n", "new": f"{many}more\n", "bin": b"\0", "odd\n\"'é:(x)": "2\n"}
    b = commit(repository, files, gone=["old", "gone"])
    diff = read_code_diff(open_here(repository), a, b)

    assert {(one.path, one.old_path, one.status, one.added, one.removed) for one in diff.files} == {
        ("bin", "bin", "A", None, None),
        ("gone", "gone", "D", 0, 1),
        ("keep", "keep", "M", 1, 0),
        ("new", "old", "R", 1, 0),
        ("odd\n\"'é:(x)",) * 2 + ("M", 1, 1),
    }
    assert diff.hunks.keys() == set(range(5))
    by_path = {one.path: diff.hunks[n] for n, one in enumerate(diff.files)}
    assert [line.text for hunk in by_path["odd\n\"'é:(x)"] for line in hunk.lines] == ["1", "2"]
    assert by_path["bin"] == ()
    assert (diff.added, diff.removed) == (3, 2)


def test_a_file_of_a_million_lines_is_shown_in_part(repository):
    a = git(repository, "rev-parse", "HEAD")
    b = commit(repository, {"a": "\n" * 1_000_000})
    diff = read_code_diff(open_here(repository), a, b, only=0)

    assert diff.added == 1_000_000
    assert 19_000 < sum(len(hunk.lines) for hunk in diff.hunks[0]) <= codediff.LONGEST


def test_what_fits_is_shown_and_one_file_alone_is_always(repository, monkeypatch):
    monkeypatch.setattr(codediff, "MOST_LINES", 5)
    a = git(repository, "rev-parse", "HEAD")
    b = commit(repository, {"a": "1\n" * 9, "b": "1\n", "c": "1\n" * 4})
    project = open_here(repository)

    assert read_code_diff(project, a, b).hunks.keys() == {1, 2}
    assert read_code_diff(project, a, b, only=0).hunks.keys() == {0}
    assert len(read_code_diff(project, a, b, only=0).hunks[0][0].lines) == 9


def test_of_very_many_files_the_first_are_counted_and_all_are_told(repository, monkeypatch):
    a = commit(repository, {"old": "".join(f"line {n}\n" for n in range(20)), "z": "1\n"})
    files = {"a*": "1\n", "ab": "2\n", "z": "2\n"}
    (repository / "old").rename(repository / "b")
    b = commit(repository, files)
    whole = read_code_diff(open_here(repository), a, b)
    monkeypatch.setattr(codediff, "_MOST_COUNTED", 3)
    part = read_code_diff(open_here(repository), a, b)
    monkeypatch.setattr(codediff, "_MOST_NAMES", 4)
    few = read_code_diff(open_here(repository), a, b)

    assert [one.path for one in whole.files] == ["a*", "ab", "b", "z"]
    assert (part.files, part.n_files) == (whole.files[:3], 4)
    assert part.hunks == {n: whole.hunks[n] for n in range(3)}
    assert (few.files, few.n_files) == (whole.files[:1], 4)


def test_equal_codes_have_no_files(repository):
    a = git(repository, "rev-parse", "HEAD")

    assert read_code_diff(open_here(repository), a, a).files == ()


def test_a_file_of_another_type_is_removed_and_added(repository):
    a = commit(repository, {"x": "text\n", "y": "1\n"})
    (repository / "x").unlink()
    (repository / "x").symlink_to("y")
    b = commit(repository, {"y": "2\n"})
    diff = read_code_diff(open_here(repository), a, b)

    assert [one.status for one in diff.files] == ["T", "M"]
    assert [line.text for hunk in diff.hunks[0] for line in hunk.lines][:2] == ["text", "y"]
    assert [line.text for hunk in diff.hunks[1] for line in hunk.lines] == ["1", "2"]
