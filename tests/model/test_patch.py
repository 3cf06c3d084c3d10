"""Patches taken apart."""

from hypothesis import given
from hypothesis import strategies as st

from repro.model.patch import parse_hunks, split_patch

PATCH = b"""diff --git a/a.py b/a.py
index 1..2 100644
--- a/a.py
+++ b/a.py
@@ -1,3 +1,2 @@
 same
-diff --git a/x b/x
-@@ -1 +1 @@
+\xe9
\\ No newline at end of file
@@ -10 +9,0 @@ def f():
-gone
diff --git a/b b/b
Binary files a/b and b/b differ
"""


def test_each_file_has_its_hunks_with_numbered_lines():
    first, second = split_patch(PATCH)
    hunks = parse_hunks(first)

    assert [(one.before, one.after, one.heading) for one in hunks] == [
        (1, 1, ""),
        (10, 9, "def f():"),
    ]
    assert [(one.sign, one.before, one.after, one.text) for one in hunks[0].lines] == [
        (" ", 1, 1, "same"),
        ("-", 2, None, "diff --git a/x b/x"),
        ("-", 3, None, "@@ -1 +1 @@"),
        ("+", None, 2, "\udce9"),
        ("\\", None, None, " No newline at end of file"),
    ]
    assert [one.text for one in hunks[1].lines] == ["gone"]
    assert parse_hunks(second) == ()


def test_a_patch_that_is_cut_off_gives_what_is_there():
    cut = PATCH[: PATCH.index(b"same") + 3]
    [hunk] = parse_hunks(cut)

    assert [one.text for one in hunk.lines] == ["sam"]


@given(st.binary(max_size=300))
def test_no_bytes_are_too_odd(data):
    for part in split_patch(b"diff --git \n@@ -1,9 +1,9 @@\n" + data):
        parse_hunks(part)
