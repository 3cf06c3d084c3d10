"""Who vouches for a run can be checked, and a key that is not at hand stands in nobody's way."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.test_reconcile import merge_refs, two_sides
from tests.support import git
from tests.support.projects import make_run, open_here
from tests.support.signing import allow_key, use_ssh_key

from repro.core.autosign import sign_sealed
from repro.core.curate import tag_run
from repro.core.query import resolve_run
from repro.core.signatures import check_signatures, describe_signature, sign_run
from repro.core.trust import is_own
from repro.errors import GitError
from repro.store import signing
from repro.store.refs import RUNS


@pytest.fixture
def key(repository: Path, tmp_path: Path) -> Path:
    """An ssh key that the repository signs with and knows."""
    made = use_ssh_key(repository, tmp_path)
    allow_key(repository, made)
    return made


def state(repository: Path, run_id: str) -> str:
    [found] = check_signatures(open_here(repository), [run_id])
    return found.state


def tip(repository: Path, run_id: str) -> str:
    return git(repository, "rev-parse", RUNS + run_id)


def test_a_signed_run_has_the_same_record_on_top_of_the_same_commit(
    repository: Path, key: Path
) -> None:
    project = open_here(repository)
    run = make_run(project, {"loss": 0.5})
    before = tip(repository, run.id)
    assert sign_run(project, run.id)
    after = tip(repository, run.id)
    assert git(repository, "log", "-1", "--format=%P", after).split() == [run.snapshot, before]
    assert git(repository, "diff", before, after) == ""
    git(repository, "verify-commit", after)
    [found] = check_signatures(project, [run.id])
    assert (found.state, found.signers, found.commit) == ("good", ("ada@example.org",), after)
    assert is_own(project, resolve_run(project, run.id))


def test_a_run_that_is_signed_is_not_signed_again(repository: Path, key: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    sign_run(project, run.id)
    before = tip(repository, run.id)
    assert not sign_run(project, run.id)
    assert tip(repository, run.id) == before


def test_a_run_is_signed_at_its_end_only_where_that_is_set(repository: Path, key: Path) -> None:
    run = make_run(open_here(repository))
    assert sign_sealed(open_here(repository), run.id) is None
    assert state(repository, run.id) == "none"
    git(repository, "config", "repro.sign", "true")
    assert sign_sealed(open_here(repository), run.id) is None
    assert state(repository, run.id) == "good"


def test_whoever_signs_runs_signs_what_they_say_of_them(repository: Path, key: Path) -> None:
    run = make_run(open_here(repository))
    git(repository, "config", "repro.sign", "true")
    project = open_here(repository)
    tag_run(project, resolve_run(project, run.id), ["good"])
    assert state(repository, run.id) == "good"


def test_what_is_said_of_a_signed_run_by_others_is_not_vouched_for(
    repository: Path, key: Path
) -> None:
    project = open_here(repository)
    run = make_run(project)
    sign_run(project, run.id)
    tag_run(project, resolve_run(project, run.id), ["good"])
    assert state(repository, run.id) == "none"


def test_a_key_that_nobody_is_named_for_is_unknown(repository: Path, tmp_path: Path) -> None:
    use_ssh_key(repository, tmp_path)
    project = open_here(repository)
    run = make_run(project)
    sign_run(project, run.id)
    assert state(repository, run.id) == "unknown key"
    allow_key(repository, use_ssh_key(repository, tmp_path, name="other"))
    assert state(repository, run.id) == "unknown key"


def test_a_signature_on_other_content_is_bad(repository: Path, key: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    sign_run(project, run.id)
    payload = git(repository, "cat-file", "commit", RUNS + run.id)
    forged = payload.replace("Repro-Status: finished", "Repro-Status: failed") + "\n"
    words = ("hash-object", "-t", "commit", "-w", "--stdin")
    commit = git(repository, *words, stdin=forged.encode())
    git(repository, "update-ref", RUNS + run.id, commit)
    assert state(repository, run.id) == "bad"


def test_a_merge_is_vouched_for_by_those_of_both_sides(repository: Path, key: Path) -> None:
    git(repository, "config", "repro.sign", "true")
    project = open_here(repository)
    run = make_run(project)
    tips = two_sides(
        project,
        run,
        lambda record: tag_run(project, record, ["a"]),
        lambda record: tag_run(project, record, ["b"]),
    )
    merged = merge_refs(project, run.id, tips[1], tips[0])
    assert state(repository, run.id) == "good"
    words = ("-p", f"{merged}^1", "-p", f"{merged}^2", "-p", f"{merged}^3")
    forged = git(repository, "commit-tree", f"{tips[0]}^{{tree}}", *words, "-m", "merged")
    git(repository, "update-ref", RUNS + run.id, forged)
    assert state(repository, run.id) == "none"


def test_a_merge_with_a_side_that_nobody_signed_is_not_vouched_for(
    repository: Path, key: Path
) -> None:
    project = open_here(repository)
    run = make_run(project)
    tips = two_sides(
        project,
        run,
        lambda record: sign_run(project, run.id),
        lambda record: tag_run(project, record, ["b"]),
    )
    merge_refs(project, run.id, tips[1], tips[0])
    [found] = check_signatures(project, [run.id])
    assert (found.state, found.signers) == ("none", ("ada@example.org",))


def test_a_run_that_is_gone_has_no_answer_and_the_others_have(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project)
    found = check_signatures(project, ["k3f9zq7d2m4x", run.id])
    assert [(one.run, one.state) for one in found] == [(run.id, "none")]


def test_a_locked_key_is_a_reason_and_asks_nobody(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    use_ssh_key(repository, tmp_path, passphrase="long enough")
    git(repository, "config", "repro.sign", "true")
    run = make_run(open_here(repository))
    before = tip(repository, run.id)
    reason = sign_sealed(open_here(repository), run.id)
    assert reason is not None
    assert reason.startswith(f"run `{run.id}` is not signed: git cannot sign: ")
    assert reason.endswith(f"; `repro sign {run.id}` signs it")
    assert tip(repository, run.id) == before


def test_a_program_that_never_ends_is_not_waited_for(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "slow"
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    git(repository, "config", "gpg.program", str(program))
    git(repository, "config", "repro.sign", "true")
    monkeypatch.setattr(signing, "PATIENCE_S", 0.3)
    run = make_run(open_here(repository))
    reason = sign_sealed(open_here(repository), run.id)
    assert reason is not None
    assert "did not end within" in reason


def test_what_cannot_be_signed_says_why_and_stays_as_it_is(repository: Path) -> None:
    git(repository, "config", "gpg.format", "ssh")
    git(repository, "config", "user.signingKey", "/nowhere/key")
    project = open_here(repository)
    run = make_run(project)
    before = tip(repository, run.id)
    with pytest.raises(GitError, match=r"git cannot sign: .*nowhere"):
        sign_run(project, run.id)
    assert tip(repository, run.id) == before


def test_without_a_key_a_run_can_still_be_tagged(repository: Path) -> None:
    git(repository, "config", "gpg.format", "ssh")
    git(repository, "config", "user.signingKey", "/nowhere/key")
    git(repository, "config", "repro.sign", "true")
    project = open_here(repository)
    run = make_run(project)
    assert tag_run(project, resolve_run(project, run.id), ["a"]).tags == ("a",)


def test_a_setting_that_is_neither_true_nor_false_is_a_reason(repository: Path) -> None:
    run = make_run(open_here(repository))
    git(repository, "config", "repro.sign", "perhaps")
    reason = sign_sealed(open_here(repository), run.id)
    assert reason is not None
    assert "`repro.sign` is `perhaps`" in reason


@pytest.fixture
def gnupg(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home of gpg with a key of Ada's; its path is short, for sockets lie in it."""
    if shutil.which("gpg") is None:
        pytest.skip("there is no gpg")
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        monkeypatch.setenv("GNUPGHOME", home)
        words = ["gpg", "--batch", "--passphrase", "", "--quick-gen-key", "Ada <ada@example.org>"]
        done = subprocess.run([*words, "ed25519", "sign"], capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip("gpg makes no key here")
        yield
        subprocess.run(["gpgconf", "--kill", "all"], check=False)


def test_a_key_of_gpg_is_found_by_the_address(repository: Path, gnupg: None) -> None:
    project = open_here(repository)
    run = make_run(project)
    sign_run(project, run.id)
    [found] = check_signatures(project, [run.id])
    assert describe_signature(found) == "good, by Ada <ada@example.org>"
