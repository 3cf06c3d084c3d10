import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.masking import Masker

mask = Masker()

# Each pair is one line of two executions.
_EQUAL = [
    ("2026-11-26 18:00:01,123 INFO start", "2027-01-02 03:04:05,678 INFO start"),
    ("[2026-11-26T18:00:01.123456Z] x", "[2026-11-27T08:10:01.999999Z] x"),
    ("Thu Nov 26 18:00:01 2026 done", "Fri Nov 27 08:00:01 2026 done"),
    ("Thu Nov 26 18:00:01 UTC 2026", "Mon Jan  5 18:00:01 UTC 2027"),
    ("Date: Mon, 26 Nov 2026 18:00:01 +0000", "Date: Tue, 27 Nov 2026 01:00:01 +0000"),
    ("on 2026-11-26", "on 2026-11-27"),
    ("I1126 18:00:01.123456 1234 t.cc:3] x", "I1127 18:00:02.123456 99 t.cc:3] x"),
    ("out/20261126_180001/x", "out/20261127_090001/x"),
    ("12:34:56 INFO x", "01:02:03 INFO x"),
    ("Elapsed: 0:00:03.123456", "Elapsed: 0:01:03.5"),
    ("took 3.2 s", "took 12.75 s"),
    ("fit in 0.05 ± 0.01 s", "fit in 0.15 ± 0.02 s"),
    ("9 iterations / 20 steps in 0.35.", "9 iterations / 20 steps in 1.23."),
    ("took 3 min", "took 12 min"),
    ("elapsed: 12.5", "elapsed: 1e-05"),
    ("fit in 0.123s (score 0.5)", "fit in 1.3s (score 0.5)"),
    ("real\t0m3.200s", "real\t1m13.201s"),
    ("Finished in 3.25", "Finished in 4.5"),
    ("time=3.2 loss=0.5", "time=13.25 loss=0.5"),
    ("{'train_runtime': 5.2, 'loss': 0.5}", "{'train_runtime': 15.25, 'loss': 0.5}"),
    ("'samples_per_second': 12.3", "'samples_per_second': 9.1"),
    ("100%|████| 9/9 [00:12<00:00,  3.2it/s, loss=0.5]",
     "100%|████| 9/9 [1:00:12<00:00, 13.20it/s, loss=0.5]"),
    ("5it [00:00, 123.45it/s]", "5it [00:01, 3.45s/it]"),
    ("1/1 ━━━━ 0s 12ms/step - loss: 0.5", "1/1 ━━━━ 1s 123ms/step - loss: 0.5"),
    ("3.2 samples/sec", "3.45 samples/sec"),
    ("12.5 MB/s", "9 MB/s"),
    ("ETA: 3:20", "ETA: 0:05"),
    ("<object at 0x7f1234567890>", "<object at 0x55d0>"),
    ("ptr 0x7f1234567890", "ptr 0x7fffffff0000"),
    ("pid 12", "pid 34567"),
    ("[PID=12] loss 0.5", "[PID=345] loss 0.5"),
    ("Process 12345: up", "Process 999: up"),
    ("wrote /tmp/tmpab12cd34/m.pt", "wrote /tmp/tmpxx99yy00/m.pt"),
    ("in '/var/folders/zz/ab/T/tmpq1/x'", "in '/var/folders/zz/ab/T/tmpz9/x'"),
    ("in /scratch/tmpab12cd34/x", "in /scratch/tmpzz12cd34/x"),
    ("\x1b[32m12:34:56\x1b[0m | \x1b[1mINFO\x1b[0m", "12:34:57 | INFO"),
    ("\x1b[32m3.2s\x1b[0m", "\x1b[32m4.2s\x1b[0m"),
    ("in /a/.git/repro/worktrees/x/train.py", "in /a/.git/repro/worktrees/yy/train.py"),
]  # fmt: skip

