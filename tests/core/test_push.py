"""Runs given to a git remote: bytes first, refs last, nothing forced, no run hides another."""

import json
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from tests.support import git, make_repository, write_files
from tests.support.gitservers import PASSWORD, USER, git_daemon, git_http
from tests.support.projects import begin, make_run, open_here
from tests.support.remotes import add_hook, add_origin, make_bare, push_all, runs_of
from tests.support.servers import free_port, lfs_server

from repro.core.choosing import Choice
from repro.core.curate import set_note, tag_run
from repro.core.fold import fold_runs
from repro.core.project import Project
from repro.core.push import push_runs
from repro.core.push_plan import choose_to_push, list_new_paths, measure_push, plan_push
from repro.core.query import resolve_run
from repro.errors import RemoteError
from repro.model.sharing import Overruled
from repro.store.refs import RUNS
from repro.store.remoterefs import find_remote


@pytest.fixture
def bare(tmp_path: Path, repository: Path) -> Path:
    bare = make_bare(tmp_path / "bare.git")
    add_origin(repository, bare)
    return bare


@pytest.fixture
def project(repository: Path, bare: Path) -> Project:
    return open_here(repository)


def plan(project: Project, *names: str, **choice: str):
    remote = find_remote(project.repository.git, None, push=True)
    chosen = choose_to_push(project, names, Choice(**choice) if choice else None)
    return plan_push(project, remote, chosen)


def commit_of(project: Project, run_id: str) -> str:
    return git(project.repository.root, "rev-parse", RUNS + run_id)


def test_the_remote_has_the_very_commits_of_all_own_runs(project, bare):
    ids = [make_run(project, {"loss": 1.0}).id for _ in range(3)]

    pushed = push_all(project)

    assert sorted(pushed.new) == sorted(ids)
    assert runs_of(bare) == {run_id: commit_of(project, run_id) for run_id in ids}
    git(bare, "fsck", "--strict", "--connectivity-only")


def test_a_second_push_sends_nothing(project, bare):
    run = make_run(project)
    push_all(project)
    again = push_all(project)
    assert (again.new, again.moved, again.same) == ((), (), (run.id,))


def test_only_the_runs_that_are_named_are_pushed(project, bare):
    make_run(project, name="one")
    two = make_run(project, name="two")
    assert push_all(project, "two").new == (two.id,)
    assert list(runs_of(bare)) == [two.id]


def test_only_the_runs_that_fit_are_pushed(project, bare):
    make_run(project, {"loss": 2.0})
    good = make_run(project, {"loss": 0.1})
    assert list(plan(project, where="loss < 1").new) == [good.id]


def test_what_was_said_of_a_run_moves_it_forward(project, bare):
    run = make_run(project)
    push_all(project)
    tag_run(project, resolve_run(project, run.id), ["good"])

    pushed = push_all(project)

    assert pushed.moved == (run.id,)
    assert runs_of(bare) == {run.id: commit_of(project, run.id)}


def test_a_run_in_progress_is_named_and_not_sent(project, bare):
    live = begin(project)
    done = make_run(project)
    pushed = push_all(project, live.run.id, done.id)
    assert [(one.run, one.reason) for one in pushed.refused] == [(live.run.id, "it is in progress")]
    assert list(runs_of(bare)) == [done.id]
    assert plan(project).n_live == 1
    live.journal.close()


def test_a_damaged_run_is_named_and_hides_no_other(project, bare):
    good, bad = make_run(project), make_run(project)
    git(project.repository.root, "update-ref", RUNS + bad.id, commit_of(project, good.id))

    pushed = push_all(project)

    assert [one.run for one in pushed.refused] == [bad.id]
    assert "damaged" in pushed.refused[0].reason
    assert list(runs_of(bare)) == [good.id]


