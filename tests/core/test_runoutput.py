"""The end of an output, and all of it."""

import hashlib

from tests.support.projects import begin, end, open_here
from tests.support.records import make_record, open_at, write_run

from repro.core.query import resolve_run
from repro.core.runoutput import open_output, read_output_end
from repro.model.output import LIMIT, cut_output
from repro.store.content import ContentStore


def test_a_whole_output_is_known_as_such(repository):
    record = write_run(open_at(repository), make_record(), files={"output.log": b"a\n 1%\r 2%\nb"})
    project = open_here(repository)
    found = read_output_end(project, record, 10)

    assert (found.lines, found.size, found.is_whole) == (("a", " 2%", "b"), 11, True)
    assert read_output_end(project, record, 2).lines == (" 2%", "b")
    assert not read_output_end(project, record, 2).is_whole


def test_of_an_output_that_was_cut_the_store_has_all(repository):
    project = open_here(repository)
    whole = b"".join(b"line %d\n" % n for n in range(LIMIT // 10))
    digest = f"sha256:{hashlib.sha256(whole).hexdigest()}"
    files = {"output.log": cut_output(whole, LIMIT, digest)}
    record = write_run(open_at(repository), make_record(), files=files)

    assert read_output_end(project, record, 5).size == len(whole)
    assert b"bytes left out" in b"".join(open_output(project, record))
    ContentStore(project.store).put_bytes(whole)
    assert b"".join(open_output(project, record)) == whole


def test_a_run_that_printed_nothing_has_an_empty_output(repository):
    project = open_here(repository)
    live = begin(project)
    running = resolve_run(project, live.id)
    record = write_run(open_at(repository), make_record())

    for one in (running, record):
        assert read_output_end(project, one, 5).lines == ()
        assert b"".join(open_output(project, one)) == b""
    end(live, repository)
