"""`repro verify`: the verdict in a sentence, then what differs, likeliest first."""

import json
import sys
import venv
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.projects import make_run, open_here
from tests.support.records import make_record, open_at, run_id, write_run

from repro.core.query import resolve_run
from repro.core.verify import store_verdict, verify_runs

SCRIPT = """\
import sys
from pathlib import Path

import helper
import repro

scale = float(sys.argv[2]) * len(Path("data/train/042.txt").read_text()) * helper.SCALE
repro.init()
for step in range(3):
    repro.log({"loss": scale / (step + 1), "acc": 0.5}, step=step)
"""


@pytest.fixture
def experiment(repository: Path) -> Path:
    """A script with a param, a dataset and a package in a virtual environment of its own."""
    write_files(
        repository,
        {
            "train.py": SCRIPT,
            "repro.yaml": "data:\n  train: data/train\n",
            "data/train/042.txt": "12345",
            ".gitignore": "data/\n",
        },
    )
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "an experiment")
    venv.create(repository.parent / "venv", symlinks=True)
    ours = [path for path in sys.path if Path(path).is_dir()]
    write_files(packages(repository), {"ours.pth": "\n".join(ours) + "\n"})
    install(repository, "1.0", scale=2.0)
    return repository


def packages(repository: Path) -> Path:
    [folder] = (repository.parent / "venv").glob("lib/python*/site-packages")
    return folder


def install(repository: Path, version: str, *, scale: float) -> None:
    site = packages(repository)
    for old in site.glob("helper-*.dist-info/METADATA"):
        old.unlink()
        old.parent.rmdir()
    metadata = f"Metadata-Version: 2.1\nName: helper\nVersion: {version}\n"
    write_files(
        site,
        {
            "helper.py": f"SCALE = {scale}\n",
            f"helper-{version}.dist-info/METADATA": metadata,
        },
    )


def run(cli: Cli, name: str, *words: str) -> None:
    python = str(Path("../venv/bin/python").absolute())
    cli("run", "-n", name, "--", python, "-B", "train.py", *(words or ("--lr", "0.1")))


def first_cause(cli: Cli) -> tuple[str, str]:
    ended = cli("verify", "a", "b", "--json", code=1)
    value = json.loads(ended.out)
    assert value["verdict"] == "diverged"
    assert (value["first"]["metric"], value["first"]["step"]) == ("loss", 0)
    cause = value["causes"][0]
    text = cli("verify", "a", "b", code=1).out
    assert text.startswith("diverged at step 0 of `loss`: 1.0 against ")
    assert f"what differs, likeliest first:\n  {cause['part']}" in text
    return cause["part"], cause["what"]


def test_two_equal_runs_are_identical(experiment: Path, cli: Cli) -> None:
    run(cli, "a")
    run(cli, "b")

    text = cli("verify", "a", "b").out

    assert text == "identical: 6 points of 2 metrics, bit for bit\n"


def test_one_changed_line_is_the_first_cause(experiment: Path, cli: Cli) -> None:
    run(cli, "a")
    write_files(experiment, {"train.py": SCRIPT.replace("scale / (", "3 * scale / (")})
    run(cli, "b")

    assert first_cause(cli) == ("code", "`train.py` modified")


def test_one_changed_param_is_the_first_cause(experiment: Path, cli: Cli) -> None:
    run(cli, "a")
    run(cli, "b", "--lr", "0.2")

    assert first_cause(cli) == ("config", "`lr`: 0.1 → 0.2")


def test_one_changed_param_of_a_file_is_the_first_cause(experiment: Path, cli: Cli) -> None:
    script = SCRIPT.replace("sys.argv[2]", "open('params.yaml').read()[4:]")
    settings = "config: [params.yaml]\ndata:\n  train: data/train\n"
    write_files(
        experiment, {"train.py": script, "repro.yaml": settings, "params.yaml": "lr: 0.1\n"}
    )
    run(cli, "a", "x")
    write_files(experiment, {"params.yaml": "lr: 0.2\n"})
    run(cli, "b", "x")

    assert first_cause(cli) == ("config", "`lr`: 0.1 → 0.2")