def test_a_run_of_a_newer_format_stays_here_and_is_named(project, bare):
    run = make_run(project)
    root = project.repository.root
    record = json.loads(git(root, "show", f"{RUNS}{run.id}:run.json"))
    blob = git(
        root, "hash-object", "-w", "--stdin", stdin=json.dumps({**record, "format": 999}).encode()
    )
    entries = git(root, "ls-tree", RUNS + run.id).replace(
        git(root, "rev-parse", f"{RUNS}{run.id}:run.json"), blob
    )
    tree = git(root, "mktree", stdin=f"{entries}\n".encode())
    newer = git(root, "commit-tree", tree, "-p", f"{RUNS}{run.id}^", "-m", "newer")
    git(root, "update-ref", RUNS + run.id, newer)

    pushed = push_all(project)

    assert [one.run for one in pushed.refused] == [run.id]
    assert "newer" in pushed.refused[0].reason
    assert commit_of(project, run.id) == newer
    assert runs_of(bare) == {}


def test_a_run_that_lacks_an_object_is_named_and_hides_no_other(project, bare):
    root = project.repository.root
    good = make_run(project)
    write_files(root, {"extra.bin": b"\0only in this run"})
    bad = make_run(project)
    blob = git(root, "rev-parse", f"{RUNS}{bad.id}^:extra.bin")
    remove_object(root, blob)

    pushed = push_all(project)

    assert [one.run for one in pushed.refused] == [bad.id]
    assert "an object of it is missing" in pushed.refused[0].reason
    assert list(runs_of(bare)) == [good.id]


def remove_object(root: Path, oid: str) -> None:
    """Take one object away, from packs too."""
    packs = list((root / ".git/objects/pack").glob("*.pack"))
    for pack in packs:
        data = pack.read_bytes()
        for part in pack.parent.glob(f"{pack.stem}.*"):
            part.unlink()
        git(root, "unpack-objects", "-q", stdin=data)
    (root / ".git/objects" / oid[:2] / oid[2:]).unlink()


def test_runs_that_were_only_fetched_stay_where_they_came_from(project, bare, tmp_path):
    mine = make_run(project)
    other = open_here(make_repository(tmp_path / "other"))
    add_origin_only(other.repository.root, bare)
    theirs = make_run(other)
    push_all(other)
    git(project.repository.root, "fetch", "-q", "origin",
        "refs/repro/runs/*:refs/repro/remotes/origin/*")  # fmt: skip

    assert list(plan(project).new) == [mine.id]
    assert plan(project, theirs.id).same == (theirs.id,)


def test_a_run_that_was_only_fetched_goes_to_another_remote_when_it_is_named(
    project, bare, tmp_path
):
    second = make_bare(tmp_path / "second.git")
    other = open_here(make_repository(tmp_path / "other"))
    add_origin_only(other.repository.root, bare)
    theirs = make_run(other)
    push_all(other)
    git(project.repository.root, "fetch", "-q", "origin",
        "refs/repro/runs/*:refs/repro/remotes/origin/*")  # fmt: skip

    assert push_all(project, remote=str(second)).new == ()
    assert push_all(project, theirs.id, remote=str(second)).new == (theirs.id,)
    assert list(runs_of(second)) == [theirs.id]


def add_origin_only(root: Path, bare: Path) -> None:
    git(root, "remote", "add", "origin", str(bare))


def test_another_run_with_our_id_is_never_written_over(project, bare):
    run = make_run(project)
    root = project.repository.root
    other = git(root, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "somebody else's")
    git(root, "push", "-q", "origin", f"{other}:{RUNS}{run.id}")

    pushed = push_all(project)

    assert [one.run for one in pushed.refused] == [run.id]
    assert runs_of(bare) == {run.id: other}


def test_what_two_people_said_of_a_run_is_merged_and_both_have_it(project, bare, tmp_path):
    run = make_run(project)
    push_all(project)
    second = clone_of(bare, tmp_path / "second", run.id)
    tag_run(project, resolve_run(project, run.id), ["mine"])
    tag_run(second, resolve_run(second, run.id), ["theirs"])
    push_all(project)

    pushed = push_all(second)

    assert pushed.merged == (run.id,)
    assert set(resolve_run(second, run.id).run.tags) == {"mine", "theirs"}
    assert runs_of(bare) == {run.id: commit_of(second, run.id)}
    git(bare, "merge-base", "--is-ancestor", commit_of(project, run.id), RUNS + run.id)