_DIFFERENT = [
    ("loss 0.123", "loss 0.124"),
    ("12.5 accuracy", "12.6 accuracy"),
    ("time 0.5 loss 0.1", "time 0.5 loss 0.2"),
    ("epoch 3 took 3.2s: 0.5", "epoch 3 took 3.2s: 0.6"),
    ("epoch 3 took 3.2s", "epoch 4 took 3.2s"),
    ("max 0.5 min 0.1", "max 0.6 min 0.1"),
    ("[00:12<00:03, 3.2it/s, loss=0.5]", "[00:12<00:03, 3.2it/s, loss=0.6]"),
    ("timestep 5", "timestep 6"),
    ("5 times", "6 times"),
    ("time share 5%", "time share 6%"),
    ("time: 5%", "time: 6%"),
    ("3.2 m", "3.3 m"),
    ("5m parameters", "6m parameters"),
    ("3.2 m/s", "3.3 m/s"),
    ("ratio 3:45", "ratio 3:46"),
    ("Margin 12", "Margin 13"),
    ("Decay 5", "Decay 6"),
    ("eta=0.1", "eta=0.2"),
    ("beta 0.1", "beta 0.2"),
    ("failed in 3 cases", "failed in 4 cases"),
    ("done in 12 epochs", "done in 13 epochs"),
    ("hash 0xdeadbeef", "hash 0xdeadbeee"),
    ("process 5 items", "process 6 items"),
    ("version 2.3.1", "version 2.3.2"),
    ("wrote /tmp/tmpab12cd34/a.pt", "wrote /tmp/tmpab12cd34/b.pt"),
    ("wrote out/tmp/a", "wrote out/tmp/b"),
    ("time -0.5", "time -0.6"),
    ("took 37 iterations", "took 38 iterations"),
    ("Converged: took 3.5 epochs on average", "Converged: took 4.5 epochs on average"),
    ("duration 3 episodes", "duration 4 episodes"),
    ("rows to process: 1234", "rows to process: 1235"),
    ("items per thread 512", "items per thread 513"),
]


@pytest.mark.parametrize(("a", "b"), _EQUAL)
def test_lines_of_two_executions_become_equal(a, b):
    assert mask(a) == mask(b)


@pytest.mark.parametrize(("a", "b"), _DIFFERENT)
def test_results_stay_different(a, b):
    assert mask(a) != mask(b)


def test_what_is_not_a_time_is_left_as_it_is():
    line = "epoch 3: loss 0.123, accuracy 12.5, lr 1e-05, seed 1234567890, 5 of 10"

    assert line == mask(line)


_FRAGMENTS = st.sampled_from(
    [
        *(word for pair in _EQUAL[:20] for word in pair[0].split()),
        "3.2", "s", "ms", "took", "time", "elapsed", "/tmp/", "tmpab12cd34", "0x7f1234567890",
        "at", "pid", "[", "]", "<", "00:12", "12:34:56", "it/s", "/", " ", "2026-11-26", "Nov", "5",
        "per_sec", "e-5", ".", ":", "⟦time⟧", "⟦", "⟧",
    ]
)  # fmt: skip


@given(st.lists(_FRAGMENTS, max_size=12), st.sampled_from(["", " "]))
def test_masking_what_is_masked_changes_nothing(fragments, between):
    masked = mask(between.join(fragments))

    assert masked == mask(masked)


_FRAMES = st.sampled_from(
    [
        "loss {}",
        "loss: {}",
        "loss={}, time=3.2",
        "{{'loss': {}, 'runtime': 1.5}}",
        "took 3.2 s loss {}",
        "[00:12<00:03, 3.2it/s, loss={}]",
        "2026-11-26 18:00:01 accuracy {}",
        "12ms/step - loss: {} - acc: 0.5",
        "time 0.5 {}",
        "{} accuracy in 3.2s",
        "min {} max 1",
        "0.1 {} 0.2",
        "score of /tmp/tmpab12cd34 is {}",
        "{} min",
        "pid 12 loss {}",
    ]
)
_LOSSES = st.one_of(
    st.floats(allow_nan=True).map(repr),
    st.integers(-(10**12), 10**12).map(str),
    st.floats(-1e6, 1e6).map("{:.4f}".format),
)


@given(_FRAMES, _LOSSES, _LOSSES)
def test_two_different_losses_never_become_equal(frame, a, b):
    assert (mask(frame.format(a)) == mask(frame.format(b))) == (a == b)


def test_paths_of_both_sides_stand_for_each_other():
    before = Masker({"/home/ada/project": "a", "/home/ada/project/.venv": "b", "k3f9zq7d2m4x": "c"})
    after = Masker({"/work/tree/": "a", "/envs/1": "b", "aaaaaaaaaaaa": "c"})

    a = "File /home/ada/project/train.py with /home/ada/project/.venv/bin, run k3f9zq7d2m4x"
    b = "File /work/tree/train.py with /envs/1/bin, run aaaaaaaaaaaa"
    assert before(a) == after(b)
    assert before("/home/ada/project2/x") == "/home/ada/project2/x"
    assert before("/home/ada/project/a.py") != after("/work/tree/b.py")
    assert Masker({"/": "a", "": "b"})("a/b") == "a/b"


@pytest.mark.parametrize(
    "hostile",
    ["0", "1 ", "1h", "[1:11", "a_1", "time_per_1", "1:11:11", "Jan 1 ", "1d ", "/repro", "1.",
     "at 0x", "1e", "Mon, ", "/tmp/", "12-Jan-", "5 days, ", "?"],
)  # fmt: skip
def test_no_line_takes_long(hostile):
    line = (hostile * 10_000)[:9_990] + "7"
    before = time.process_time()
    mask(line)
    assert time.process_time() - before < 1
