"""The browser is led to the page; nobody else on the machine learns the token on the way."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.waiting import until

from repro.cli.browser import has_browser, opened
from repro.errors import StorageError

# Says what it was started with, and what it found there, as a browser would.
OPENER = """#!/bin/sh
echo "$1" > "$SEEN.part"
stat -c %a "${1#file://}" >> "$SEEN.part"
cat "${1#file://}" >> "$SEEN.part"
mv "$SEEN.part" "$SEEN"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="which program opens a page differs")
def test_the_token_is_in_no_word_that_a_program_is_started_with(repository, tmp_path):
    programs, seen = tmp_path / "bin", tmp_path / "seen"
    programs.mkdir()
    # Nothing is known of what the user likes, so the usual opener is taken.
    for name, text in {"xdg-open": OPENER, "xdg-settings": "#!/bin/sh\nexit 1\n"}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if name != "BROWSER"}
    environ |= {"PATH": f"{programs}:{os.environ['PATH']}", "DISPLAY": ":0", "SEEN": str(seen)}
    command = [sys.executable, "-m", "repro", "ui", "--port", "0"]
    server = subprocess.Popen(
        command, cwd=repository, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert "token=" in address
        until(seen.exists, "a browser")
        target, mode, content = seen.read_text().splitlines()
        way = Path(target.removeprefix("file://"))

        assert way.parent == repository / ".git" / "repro"
        assert mode == "600"
        assert f'content="0; url={address}"' in content
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    assert not way.exists()


def test_a_browser_that_is_a_program_of_the_terminal_is_not_started():
    assert not has_browser({"TERM": "xterm"}, "linux")
    assert has_browser({"DISPLAY": ":0"}, "linux")
    assert has_browser({"BROWSER": "forward"}, "linux")
    assert has_browser({}, "darwin")


def test_no_browser_is_opened_where_the_way_cannot_be_written(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(StorageError), opened("http://x/?token=y", file / "ui.html", {}):
        pass
