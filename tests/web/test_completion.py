"""What the filter box is offered."""

from tests.support.records import make_record, open_at, write_run


def test_names_and_values_are_offered_from_where_they_begin(repository, browse):
    write_run(open_at(repository), make_record(config={"optimizer": "adam", "lr": 1}))
    client = browse(repository)

    def words(**query):
        found = client.get("/api/complete", params=query).json()["words"]
        return [(one["text"], one["start"]) for one in found]

    assert ("optimizer", 11) in words(q="lr < 1 and o", at=12)
    assert ("lr", 0) in words(q="l and x", at=1)
    assert ("finished", 9) in words(q="status = fin")


def test_odd_questions_are_answered_with_nothing_or_something_but_no_error(repository, browse):
    client = browse(repository)
    for query in ("", "q=%FF%00&at=-1", "q='&at=9999999", "q=" + "(" * 300, "at=x"):
        answer = client.get(f"/api/complete?{query}")
        assert answer.status_code == 200, query
        assert isinstance(answer.json()["words"], list)