def test_of_two_notes_that_were_given_at_once_a_push_names_the_run(project, bare, tmp_path):
    run = make_run(project, note="before")
    push_all(project)
    second = clone_of(bare, tmp_path / "second", run.id)
    for who in (project, second):
        set_note(who, resolve_run(who, run.id), f"of {who.repository.root.name}")
    tag_run(second, resolve_run(second, run.id), ["theirs"])
    push_all(project)

    assert push_all(second).overruled == (Overruled(run.id, "note"),)


def clone_of(bare: Path, root: Path, *ids: str) -> Project:
    """Another clone, which has runs of the remote as its own."""
    git(root.parent, "clone", "-q", "-b", "main", str(bare), str(root))
    git(root, "fetch", "-q", "origin", *(f"{RUNS}{run_id}:{RUNS}{run_id}" for run_id in ids))
    return open_here(root)


def test_who_only_lags_behind_gets_what_is_new_and_sends_nothing(project, bare, tmp_path):
    run = make_run(project)
    push_all(project)
    second = clone_of(bare, tmp_path / "second", run.id)
    tag_run(second, resolve_run(second, run.id), ["theirs"])
    push_all(second)

    push_all(project)

    assert commit_of(project, run.id) == commit_of(second, run.id) == runs_of(bare)[run.id]