def test_one_changed_file_of_a_dataset_is_the_first_cause(experiment: Path, cli: Cli) -> None:
    run(cli, "a")
    write_files(experiment, {"data/train/042.txt": "123456"})
    run(cli, "b")

    assert first_cause(cli) == ("data", "`train`: 1 file changed: 042.txt")


def test_one_changed_package_is_the_first_cause(experiment: Path, cli: Cli) -> None:
    run(cli, "a")
    install(experiment, "1.1", scale=2.5)
    run(cli, "b")

    assert first_cause(cli) == ("environment", "helper 1.0 → 1.1")


def test_a_tolerance_covers_a_small_deviation(repository: Path, cli: Cli) -> None:
    project = open_here(repository)
    make_run(project, {"loss": 0.5}, name="a")
    make_run(project, {"loss": 0.625}, name="b")

    text = cli("verify", "a", "b", "--rtol", "0.25").out
    assert text.splitlines()[0] == (
        "within tolerance: largest relative deviation 0.25, at step 0 of `loss` (0.5 against 0.625)"
    )
    assert cli("verify", "a", "b", "--atol", "0.2").code == 0
    assert cli("verify", "a", "b", "--rtol", "0.2", code=1).out.startswith("diverged at step 0")


def test_only_the_metrics_that_are_named_count(repository: Path, cli: Cli) -> None:
    project = open_here(repository)
    make_run(project, {"loss": 0.5, "epoch_time": 1.0}, name="a")
    make_run(project, {"loss": 0.5, "epoch_time": 2.0}, name="b")

    ended = cli("verify", "a", "b", code=1)
    assert ended.out.startswith("diverged at step 0 of `epoch_time`: 1.0 against 2.0\n")
    assert "`--metric loss` leaves it out" in ended.err
    chosen = cli("verify", "a", "b", "--metric", "loss")
    assert chosen.out == "identical: 1 point of 1 metric, bit for bit\n"
    assert chosen.err == ""


def test_a_rerun_alone_is_compared_with_its_original(repository: Path, cli: Cli) -> None:
    project = open_here(repository)
    original = make_run(project, {"loss": 0.5}, name="a")
    make_run(project, {"loss": 0.5}, name="b", rerun_of=original.id)

    value = json.loads(cli("verify", "b", "--json").out)

    assert (value["verdict"], value["rerun_of"]) == ("identical", original.id)


def test_the_verdict_of_a_rerun_is_shown_in_one_line(repository: Path, cli: Cli) -> None:
    project = open_here(repository)
    original = make_run(project, {"loss": 0.5}, name="a")
    rerun = make_run(project, {"loss": 0.75}, name="b", rerun_of=original.id)
    a, b = (resolve_run(project, one.id) for one in (original, rerun))
    store_verdict(project, rerun.id, verify_runs(project, a, b))

    assert "verdict   diverged at step 0 of `loss`: 0.5 against 0.75\n" in cli("show", "b").out
    assert json.loads(cli("show", "b", "--json").out)["verdict"]["verdict"] == "diverged"
    assert "verdict" not in cli("show", "a").out


def _written(repository: Path, letter: str, output: bytes = b"", **changes) -> str:
    record = make_record(id=run_id(letter * 4), **changes)
    write_run(open_at(repository), record, files={"output.log": output})
    return letter * 4


