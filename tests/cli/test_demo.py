import json
from pathlib import Path

from tests.support import git
from tests.support.cli import repro


def test_the_demo_goes_from_three_runs_to_an_identical_repetition(tmp_path):
    place = tmp_path / "iris"

    done = repro("demo", str(place))

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "identical: 90 points of 3 metrics, bit for bit"
    assert str(place) in done.stdout
    for verb in ("run", "ls", "show", "diff", "checkout", "rerun"):
        assert f"\n$ repro {verb}" in done.stdout
    runs = json.loads(repro("ls", "--json", cwd=place).stdout)
    assert [run["name"] for run in runs] == ["again", "momentum", "faster", "baseline"]
    assert [run["dirty"] for run in runs] == [False, True, False, False]
    assert (runs[0]["snapshot"], runs[0]["rerun_of"]) == (runs[1]["snapshot"], runs[1]["id"])
    assert {run["status"] for run in runs} == {"finished"}
    assert git(place, "status", "--porcelain") == " M train.py"
    assert (tmp_path / "iris-momentum" / "train.py").read_bytes() == (
        place / "train.py"
    ).read_bytes()


def test_the_demo_takes_a_temporary_folder_by_default(tmp_path):
    done = repro("demo", TMPDIR=str(tmp_path))

    assert done.returncode == 0, done.stderr
    [place] = tmp_path.glob("repro-demo-*")
    assert str(place) in done.stdout


def test_the_demo_refuses_a_folder_that_holds_something(tmp_path):
    (tmp_path / "file").write_text("precious")

    done = repro("demo", str(tmp_path))
    on_a_file = repro("demo", str(tmp_path / "file"))

    assert (done.returncode, on_a_file.returncode) == (128, 128)
    assert "is not an empty folder" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "home"]


def test_the_data_are_those_of_fisher():
    rows = (Path(__file__).parents[2] / "src/repro/demo/iris.csv").read_text().splitlines()

    assert len(rows) == 151
    # The two rows in which the copy of the UCI repository differs from the paper.
    assert rows[35] == "4.9,3.1,1.5,0.2,0"
    assert rows[38] == "4.9,3.6,1.4,0.1,0"


def test_a_folder_that_cannot_be_made_is_one_clear_error():
    done = repro("demo", "/proc/nowhere")

    assert done.returncode == 128
    assert done.stderr.startswith("repro: cannot make `/proc/nowhere`")
    assert "Traceback" not in done.stderr
