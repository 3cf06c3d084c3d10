"""The bytes of artifacts: those of their digests, or none."""

import hashlib

import pytest
from tests.support.projects import begin, open_here
from tests.support.records import make_record, open_at, write_run

from repro.core.artifactfiles import open_artifact, read_artifact
from repro.errors import DamagedRecordError, MissingDataError
from repro.model.run import Artifact
from repro.store.content import ContentStore

DATA = b"weights"


def kept(where: str, data: bytes = DATA) -> Artifact:
    return Artifact("out/w.bin", len(data), f"sha256:{hashlib.sha256(data).hexdigest()}", where)


def write(repository, artifact, data=DATA):
    files = {f"artifacts/{artifact.path}": data} if artifact.where == "git" else {}
    return write_run(open_at(repository), make_record(artifacts=(artifact,)), files=files)


def test_a_beginning_is_no_longer_than_asked(repository):
    record = write(repository, kept("git"))
    project = open_here(repository)

    for limit, expected in ((0, b""), (3, b"wei"), (100, DATA)):
        assert read_artifact(project, record, kept("git"), limit) == expected


def test_bytes_in_the_content_store_are_those(repository):
    record = write(repository, kept("store"))
    project = open_here(repository)
    with pytest.raises(MissingDataError, match=r"out/w\.bin"):
        open_artifact(project, record, kept("store"))
    ContentStore(project.store).put_bytes(DATA)

    assert b"".join(open_artifact(project, record, kept("store"))) == DATA


def test_bytes_that_are_not_of_the_digest_are_given_to_nobody(repository):
    record = write(repository, kept("git"), data=b"others")

    with pytest.raises(DamagedRecordError, match="not those of its digest"):
        open_artifact(open_here(repository), record, kept("git"))


def test_a_run_in_progress_has_its_bytes_in_its_folder(repository):
    project = open_here(repository)
    live = begin(project)
    artifact = kept("git")
    record = make_record(id=live.id, status="running", artifacts=(artifact,))
    with pytest.raises(MissingDataError):
        open_artifact(project, record, artifact)
    folder = live.dir / "artifacts"
    folder.mkdir(exist_ok=True)
    (folder / artifact.digest.removeprefix("sha256:")).write_bytes(DATA)

    assert read_artifact(project, record, artifact, 100) == DATA
    live.journal.close()