@pytest.mark.parametrize(
    ("before", "after", "code", "headline"),
    [
        (b"a\ntook 1 s\n", b"a\ntook 2 s\n", 0,
         "identical: 2 lines of output, 1 of them but for times and the like"),
        (b"", b"", 0,
         "identical: both finished, exit code 0; nothing else was recorded, not even output"),
        (b"a\n", b"b\x1b\n", 1, "diverged at line 1 of the output: `a` against `b\\x1b`"),
        (b"a\n", b"", 1, "diverged at line 1 of the output: `a` against no such line"),
    ],
)  # fmt: skip
def test_output_alone_carries_the_verdict_where_nothing_else_was_recorded(
    repository: Path, cli: Cli, before: bytes, after: bytes, code: int, headline: str
) -> None:
    a, b = _written(repository, "a", before), _written(repository, "b", after)

    assert cli("verify", a, b, code=code).out.splitlines()[0] == headline


def test_output_that_does_not_count_is_said_not_to(repository: Path, cli: Cli) -> None:
    a = _written(repository, "a", b"a\n", summary={"best": 1})
    b = _written(repository, "b", b"b\n", summary={"best": 1})

    assert cli("verify", a, b).out == (
        "identical: 1 entry of the summary, bit for bit\n"
        "output (does not count):\n  line 1 differs:\n  - a\n  + b\n"
    )
    c, d = _written(repository, "c", b"a\n"), _written(repository, "d", b"b\n")
    assert "\noutput:\n  line 1 differs:\n" in cli("verify", c, d, code=1).out


def test_two_runs_that_failed_alike_are_identical_and_it_says_so(
    repository: Path, cli: Cli
) -> None:
    changes = {"status": "failed", "exit_code": 3}
    a, b = (_written(repository, letter, b"x\n", **changes) for letter in "ab")

    assert cli("verify", a, b).out == "identical: 1 line of output; both failed, exit code 3\n"


def test_another_exit_code_is_a_divergence(repository: Path, cli: Cli) -> None:
    a = _written(repository, "a")
    b = _written(repository, "b", status="failed", exit_code=2)

    lines = cli("verify", a, b, code=1).out.splitlines()

    assert lines[0] == (
        "diverged: the original finished, exit code 0; the rerun failed, exit code 2"
    )
    assert lines[-3:] == ["end:", "  - finished, exit code 0", "  + failed, exit code 2"]


def test_what_is_missing_is_listed(repository: Path, cli: Cli) -> None:
    project = open_here(repository)
    make_run(project, {"loss": 0.5, "m\x1b": 1.0}, name="a")
    make_run(project, {"other": 0.5}, name="b")

    text = cli("verify", "a", "b", code=1).out

    assert text.startswith("incomparable: only the original has the metric `loss`, and 2 more\n")
    assert "  only the original has the metric `m\\x1b`\n" in text
    assert "  only the rerun has the metric `other`\n" in text
    assert "\x1b" not in text


def test_nothing_is_stored(repository: Path, cli: Cli) -> None:
    project = open_here(repository)
    make_run(project, {"loss": 0.5}, name="a")
    make_run(project, {"loss": 0.75}, name="b")
    before = git(repository, "for-each-ref")

    cli("verify", "a", "b", code=1)

    assert before == git(repository, "for-each-ref")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["a"], 129, "is no rerun"),
        (["b"], 128, "the original of"),
        (["a", "nothing"], 128, "there is no run `nothing`"),
        (["a", "a", "--metric", "los"], 128, "did you mean `loss`"),
        (["a", "a", "--rtol", "-1"], 129, "no tolerance"),
        (["a", "a", "--atol", "nan"], 129, "no tolerance"),
        (["a", "a", "--rtol", "inf"], 129, "no tolerance"),
        (["a", "a", "--rtol", "much"], 129, "not a valid float"),
        ([], 129, "missing argument"),
    ],
)
def test_a_wrong_question_is_one_error(
    repository: Path, cli: Cli, words: list[str], code: int, said: str
) -> None:
    project = open_here(repository)
    make_run(project, {"loss": 0.5}, name="a")
    make_run(project, {"loss": 0.5}, name="b", rerun_of=run_id("cccc"))

    ended = cli("verify", *words, code=code)

    assert ended.out == ""
    assert said in ended.err
    assert "hint" in ended.err
