"""Of all names those are told that somebody may have meant."""

import pytest

from repro.model.nearest import nearest_names, say_meant


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("lrr", ["lr"]),
        ("LR", ["lr", "optim.lr"]),
        ("droput", ["dropout"]),
        ("wd", ["optim.wd"]),
        ("optim", ["optim.lr", "optim.wd"]),
        ("vall/loss", ["val/loss"]),
        ("loss", ["val/loss"]),
        ("nothing_like_it", []),
        ("", []),
        ("x" * 10_000, []),
    ],
)
def test_the_nearest_names_are_the_likeliest_ones(text, near):
    known = ["dropout", "lr", "optim.lr", "optim.wd", "val/loss", "y" * 10_000]

    assert nearest_names(text, known) == near


def test_there_are_at_most_a_few():
    known = [f"layer{number}.width" for number in range(50)]

    assert len(nearest_names("width", known)) == 3
    assert nearest_names("layer7.widht", known)[0] == "layer7.width"


def test_the_right_one_of_very_many_is_found():
    known = [f"metric_{number}" for number in range(100_000)]

    assert "metric_4711" in nearest_names("metric_4711a", known)
    assert "metric_4711" in nearest_names("mteric_4711", known)


def test_a_message_ends_in_what_may_have_been_meant():
    assert say_meant("lrr", ["lr"]) == "; did you mean `lr`?"
    assert say_meant("lr", ["a.lr", "lr\x1b"]) == "; did you mean `a.lr` or `lr\\x1b`?"
    assert say_meant("lr", []) == ""
