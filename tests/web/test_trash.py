"""The trash, as the server gives it."""

from tests.support.projects import open_here
from tests.support.records import make_record, open_at, write_runs

from repro.core.trash import find_removed, remove_runs, restore_run

A, B = "aaaaaaaaaaaa", "bbbbbbbbbbbb"


def test_what_was_removed_is_listed_until_it_is_back(repository, browse):
    write_runs(open_at(repository), [make_record(id=A, name="<b>"), make_record(id=B)])
    client = browse(repository)
    assert "The trash is empty" in client.get("/trash").text
    assert 'href="/trash"' in client.get("/").text

    project = open_here(repository)
    remove_runs(project, [A, B])
    text = client.get("/trash").text
    assert "2 removed runs" in text
    assert f'data-restore="{A}"' in text
    assert "&lt;b&gt;" in text
    assert "<code>aaaaaa</code>" in text
    only = browse(repository, is_read_only=True).get("/trash").text
    assert "data-restore" not in only

    restore_run(project, find_removed(project, A))
    fragment = client.get("/trash", headers={"x-fragment": "trashed"}).text
    assert fragment.lstrip().startswith('<div id="trashed" data-live="trashed">')
    assert f'data-restore="{B}"' in fragment
    assert A not in fragment
    assert client.get("/trash?from=7").status_code == 200
