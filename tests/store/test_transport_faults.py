"""What git, ssh and hosts say becomes an error that names remote, reason and next command."""

import pytest

from repro.model.secrets import redact_url
from repro.store.transport_faults import explain_fault, explain_ref, first_words

# What was really said: by git 2.39 and 2.47, OpenSSH, GitHub, GitLab, Gitea, Bitbucket, Gerrit.
SAID = [
    ("fatal: '/srv/x.git' does not appear to be a git repository\n"
     "fatal: Could not read from remote repository.", "no such repository"),
    ("remote: Repository not found.\nfatal: repository 'https://github.com/a/b.git/' not found",
     "no such repository"),
    ("ERROR: Repository not found.\nfatal: Could not read from remote repository.",
     "no such repository"),
    ("remote: The project you were looking for could not be found or you don't have permission"
     " to view it.\nfatal: repository 'https://gitlab.com/a/b.git/' not found",
     "no such repository"),
    ("fatal: remote error: access denied or repository not exported: /x.git",
     "no such repository"),
    ("fatal: unable to access 'https://nope.invalid/x/': Could not resolve host: nope.invalid",
     "host name is not known"),
    ("ssh: Could not resolve hostname nope.invalid: Name or service not known\n"
     "fatal: Could not read from remote repository.", "host name is not known"),
    ("fatal: unable to access 'http://127.0.0.1:1/x/': Failed to connect to 127.0.0.1 port 1"
     " after 0 ms: Couldn't connect to server", "no connection to it"),
    ("ssh: connect to host 127.0.0.1 port 1: Connection refused\n"
     "fatal: Could not read from remote repository.", "no connection to it"),
    ("fatal: unable to connect to 127.0.0.1:\n127.0.0.1[0: 127.0.0.1]: errno=Connection refused",
     "no connection to it"),
    ("fatal: could not read Username for 'http://127.0.0.1:8000': No such device or address",
     "wants a user name and password"),
    ("fatal: could not read Username for 'https://github.com': terminal prompts disabled",
     "wants a user name and password"),
    ("remote: Invalid username or token. Password authentication is not supported for Git"
     " operations.\nfatal: Authentication failed for 'https://github.com/a/b.git/'",
     "does not take the user name and password"),
    ("remote: HTTP Basic: Access denied.\nfatal: Authentication failed for 'https://gitlab.com/a/'",
     "does not take the user name and password"),
    ("git@github.com: Permission denied (publickey).\n"
     "fatal: Could not read from remote repository.", "ssh could not log in"),
    ("Host key verification failed.\nfatal: Could not read from remote repository.",
     "ssh does not know its host key"),
    ("remote: Permission to a/b.git denied to ada.\nfatal: unable to access"
     " 'https://github.com/a/b.git/': The requested URL returned error: 403", "does not let you"),
    ("remote: You are not allowed to push code to this project.\nfatal: unable to access"
     " 'https://gitlab.com/a/b.git/': The requested URL returned error: 403", "does not let you"),
    ("fatal: remote error: service not enabled: /x.git", "does not let you"),
    ("ERROR: The key you are authenticating with has been marked as read only.\n"
     "fatal: Could not read from remote repository.", "does not let you"),
    ("remote: fatal: write error: No space left on device\n"
     "error: remote unpack failed: index-pack abnormal exit", "no space left"),
    ("remote: error: file write error: Disk quota exceeded", "no space left"),
    ("send-pack: unexpected disconnect while reading sideband packet\n"
     "fatal: the remote end hung up unexpectedly", "lost half way"),
    ("fetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF\n"
     "fatal: fetch-pack: invalid index-pack output", "lost half way"),
    ("error: RPC failed; curl 56 Recv failure: Connection reset by peer", "lost half way"),
    ("client_loop: send disconnect: Broken pipe\nfatal: the remote end hung up unexpectedly",
     "lost half way"),
    ("fatal: expected flush after ref listing", "lost half way"),
    ("fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access"
     " rights\nand the repository exists.", "ended the connection before it answered"),
    ("error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413", "larger than"),
    ("remote: error: GH001: Large files detected. You may want to try Git Large File Storage",
     "larger than"),
    ("fatal: unable to access 'https://x/': The requested URL returned error: 502", "a fault"),
    ("fatal: unable to access 'https://x/': The requested URL returned error: 429", "fewer"),
    ("fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate",
     "certificate is not trusted"),
    ("fatal: mismatched algorithms: client sha1; server sha256", "another object format"),
    ("git: 'remote-foo' is not a git command. See 'git --help'.", "cannot speak"),
    ("git: 'remote-foo' is not a git command. See 'git --help'.\n"
     "fatal: remote helper 'foo' aborted session", "cannot speak"),
    ("fatal: transport 'ext' not allowed", "cannot speak"),
    ("fatal: protocol error: bad line length character: Welc", "too old, or prints"),
    ("bash: git-receive-pack: command not found\nfatal: Could not read from remote repository.",
     "too old, or prints"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "reason"), SAID)
def test_what_is_said_becomes_a_reason_and_a_next_command(said, reason):
    error = explain_fault(said, name="origin", host="example.org", doing="push to")

    assert error.message.startswith("cannot push to `origin` (example.org): ")
    assert reason in error.message
    assert error.hint
    assert "{" not in error.hint


