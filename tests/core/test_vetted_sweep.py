"""A sweep from elsewhere is looked at before it is taken in; a bad one hides no other."""

from pathlib import Path

import pytest
from tests.support import git
from tests.support.clones import Team, project_at
from tests.support.remotes import push_all
from tests.support.sweeps import ask, make_sweep, tell

from repro.core.fetch import fetch_runs
from repro.core.project import Project, who_am_i
from repro.core.sweep.book import LocalBook
from repro.model.ids import new_id
from repro.model.sharing import Refusal
from repro.store.quarantine import CommitSpec, Existing, open_quarantine, publish, write_commits
from repro.store.refs import SWEEPS, RefUpdate, read_ref
from repro.store.remoterefs import find_remote
from repro.store.sweepentries import format_page


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def forge(project: Project, sweep_id: str, files: dict[str, bytes], *parents: str) -> str:
    """Put a commit with other files on top of a sweep, and on the hub."""
    git_ = project.repository.git
    before = read_ref(git_, SWEEPS + sweep_id)
    assert before is not None
    base = git_.text("rev-parse", f"{before}^1")
    listed = git_.text("ls-tree", "-r", before).splitlines()
    rest = {line.split("\t")[1]: line.split() for line in listed}
    kept = {path: Existing(words[0], words[2]) for path, words in rest.items()}
    spec = CommitSpec(
        message="x\n",
        when=1,
        author=who_am_i(project),
        parents=list(parents) or [base, before],
        files={**kept, **files},
    )
    with open_quarantine(project.repository) as quarantine:
        [commit] = write_commits(quarantine, [spec])
        update = RefUpdate(SWEEPS + sweep_id, new=commit, old=before)
        publish(quarantine, tips=[commit], exclude=[before], refs=[update])
    git(project.repository.root, "push", "-qf", "origin", f"{SWEEPS}*:{SWEEPS}*")
    return commit


def refusals(project: Project) -> tuple[Refusal, ...]:
    fetched = fetch_runs(project, find_remote(project.repository.git, None))
    return fetched.refused


def test_bad_sweeps_are_refused_one_by_one_and_a_good_one_comes(team: Team):
    ada, bob = project_at(team.clone("ada")), project_at(team.clone("bob"))
    ids = [make_sweep(ada).sweep.id for _ in range(7)]
    good, odd, entry, spec, other, code, page = ids
    forge(ada, odd, {"run.sh": b"rm -rf ~\n"})
    forge(ada, entry, {"journal/000000.jsonl": b'{"k":"tell","n":-1}\n'})
    forge(ada, spec, {"sweep.json": b'{"format": 1, "id": "../../x"}\n'})
    text = git(ada.repository.root, "show", f"{SWEEPS}{good}:sweep.json").encode() + b"\n"
    forge(ada, other, {"sweep.json": text})
    head = git(ada.repository.root, "rev-parse", "HEAD")
    forge(ada, code, {}, head, head)
    forge(ada, page, {"journal/000001.jsonl": b'{"k":"beat","by":"aaaaaaaaaaaa","t":1}\n'})
    refused = {one.run: one for one in refusals(bob)}
    assert sorted(refused) == sorted(ids[1:])
    assert {one.kind for one in refused.values()} == {"sweep"}
    told = [refused[one].reason for one in (odd, entry, spec, other, code, page)]
    wanted = ["run.sh", "000000.jsonl", "sweep.json", "another sweep", "code", "journal"]
    assert [word for word, text in zip(wanted, told, strict=True) if word not in text] == []
    assert read_ref(bob.repository.git, SWEEPS + good) is not None
    assert read_ref(bob.repository.git, SWEEPS + odd) is None


def test_what_runs_is_what_was_shown_and_params_are_of_the_space(team: Team):
    ada, bob = project_at(team.clone("ada")), project_at(team.clone("bob"))
    command, word, extra, number = (make_sweep(ada).sweep.id for _ in range(4))
    text = git(ada.repository.root, "show", f"{SWEEPS}{command}:sweep.json")
    forged = text.replace('"python"', '"sh"').encode() + b"\n"
    forge(ada, command, {"sweep.json": forged})
    for sweep_id, params in (
        (word, {"lr": "; rm -rf ~"}),
        (extra, {"lr": 0.1, "trainer._target_": "os.system"}),
        (number, {"lr": 0.3}),
    ):
        page = format_page([ask(0, new_id(ada.entropy), params=params)])
        forge(ada, sweep_id, {"journal/000000.jsonl": page})
    refused = {one.run: one.reason for one in refusals(bob)}
    assert "another command than what it starts from" in refused[command]
    for sweep_id in (word, extra, number):
        assert "trial 0 has params that its space does not have" in refused[sweep_id]


def test_what_a_sweep_is_never_changes_and_no_result_of_it_goes(team: Team):
    ada, bob = project_at(team.clone("ada")), project_at(team.clone("bob"))
    one, two = make_sweep(ada).sweep.id, make_sweep(ada).sweep.id
    run = new_id(ada.entropy)
    LocalBook(ada, two).write(lambda _: [ask(0, run), tell(0, run)])
    push_all(ada)
    assert refusals(bob) == ()
    before = {sweep: read_ref(bob.repository.git, SWEEPS + sweep) for sweep in (one, two)}
    text = git(ada.repository.root, "show", f"{SWEEPS}{one}:sweep.json")
    forge(ada, one, {"sweep.json": text.encode() + b"\n\n"})
    forge(ada, two, {"journal/000000.jsonl": b'{"k":"beat","by":"aaaaaaaaaaaa","t":1}\n'})
    refused = {refusal.run: refusal.reason for refusal in refusals(bob)}
    assert "another sweep under this id" in refused[one]
    assert "dropped the result of trial 0" in refused[two]
    assert {sweep: read_ref(bob.repository.git, SWEEPS + sweep) for sweep in before} == before