def test_two_who_push_the_same_run_at_once_lose_no_word(project, bare, tmp_path):
    run = make_run(project)
    push_all(project)
    second = clone_of(bare, tmp_path / "second", run.id)
    for number in range(3):
        for who, one in (("a", project), ("b", second)):
            tag_run(one, resolve_run(one, run.id), [f"{who}{number}"])
        threads = [Thread(target=push_all, args=(one,)) for one in (project, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    push_all(project)
    push_all(second)

    wanted = {f"{who}{number}" for who in "ab" for number in range(3)}
    for one in (project, second):
        assert set(resolve_run(one, run.id).run.tags) == wanted
    assert runs_of(bare) == {run.id: commit_of(second, run.id)}


def test_runs_in_an_archive_of_the_remote_are_not_sent_again(project, bare):
    runs = [make_run(project).id for _ in range(3)]
    fold_runs(project, keep=0, at_least=0, size=3)
    archives = "refs/repro/archive/*:refs/repro/archive/*"
    git(project.repository.root, "push", "-q", "origin", archives)
    assert set(push_all(project).same) == set(runs)


def test_branches_carry_the_runs_where_they_are_set_to(project, bare):
    git(project.repository.root, "config", "repro.origin.carrier", "refs/heads/repro")
    run = make_run(project)
    push_all(project)
    assert list(runs_of(bare, "refs/heads/repro")) == [run.id]
    assert push_all(project).same == (run.id,)


def test_a_remote_that_hides_such_refs_is_explained(project, bare):
    git(bare, "config", "transfer.hideRefs", "refs/repro")
    run = make_run(project)

    [refusal] = push_all(project).refused

    assert refusal.run == run.id
    assert "takes no refs under `refs/repro/`" in refusal.reason
    assert "repro.origin.carrier refs/heads/repro" in refusal.hint
    git(project.repository.root, "config", "repro.origin.carrier", "refs/heads/repro")
    assert push_all(project).new == (run.id,)


def test_a_hook_of_the_server_that_declines_one_run_hides_no_other(project, bare):
    bad, good = make_run(project), make_run(project)
    add_hook(bare, "update", f'case "$1" in *{bad.id}) echo "not this one" >&2; exit 1;; esac')

    pushed = push_all(project)

    assert pushed.new == (good.id,)
    assert "declined" in pushed.refused[0].reason
    assert "not this one" in pushed.refused[0].reason


def test_a_server_that_dies_half_way_leaves_nothing_and_the_next_push_completes(project, bare):
    run = make_run(project)
    add_hook(bare, "pre-receive", "kill -9 $PPID")
    with pytest.raises(RemoteError, match="lost half way"):
        push_all(project)
    assert runs_of(bare) == {}

    (bare / "hooks/pre-receive").unlink()
    assert push_all(project).new == (run.id,)


def test_a_server_that_dies_after_it_took_the_runs_has_them(project, bare):
    run = make_run(project)
    add_hook(bare, "post-receive", "kill -9 $PPID")
    with suppress(RemoteError):
        push_all(project)
    assert push_all(project).same == (run.id,)


def test_what_was_taken_before_the_server_went_is_told(project, bare, tmp_path):
    first, second = make_run(project), make_run(project)
    push_all(project, second.id)
    other = clone_of(bare, tmp_path / "other", second.id)
    tag_run(project, resolve_run(project, second.id), ["mine"])
    planned = plan(project)
    tag_run(other, resolve_run(other, second.id), ["theirs"])
    push_all(other)
    add_hook(bare, "post-receive", f"mv '{bare}' '{bare}.gone'")

    pushed = push_runs(project, planned)

    assert pushed.new == (first.id,)
    assert [refusal.run for refusal in pushed.refused] == [second.id]
    assert "no such repository" in pushed.refused[0].reason


def test_of_several_addresses_only_the_one_that_is_named_gets_runs(project, bare, tmp_path):
    root = project.repository.root
    run = make_run(project)
    other = make_bare(tmp_path / "other.git")
    for url in (bare, other):
        git(root, "config", "--add", "remote.origin.pushurl", str(url))

    push_all(project)
    assert (set(runs_of(bare)), runs_of(other)) == ({run.id}, {})

    git(root, "config", "--unset-all", "remote.origin.pushurl")
    git(root, "config", "--add", "remote.origin.url", str(other))
    second = make_run(project)
    push_all(project)
    assert (set(runs_of(bare)), runs_of(other)) == ({run.id, second.id}, {})


@pytest.mark.parametrize(
    ("fetching", "carrier"),
    [
        ("+refs/*:refs/*", "refs/repro"),
        ("refs/repro/*:refs/repro/*", "refs/repro"),
        ("+refs/heads/repro/*:refs/repro/*", "refs/heads/repro"),
    ],
)
def test_no_ref_here_is_set_to_what_was_sent(project, bare, fetching, carrier):
    root = project.repository.root
    run = make_run(project)
    sent = commit_of(project, run.id)
    tag_run(project, resolve_run(project, run.id), ["later"])
    later = commit_of(project, run.id)
    git(root, "update-ref", RUNS + run.id, sent)
    git(root, "config", "--add", "remote.origin.fetch", fetching)
    git(root, "config", "repro.origin.carrier", carrier)
    there = f"cd '{root}' && env -u GIT_DIR -u GIT_QUARANTINE_PATH git"
    add_hook(bare, "post-receive", f"{there} update-ref {RUNS}{run.id} {later}")

    assert push_all(project).new == (run.id,)

    assert runs_of(bare, carrier) == {run.id: sent}
    assert commit_of(project, run.id) == later


def test_a_full_disk_over_there_is_named(project, bare):
    make_run(project)
    add_hook(bare, "pre-receive", 'echo "fatal: write error: No space left on device" >&2; exit 1')
    pushed = push_all(project)
    assert "No space left on device" in pushed.refused[0].reason


def test_settings_and_hooks_of_the_user_have_no_influence(project, bare, tmp_path):
    root = project.repository.root
    run = make_run(project)
    git(root, "tag", "-am", "v1", "v1")
    settings = {
        "push.default": "matching", "push.followTags": "true", "push.gpgSign": "true",
        "push.pushOption": "ci.skip", "push.recurseSubmodules": "check", "push.negotiate": "true",
        "push.useForceIfIncludes": "true", "remote.origin.push": "+refs/heads/*:refs/heads/*",
        "remote.origin.mirror": "true",
    }  # fmt: skip
    for key, value in settings.items():
        git(root, "config", key, value)
    trace = tmp_path / "hook-ran"
    add_hook(root / ".git", "pre-push", f"touch '{trace}'; exit 1")
    git(root, "branch", "private")
    config = (root / ".git/config").read_bytes()

    assert push_all(open_here(root)).new == (run.id,)

    assert not trace.exists()
    assert git(bare, "for-each-ref", "--format=%(refname)").split() == [
        "refs/heads/main", f"{RUNS}{run.id}",
    ]  # fmt: skip
    assert (root / ".git/config").read_bytes() == config


def test_a_push_changes_nothing_of_the_users(project, bare):
    root = project.repository.root
    run = make_run(project)
    before = git(root, "for-each-ref"), git(root, "status", "--porcelain"), git(root, "reflog")
    push_all(project, run.id)
    after = git(root, "for-each-ref"), git(root, "status", "--porcelain"), git(root, "reflog")
    assert before == after


def test_what_would_be_sent_is_counted_and_named(project, bare):
    write_files(project.repository.root, {"new.bin": os.urandom(20_000)})
    make_run(project)
    planned = plan(project)

    assert 20_000 < measure_push(project, planned) < 40_000
    assert list_new_paths(project, planned) == ["new.bin"]
    assert planned.is_first
    push_runs(project, planned)
    assert not plan(project).is_first
    assert measure_push(project, plan(project)) == 0


def test_commits_that_were_never_pushed_go_along(project, bare):
    root = project.repository.root
    write_files(root, {"next.py": "print(2)\n"})
    git(root, "add", "next.py")
    git(root, "commit", "-qm", "next")
    run = make_run(project)

    push_all(project)

    assert git(bare, "rev-parse", f"{RUNS}{run.id}^") == git(root, "rev-parse", "HEAD")
    assert git(bare, "rev-parse", "main") == git(root, "rev-parse", "HEAD^")


def test_runs_are_pushed_from_a_shallow_clone(project, bare, tmp_path):
    root = project.repository.root
    for number in range(3):
        git(root, "commit", "-q", "--allow-empty", "-m", f"{number}")
    git(root, "push", "-q", "origin", "main")
    git(tmp_path, "clone", "-q", "--depth=1", "-b", "main", f"file://{bare}", "shallow")
    shallow = open_here(tmp_path / "shallow")
    run = make_run(shallow)

    assert push_all(shallow).new == (run.id,)
    assert git(bare, "rev-parse", f"{RUNS}{run.id}^") == git(root, "rev-parse", "main")


def test_a_remote_that_takes_no_gaps_tells_a_shallow_clone_what_to_do(project, bare, tmp_path):
    root = project.repository.root
    git(root, "commit", "-q", "--allow-empty", "-m", "more")
    git(root, "push", "-q", "origin", "main")
    git(tmp_path, "clone", "-q", "--depth=1", "-b", "main", f"file://{bare}", "shallow")
    shallow = open_here(tmp_path / "shallow")
    make_run(shallow)
    empty = make_bare(tmp_path / "empty.git")

    [refusal] = push_all(shallow, remote=str(empty)).refused

    assert "shallow" in refusal.reason
    assert refusal.hint == "`git fetch --unshallow` gets the rest of the history"


def test_runs_are_pushed_from_a_partial_clone_that_lacks_what_the_remote_has(
    project, bare, tmp_path
):
    root = project.repository.root
    git(bare, "config", "uploadpack.allowFilter", "true")
    write_files(root, {"old.bin": os.urandom(1000)})
    git(root, "add", "old.bin")
    git(root, "commit", "-qm", "with old")
    git(root, "rm", "-q", "old.bin")
    git(root, "commit", "-qm", "without old")
    git(root, "push", "-q", "origin", "main")
    git(tmp_path, "clone", "-q", "--filter=blob:none", "-b", "main", f"file://{bare}", "partial")
    partial = open_here(tmp_path / "partial")
    run = make_run(partial)
    lacking = git(tmp_path / "partial", "rev-list", "--objects", "--all", "--missing=print")

    planned = plan(partial)
    measure_push(partial, planned)
    assert push_runs(partial, planned).new == (run.id,)

    assert "?" in lacking
    after = git(tmp_path / "partial", "rev-list", "--objects", "--all", "--missing=print")
    assert after.count("?") == lacking.count("?")
    git(bare, "fsck", "--connectivity-only")


def test_sha256_repositories_push_too(tmp_path):
    root = tmp_path / "modern"
    root.mkdir()
    git(root, "init", "-q", "-b", "main", "--object-format=sha256")
    git(root, "commit", "-q", "--allow-empty", "-m", "first")
    bare = make_bare(tmp_path / "bare.git", "--object-format=sha256")
    add_origin(root, bare)
    run = make_run(open_here(root))

    assert push_all(open_here(root)).new == (run.id,)
    assert [len(oid) for oid in runs_of(bare).values()] == [64]


def test_a_remote_of_another_object_format_is_told(project, tmp_path):
    make_run(project)
    modern = make_bare(tmp_path / "modern.git", "--object-format=sha256")
    git(project.repository.root, "remote", "set-url", "origin", str(modern))
    with pytest.raises(RemoteError, match="object format"):
        push_all(project)


def test_runs_are_pushed_over_the_git_protocol(project, bare):
    run = make_run(project)
    with git_daemon(bare.parent) as url:
        git(project.repository.root, "remote", "set-url", "origin", f"{url}/{bare.name}")
        assert push_all(project).new == (run.id,)
    assert list(runs_of(bare)) == [run.id]


def test_a_server_that_only_gives_says_so(project, bare):
    make_run(project)
    with git_daemon(bare.parent, may_push=False) as url:
        git(project.repository.root, "remote", "set-url", "origin", f"{url}/{bare.name}")
        with pytest.raises(RemoteError, match="not yours to see"):
            push_all(project)


def test_a_password_comes_from_the_credential_helper_of_the_user(project, bare):
    root = project.repository.root
    run = make_run(project)
    with git_http(bare.parent, password=PASSWORD) as url:
        git(root, "remote", "set-url", "origin", f"{url}/{bare.name}")
        with pytest.raises(RemoteError, match="wants a user name and password") as caught:
            push_all(project)
        assert caught.value.hint
        helper = f"!f() {{ echo username={USER}; echo password={PASSWORD}; }}; f"
        git(root, "config", "credential.helper", helper)
        assert push_all(project).new == (run.id,)
    assert list(runs_of(bare)) == [run.id]


def test_a_server_that_is_gone_is_named_with_its_host(project):
    make_run(project)
    port = free_port()
    git(project.repository.root, "remote", "set-url", "origin", f"git://127.0.0.1:{port}/x")
    with pytest.raises(RemoteError, match=rf"`origin` \(127.0.0.1:{port}\): there is no conn"):
        push_all(project)


def test_three_clones_push_at_once_and_lose_nothing(project, bare, tmp_path):
    projects = [project]
    for name in ("second", "third"):
        git(tmp_path, "clone", "-q", str(bare), name)
        projects.append(open_here(tmp_path / name))
    ids = {make_run(one).id for one in projects for _ in range(2)}
    outcomes = []
    threads = [Thread(target=lambda p=one: outcomes.append(push_all(p))) for one in projects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(len(one.new) for one in outcomes) == len(ids) == 6
    assert set(runs_of(bare)) == ids


def keep_data(root: Path, store: Path | None) -> Project:
    """A project whose dataset `labels` is kept, with a store if one is given."""
    where = f"store: {store}\n" if store else ""
    write_files(root, {
        "labels.csv": "a,b\n",
        "repro.yaml": f"{where}data:\n  labels: {{path: labels.csv, keep: true}}\n",
    })  # fmt: skip
    return open_here(root)


def test_kept_bytes_that_the_store_lacks_are_known_before_the_push(project, tmp_path):
    store = tmp_path / "store"
    project = keep_data(project.repository.root, store)
    store.mkdir()
    run = make_run(project)
    planned = plan(project)
    assert planned.baggage.owners == {run.id}
    assert planned.baggage.size == 4
    assert planned.store == str(store)


def test_kept_bytes_are_sent_before_the_runs_when_that_is_asked_for(project, bare, tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    project = keep_data(project.repository.root, store)
    run = make_run(project)

    assert push_all(project, with_data=True).new == (run.id,)

    assert [path.read_bytes() for path in store.rglob("*") if path.is_file()] == [b"a,b\n"]
    assert not plan(project).baggage.runs


def test_a_run_whose_bytes_cannot_be_sent_is_kept_back_by_name(project, bare, tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    root = project.repository.root
    plain = make_run(project)
    project = keep_data(root, store)
    run = make_run(project)
    shutil.rmtree(root / ".git/repro/store")

    pushed = push_all(project, with_data=True)

    assert pushed.new == (plain.id,)
    assert [one.run for one in pushed.refused] == [run.id]
    assert list(runs_of(bare)) == [plain.id]


def test_a_store_that_is_not_there_keeps_back_only_what_needs_it(project, bare, tmp_path):
    root = project.repository.root
    plain = make_run(project)
    project = keep_data(root, tmp_path / "not" / "mounted")
    run = make_run(project)

    pushed = push_all(project, with_data=True)

    assert pushed.new == (plain.id,)
    assert [one.run for one in pushed.refused] == [run.id]


def test_a_store_that_gives_no_answer_is_no_reason_not_to_plan(project):
    project = keep_data(project.repository.root, None)
    make_run(project)
    away = replace(project.settings, store=f"http://127.0.0.1:{free_port()}/x")
    planned = plan(replace(project, settings=away))
    assert planned.store_fault
    assert planned.baggage.unsure


def test_runs_go_alone_when_nobody_asks_for_their_bytes(project, bare, tmp_path):
    project = keep_data(project.repository.root, None)
    run = make_run(project)
    planned = plan(project)
    assert planned.baggage.owners == {run.id}
    assert push_runs(project, planned).new == (run.id,)


def test_a_run_with_a_secret_is_kept_back_and_hides_no_other(project, bare):
    root = project.repository.root
    good = make_run(project)
    write_files(root, {"deploy.py": f"key = '{make_key()}'\n"})
    git(root, "add", "deploy.py")
    git(root, "commit", "-qm", "oops")
    bad = make_run(project)

    pushed = push_all(project)

    assert pushed.new == (good.id,)
    [refusal] = pushed.refused
    assert refusal.run == bad.id
    assert "`deploy.py:1`" in refusal.reason
    assert make_key() not in refusal.reason + refusal.hint
    git(root, *refusal.hint.split("`")[1].split()[1:])
    assert push_all(project).new == (bad.id,)


def make_key() -> str:
    return "AKIA" + "Q3EGTNOZ" + "YXKW5HBV"


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_large_files_of_the_code_go_to_the_lfs_server_first(project, bare, tmp_path):
    root = project.repository.root
    git(root, "lfs", "install", "--local", "--skip-repo")
    write_files(root, {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    write_files(root, {"weights.bin": os.urandom(5000)})
    git(root, "add", "-A")
    git(root, "commit", "-qm", "weights")
    run = make_run(project)

    with lfs_server(tmp_path / "lfs") as url:
        git(root, "config", "remote.origin.lfsurl", url)
        assert push_all(project).new == (run.id,)
        sent = [path for path in (tmp_path / "lfs").rglob("*") if path.is_file()]
        assert [path.read_bytes() for path in sent] == [(root / "weights.bin").read_bytes()]

    write_files(root, {"weights.bin": os.urandom(5000)})
    other = make_run(project)
    [refusal] = push_all(project).refused
    assert refusal.run == other.id
    assert "a large file of its code" in refusal.reason
    assert list(runs_of(bare)) == [run.id]
