import os

import pytest

from repro.store.ownership import note_own, read_own

ID, OTHER = "a23456789012", "b23456789012"
COMMIT, SECOND = "1" * 40, "2" * 40


def test_what_was_noted_is_known(tmp_path):
    note_own(tmp_path, ID, COMMIT)
    note_own(tmp_path, OTHER, SECOND)

    assert read_own(tmp_path, ID) == {COMMIT}


def test_each_attempt_of_a_run_is_known(tmp_path):
    note_own(tmp_path, ID, COMMIT)
    note_own(tmp_path, ID, SECOND)

    assert read_own(tmp_path, ID) == {COMMIT, SECOND}


def test_nothing_is_known_where_nothing_was_noted(tmp_path):
    assert read_own(tmp_path, ID) == frozenset()


@pytest.mark.parametrize("name", ["", "../x", "*", ID[:6], f"{ID}\n"])
def test_a_name_that_is_no_id_is_nobodys(tmp_path, name):
    note_own(tmp_path, ID, COMMIT)

    assert read_own(tmp_path, name) == frozenset()


def test_the_file_is_for_its_user_only(tmp_path):
    note_own(tmp_path, ID, COMMIT)

    [place] = (tmp_path / "own").iterdir()
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_may_write_says_nothing(tmp_path):
    note_own(tmp_path, ID, COMMIT)
    (tmp_path / "own" / str(os.geteuid())).chmod(0o666)

    assert read_own(tmp_path, ID) == frozenset()


def test_a_link_in_its_place_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(f"{ID} {COMMIT}\n")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / str(os.geteuid())).symlink_to(elsewhere)
    note_own(tmp_path, OTHER, SECOND)

    assert read_own(tmp_path, ID) == frozenset()
    assert elsewhere.read_text() == f"{ID} {COMMIT}\n"


def test_a_line_cut_short_spoils_no_other(tmp_path):
    note_own(tmp_path, ID, COMMIT)
    with (tmp_path / "own" / str(os.geteuid())).open("a") as file:
        file.write(f"{OTHER} 22")
    note_own(tmp_path, OTHER, SECOND)

    assert read_own(tmp_path, ID) == {COMMIT}
    assert SECOND in read_own(tmp_path, OTHER)


def test_a_place_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "own").write_text("a file where the folder belongs")

    note_own(tmp_path, ID, COMMIT)

    assert read_own(tmp_path, ID) == frozenset()
