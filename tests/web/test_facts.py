"""Facts as a page shows them."""

from repro.web.facts import show_facts


def test_what_is_not_there_is_left_out_and_sizes_have_units():
    facts = {
        "cpu": "one",
        "memory_bytes": 25_276_514_304,
        "cuda": None,
        "gpus": [],
        "cores": 0,
        "odd_bytes": -1,
        "other_bytes": True,
    }
    assert show_facts(facts) == {
        "cpu": "one",
        "memory": "23.5 GiB",
        "cores": 0,
        "odd_bytes": -1,
        "other_bytes": True,
    }


def test_each_of_several_parts_has_its_own_facts():
    gpus = [{"name": "A", "memory_bytes": 1 << 30}, {"name": "B", "driver": None}]
    assert show_facts({"gpus": gpus}) == {
        "gpus.0.name": "A",
        "gpus.0.memory": "1.0 GiB",
        "gpus.1.name": "B",
    }