def test_an_address_that_is_wrong_is_no_matter_of_remotes():
    for said, _ in SAID:
        for name in ("https://x.org/r", "x.org:r", "../r"):
            hint = explain_fault(said, name=name, host="x.org", doing="fetch from").hint
            assert "git remote -v" not in str(hint)
    for doing, is_told in (("clone", False), ("read", True)):
        hint = explain_fault("fatal: repository 'r' does not exist", name="r", host="", doing=doing)
        assert ("git remote -v" in str(hint.hint)) is is_told


def test_an_address_whose_password_is_hidden_is_not_to_be_typed():
    name = redact_url("https://ada:hunter2@x.org/r")
    said = "fatal: Authentication failed for 'https://x.org/r/'"
    error = explain_fault(said, name=name, host="x.org", doing="clone")
    assert "`git ls-remote URL`" in str(error.hint)
    assert "redacted" not in str(error.hint)


def test_a_reason_on_the_next_line_is_told():
    said = "fatal: unable to connect to x:\nx[0: 127.0.0.1]: errno=Connection refused\n"
    error = explain_fault(said, name="o", host="", doing="read")
    assert error.message.endswith(
        "(unable to connect to x: x[0: 127.0.0.1]: errno=Connection refused)"
    )


def test_what_nobody_said_before_is_quoted():
    error = explain_fault("fatal: the moon is full\n", name="origin", host="", doing="read")
    assert error.message == "cannot read `origin`: the moon is full"


def test_a_host_that_says_nothing_is_told_so():
    error = explain_fault("", name="origin", host="", doing="read")
    assert error.message == "cannot read `origin`: git gives no reason"


def test_what_is_said_cannot_reach_a_terminal_raw():
    error = explain_fault("fatal: \x1b[31mred\x07", name="o", host="h", doing="read")
    assert "\x1b" not in error.message
    assert "\x07" not in error.message


def test_a_password_that_git_quotes_is_not_told():
    said = "fatal: unable to access 'https://ada:hunter2@x.org/r/': Could not resolve host: x.org"
    error = explain_fault(said, name="origin", host="x.org", doing="read")
    assert "hunter2" not in error.message + str(error.hint)


def test_a_flood_of_words_is_cut():
    said = "fatal: " + "x" * 100_000
    assert len(explain_fault(said, name="o", host="h", doing="read").message) < 1000


def test_a_flood_that_is_slow_to_search_is_cut_before():
    said = "repository '" * 300_000  # each of these begins what might end far behind it
    assert explain_fault(said, name="o", host="h", doing="read").hint


def test_an_address_is_quoted_where_it_is_to_be_typed():
    error = explain_fault("", name="https://x.org/$(id)", host="x.org", doing="read")
    assert "git ls-remote 'https://x.org/$(id)'" in str(error.hint)


def test_the_words_of_the_remote_go_before_those_of_git():
    said = "remote: we are closed\nfatal: the remote end hung up unexpectedly\n"
    assert first_words(said) == "we are closed"


@pytest.mark.parametrize(
    "summary",
    [
        "[remote rejected] (deny updating a hidden ref)",
        "[remote rejected] (funny refname)",
        "[remote rejected] (refusing to update ref outside of refs/heads)",
        "[remote rejected] (prohibited by Gerrit: not permitted to create ref)",
    ],
)
def test_a_host_that_takes_no_such_refs_is_offered_branches(summary):
    fault = explain_ref(summary, "", name="origin", carrier="refs/repro")

    assert "takes no refs under `refs/repro/`" in fault.reason
    assert "git config repro.origin.carrier refs/heads/repro" in fault.hint
    assert not fault.is_moved


def test_branches_that_are_not_taken_either_are_a_matter_of_its_owner():
    summary = "[remote rejected] (deny updating a hidden ref)"
    fault = explain_ref(summary, "", name="origin", carrier="refs/heads/repro")
    assert fault.hint == "ask the owner of the remote"


@pytest.mark.parametrize(
    "summary",
    [
        "[rejected] (fetch first)",
        "[rejected] (non-fast-forward)",
        "[rejected] (stale info)",
        "[remote rejected] (failed to update ref)",
        "[remote rejected] (cannot lock ref 'refs/repro/runs/x': reference already exists)",
        "[remote rejected] (incorrect old value provided)",
    ],
)
def test_somebody_who_was_first_is_a_reason_to_look_again(summary):
    assert explain_ref(summary, "", name="origin", carrier="refs/repro").is_moved


def test_a_ref_in_the_way_is_named_as_such():
    said = (
        "remote: error: cannot lock ref 'refs/heads/repro/runs/q': 'refs/heads/repro' exists;"
        " cannot create 'refs/heads/repro/runs/q'"
    )
    summary = "[remote rejected] (failed to update ref)"
    fault = explain_ref(summary, said, name="origin", carrier="refs/heads/repro")
    assert "in the way" in fault.reason


def test_a_hook_that_declines_is_quoted():
    said = "remote: no runs here, sorry        \nerror: failed to push some refs\n"
    summary = "[remote rejected] (pre-receive hook declined)"
    fault = explain_ref(summary, said, name="origin", carrier="refs/repro")
    assert "pre-receive hook declined: no runs here, sorry" in fault.reason


def test_a_shallow_clone_is_told_how_to_get_the_rest():
    summary = "[remote rejected] (shallow update not allowed)"
    fault = explain_ref(summary, "", name="origin", carrier="refs/repro")
    assert fault.hint == "`git fetch --unshallow` gets the rest of the history"
