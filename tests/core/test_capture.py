"""What a snapshot leaves out is listed, however much it is."""

from repro.core.capture import fold_omitted
from repro.model.run import Omitted


def test_few_files_are_listed_one_by_one() -> None:
    found = [Omitted("b/x", 1, "too large"), Omitted("a", None, "unreadable")]

    assert fold_omitted(found[::-1]) == tuple(found[::-1])


def test_many_files_are_listed_by_folder_and_reason_the_deepest_first() -> None:
    deep = [Omitted(f"data/train/{n}.png", 2, "total too large") for n in range(5)]
    others = [
        Omitted("data/.env", 3, "looks secret"),
        Omitted("data/train/lost", None, "unreadable"),
        Omitted("model.pt", 9, "too large"),
    ]

    assert fold_omitted([*others, *deep], most=4) == (
        Omitted("data/.env", 3, "looks secret"),
        Omitted("data/train/", 10, "total too large"),
        Omitted("data/train/lost", None, "unreadable"),
        Omitted("model.pt", 9, "too large"),
    )


def test_however_many_there_are_a_record_stays_small() -> None:
    apart = [Omitted(f"{n}/{n}/x", 1, "too large") for n in range(50)]
    at_the_top = [Omitted(f"{n}.pt", 1, "too large") for n in range(50)]

    assert fold_omitted(apart, most=10) == (Omitted("./", 50, "too large"),)
    assert fold_omitted(at_the_top, most=10) == (Omitted("./", 50, "too large"),)
