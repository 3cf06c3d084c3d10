"""Trees are looked at once, however many runs have them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hostile.making import FILE, FOLDER, Maker
from tests.support import git

from repro.errors import DamagedRecordError
from repro.store.git import open_repository
from repro.store.objects import open_objects
from repro.store.objects_catfile import LARGEST, CatFileObjects
from repro.store.treecheck import TreeCheck, find_large


class Counting(CatFileObjects):
    """Counts what is read."""

    n_reads = 0

    def read(self, oid: str, *, limit: int = LARGEST) -> tuple[str, bytes]:
        self.n_reads += 1
        return super().read(oid, limit=limit)


@pytest.fixture
def objects(repository: Path) -> Iterator[Counting]:
    objects = Counting(open_repository(repository, os.environ).git)
    yield objects
    objects.close()


@pytest.fixture
def maker(repository: Path) -> Maker:
    return Maker(repository / ".git/objects", git(repository, "rev-parse", "HEAD"))


def test_a_tree_is_read_once_for_all_who_have_it(objects: Counting, maker: Maker) -> None:
    inner = maker.tree([(FILE, b"a", maker.hello)])
    tops = [maker.tree([(FOLDER, b"%d" % n, inner), (FOLDER, b"z", inner)]) for n in range(9)]
    maker.flush()
    check = TreeCheck(objects, size_of=lambda _: 10)
    facts = [check.check(top, "the code") for top in tops]
    assert objects.n_reads == len(tops) + 1
    assert {(one.files, one.size, one.depth, one.longest) for one in facts} == {(2, 20, 2, 3)}


def test_a_fault_is_named_by_its_path_in_each_tree(objects: Counting, maker: Maker) -> None:
    bad = maker.tree([(FILE, b"..", maker.hello)])
    tops = [maker.tree([(FOLDER, name, bad)]) for name in (b"one", b"two")]
    maker.flush()
    check = TreeCheck(objects, size_of=lambda _: None)
    for top, path in zip(tops, ("one/..", "two/.."), strict=True):
        with pytest.raises(DamagedRecordError, match=f"`{path}` in the code leads out"):
            check.check(top, "the code")


def test_what_is_away_is_no_fault_where_it_may_be(objects: Counting, maker: Maker) -> None:
    top = maker.tree([(FOLDER, b"gone", "12" * 20), (FILE, b"here", maker.hello)])
    maker.flush()
    allowing = TreeCheck(objects, size_of=lambda _: None, is_away=lambda _: True)
    assert allowing.check(top, "the code").files == 1
    with pytest.raises(DamagedRecordError, match="`gone` in the code is missing"):
        TreeCheck(objects, size_of=lambda _: None).check(top, "the code")


def test_files_of_a_usual_size_are_not_large(repository: Path) -> None:
    found = open_repository(repository, os.environ).git
    assert find_large(found, git(repository, "rev-parse", "HEAD^{tree}")) is None


def test_of_a_tree_that_lacks_a_part_nothing_is_large(repository: Path, maker: Maker) -> None:
    top = maker.tree([(FOLDER, b"gone", "12" * 20)])
    maker.flush()
    assert find_large(open_repository(repository, os.environ).git, top) is None


def test_a_reader_of_many_objects_gives_the_same(repository: Path, maker: Maker) -> None:
    top = maker.tree([(FILE, b"a", maker.hello), (FILE, b"b", maker.hello)])
    maker.flush()
    many = open_objects(open_repository(repository, os.environ), many=True)
    assert TreeCheck(many, size_of=lambda _: None).check(top, "the code").files == 2
    many.close()
