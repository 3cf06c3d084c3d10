from repro.model.outputdiff import compare_output
from repro.model.verdict import LineDifference, OutputVerdict


def test_equal_output_is_the_same():
    assert compare_output(b"a\nb\n", b"a\nb\n") == OutputVerdict(lines=2)
    assert compare_output(b"", b"") == OutputVerdict(lines=0)


def test_lines_that_differ_only_in_times_are_counted_as_masked():
    verdict = compare_output(b"a\ntook 3.2 s\nb", b"a\ntook 4.2 s\nb\n")

    assert verdict == OutputVerdict(lines=3, masked=1)


def test_the_first_line_that_differs_is_named():
    verdict = compare_output(b"took 1 s\nloss 0.1\nx\n", b"took 2 s\nloss 0.2\ny\n")

    assert verdict.masked == 1
    assert verdict.first == LineDifference(2, ("loss 0.1", "loss 0.2"))


def test_a_line_that_one_side_lacks_differs():
    assert compare_output(b"a\n", b"a\nb\n").first == LineDifference(2, (None, "b"))
    assert compare_output(b"a\nb\n", b"a\n").first == LineDifference(2, ("b", None))
    assert compare_output(b"a\n\n", b"a\n").first == LineDifference(2, ("", None))


def test_bytes_that_are_no_text_are_compared_and_shown():
    verdict = compare_output(b"\xff" + b"x" * 300, b"\xfe" + b"x" * 300)

    assert verdict.first is not None
    before, after = verdict.first.texts
    assert before is not None
    assert before.startswith("\\xffxx")
    assert len(before) == 200
    assert after != before


def test_paths_that_stand_for_each_other_are_masked():
    verdict = compare_output(b"in /a/x\n", b"in /b/x\n", same_paths=[("/a", "/b")])

    assert verdict == OutputVerdict(lines=1, masked=1)


def test_pairs_that_share_a_path_mean_the_same_place():
    pairs = [("/a", "/t/1"), ("/t/0", "/t/1"), ("/t/0", "/t/2"), ("/b", "/u")]

    assert compare_output(b"/t/0/x /a/y\n", b"/t/2/x /t/1/y\n", same_paths=pairs).first is None
    assert compare_output(b"/t/0/x\n", b"/u/x\n", same_paths=pairs).first is not None


def test_a_path_may_stand_for_several():
    pairs = [("/a", "/a/trees/1"), ("/a", "/a"), ("/v", "/a/envs/2")]
    before, after = b"took 1 s in /a/x, /a/x, /v\n", b"took 2 s in /a/trees/1/x, /a/x, /a/envs/2\n"

    assert compare_output(before, after, same_paths=pairs).first is None
    assert compare_output(before, before.replace(b"/a/x", b"/a/y"), same_paths=pairs).first
