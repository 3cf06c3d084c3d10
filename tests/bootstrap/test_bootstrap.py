import ast
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import repro
from repro.bootstrap._repro_generators import SEEDERS
from tests.support import write_files
from tests.support.randomness import play

FOLDER = Path(repro.__file__).parent / "bootstrap"
UNSEEDED = """
import random
import numpy as np
print(random.random(), np.random.rand(), np.random.default_rng().random())
print(np.random.RandomState().rand(), np.random.Generator(np.random.PCG64()).random())
print(np.random.SeedSequence().entropy, hash("a"), {"a", "b", "c", "d"})
"""
NUMPY_MODEL = """
import numpy as np
rng = np.random.default_rng()
x = np.random.randn(64, 4)
w = rng.normal(size=4)
for step in range(3):
    w -= 0.1 * x.T @ (x @ w - 1) / 64
    print(step, repr(float(((x @ w - 1) ** 2).mean())))
"""
TORCH_MODEL = """
import torch
from torch import nn
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
x = torch.randn(64, 4)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(3):
    loss = ((net(x) - 1) ** 2).mean()
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    print(step, repr(loss.item()))
"""
LOADER = """
import random
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
class Noise(Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, i):
        return i + random.random() + np.random.rand() + torch.rand(1).item()
if __name__ == "__main__":
    for batch in DataLoader(Noise(), batch_size=4, shuffle=True, num_workers=2):
        print(batch.tolist())
"""
FAKE_TORCH = """
SEEDS = []
def manual_seed(seed):
    SEEDS.append(seed)
def are_deterministic_algorithms_enabled():
    return True
def get_num_threads():
    return 3
class backends:
    class cudnn:
        deterministic = True
        benchmark = False
        allow_tf32 = False
    class cuda:
        class matmul:
            allow_tf32 = False
"""
WORKERS = """
import multiprocessing as mp, random, sys
import numpy.random
import numpy as np
def work(number, queue):
    queue.put((number, random.random(), np.random.rand(), np.random.default_rng().random()))
if __name__ == "__main__":
    context = mp.get_context(sys.argv[1])
    queue = context.Queue()
    started = [context.Process(target=work, args=(n, queue)) for n in range(3)]
    for one in started:
        one.start()
    for line in sorted(queue.get() for _ in started):
        print(line)
    for one in started:
        one.join()
"""


@pytest.mark.parametrize("code", [UNSEEDED, NUMPY_MODEL], ids=["generators", "model"])
def test_the_same_seed_gives_the_same_numbers_and_another_one_others(tmp_path, code):
    first, again, other = (play(tmp_path, code, seed).out for seed in (1, 1, 2))

    assert first == again
    assert first != other


@pytest.mark.parametrize("code", [TORCH_MODEL, LOADER], ids=["model", "loader with workers"])
def test_real_torch_computes_the_same_from_the_same_seed(tmp_path, code):
    pytest.importorskip("torch")
    first, again, other = (play(tmp_path, code, seed).out for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_without_a_plan_numbers_are_drawn_as_always(tmp_path):
    first, again = play(tmp_path, UNSEEDED, None), play(tmp_path, UNSEEDED, None)

    assert first.out != again.out
    assert first.reports.processes == ()


def test_a_script_that_seeds_itself_is_left_alone(tmp_path):
    code = "import random, numpy as np\nrandom.seed(7); np.random.seed(7)\n"
    code += "print(random.random(), np.random.rand(), np.random.default_rng(7).random())"

    assert play(tmp_path, code, 1).out == play(tmp_path, code, None).out


def test_no_two_generators_share_a_sequence(tmp_path):
    code = "import numpy as np, random\nrandom.random()\n"
    code += "print(*[np.random.default_rng().random() for _ in range(4)], np.random.rand())"
    played = play(tmp_path, code)

    assert len(set(played.out.split())) == 5
    assert len(set(played.seeds().values())) == 2


def test_what_keeps_secrets_or_names_files_is_never_seeded(tmp_path):
    code = "import os, random, secrets, tempfile, uuid\n"
    code += (
        "print(secrets.token_hex(), uuid.uuid4(), os.urandom(8).hex(), random.Random().random())\n"
    )
    code += "print(random.SystemRandom().random(), next(tempfile._get_candidate_names()))"
    first, again = play(tmp_path, code).out.split(), play(tmp_path, code).out.split()

    assert [a for a, b in zip(first, again, strict=True) if a == b] == []


def test_torch_and_tensorflow_are_seeded_when_they_are_imported(tmp_path):
    library = {
        "torch.py": FAKE_TORCH,
        "tensorflow.py": "class random:\n    def set_seed(s): random.seed = s\n",
    }
    write_files(tmp_path, library)
    code = "import torch\nimport tensorflow as tf\nprint(torch.SEEDS, tf.random.seed)"
    first, again = play(tmp_path, code), play(tmp_path, code)

    seeds = first.seeds()
    assert first.out == f"[{seeds['torch']}] {seeds['tensorflow']}\n" == again.out
    assert first.reports.processes[0].flags["torch"] == {
        "deterministic": True,
        "cudnn.deterministic": True,
        "cudnn.benchmark": False,
        "cudnn.allow_tf32": False,
        "cuda.matmul.allow_tf32": False,
        "num_threads": 3,
    }


def test_half_a_package_of_that_name_is_imported_as_it_is(tmp_path):
    write_files(tmp_path, {"torch.py": "x = 1\n", "tensorflow/__init__.py": "def random(): 0\n"})
    played = play(tmp_path, "import torch, tensorflow\nprint(torch.x)")

    assert (played.out, played.err) == ("1\n", "")


def test_an_import_that_fails_fails_as_always(tmp_path):
    write_files(tmp_path, {"torch.py": "raise ImportError('no CUDA')\n"})
    code = "import random\nfor _ in range(2):\n    try:\n        import torch\n"
    code += "    except ImportError as error: print(error, error.__cause__)"

    assert play(tmp_path, code).out == "no CUDA None\n" * 2


def test_loaders_are_left_as_they_were(tmp_path):
    code = "import random, sys, numpy.random\nfor module in (random, numpy.random):\n"
    code += "    print('exec_module' in vars(module.__spec__.loader))\n"
    code += "from importlib.util import find_spec\nprint(find_spec('torch') is None)"

    assert play(tmp_path, code).out.startswith("False\nFalse\n")


def test_packages_in_a_zip_file_are_seeded_too(tmp_path):
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("torch/__init__.py", FAKE_TORCH)
        archive.writestr("torch/inner.py", "x = 1\n")
        archive.writestr("tensorflow.py", "class random:\n    def set_seed(s): random.seed = s\n")
    code = "import sys; sys.path.insert(0, 'lib.zip')\nimport torch.inner, tensorflow\n"
    code += "print(len(torch.SEEDS), tensorflow.random.seed > 0)"

    assert play(tmp_path, code).out == "1 True\n"


def test_numpy_without_its_source_of_entropy_is_seeded_by_its_function(tmp_path):
    fake = "def seed(s): pass\ndef default_rng(seed=None):\n    'Doc.'\n    return seed\n"
    write_files(tmp_path, {"numpy/__init__.py": "", "numpy/random.py": fake})
    code = "import numpy.random as r\nprint(r.default_rng(), r.default_rng(), r.default_rng(5))"
    first, again = play(tmp_path, code).out, play(tmp_path, code).out

    assert first == again
    one, two, given = first.split()
    assert one != two
    assert given == "5"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_each_worker_gets_numbers_of_its_own_and_the_same_again(tmp_path, method):
    words = (sys.executable, "program.py", method)
    first, again = (play(tmp_path, WORKERS, words=words) for _ in range(2))
    lines = [ast.literal_eval(line) for line in first.out.splitlines()]

    assert first.out == again.out
    assert len({line[1] for line in lines}) == 3  # Python's
    assert len({line[3] for line in lines}) == 3  # default_rng()
    # NumPy's own state is what a fork has from its parent, with repro as without.
    assert len({line[2] for line in lines}) == (1 if method == "fork" else 3)


def test_workers_of_one_name_do_not_share_numbers(tmp_path):
    code = WORKERS.replace("args=(n, queue)", "args=(n, queue), name='worker'")
    words = (sys.executable, "program.py", "spawn")
    lines = [ast.literal_eval(line) for line in play(tmp_path, code, words=words).out.splitlines()]

    assert len({line[1] for line in lines}) == 3


def test_a_pool_leaves_no_file_for_each_worker(tmp_path):
    code = "import multiprocessing as mp, random\ndef f(x): return random.random()\n"
    code += "if __name__ == '__main__':\n    with mp.get_context('spawn').Pool(2) as pool:\n"
    code += "        print(len(pool.map(f, range(4))))"
    played = play(tmp_path, code)

    assert played.out == "4\n"
    assert len(played.reports.processes) == 1


def test_a_fork_does_not_repeat_its_parent_or_its_siblings(tmp_path):
    code = (
        "import os, random, sys\nimport numpy as np\n"
        "for _ in range(2):\n"
        "    if os.fork() == 0:\n"
        "        print(random.random(), np.random.default_rng().random(), flush=True)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "print(random.random(), np.random.default_rng().random())\n"
    )
    first, again = play(tmp_path, code).out, play(tmp_path, code).out

    assert first == again
    assert len(set(first.split())) == 6


def test_processes_that_start_at_once_are_told_by_their_arguments(tmp_path):
    code = "import random, sys; open(f'out{sys.argv[1]}', 'w').write(str(random.random()))"
    line = " & ".join(f'"{sys.executable}" program.py {n}' for n in range(4))
    told = []
    for _ in range(3):
        play(tmp_path, code, words=("sh", "-c", f"{line} & wait"))
        told.append([(tmp_path / f"out{n}").read_text() for n in range(4)])

    assert told[0] == told[1] == told[2]
    assert len(set(told[0])) == 4


def test_the_same_command_again_gets_other_numbers(tmp_path):
    code = "import random; print(random.random())"
    line = f'for n in 1 2 3 4 5 6; do "{sys.executable}" program.py; done'
    first, again = (play(tmp_path, code, words=("sh", "-c", line)).out for _ in range(2))

    assert first == again
    assert len(set(first.split())) == 6


def test_the_main_process_keeps_its_numbers_with_other_arguments(tmp_path):
    code = "import random; print(random.random())"
    for launcher in ((), ("env",), ("nice", "-n", "1")):
        words = (*launcher, sys.executable, "program.py", "--lr")
        outs = {play(tmp_path, code, words=(*words, lr)).out for lr in ("0.1", "0.2")}
        assert len(outs) == 1, launcher


@pytest.mark.parametrize("name", ["RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK"])
def test_a_rank_keeps_its_numbers_whoever_starts_first(tmp_path, name):
    code = "import random, sys; open('out' + sys.argv[1], 'w').write(str(random.random()))"
    told = []
    for order in ((0, 1, 2), (2, 1, 0)):
        starts = [f'{name}={n} "{sys.executable}" program.py {n}' for n in order]
        play(tmp_path, code, words=("sh", "-c", "; ".join(starts)))
        told.append([(tmp_path / f"out{n}").read_text() for n in range(3)])

    assert told[0] == told[1]
    assert len(set(told[0])) == 3


def test_a_rank_around_repro_run_is_none_of_the_command(tmp_path):
    code = "import random; print(random.random())"
    words = ("sh", "-c", f'"{sys.executable}" program.py; true')

    assert (
        play(tmp_path, code, words=words, environ={"SLURM_PROCID": "3"}).out
        == play(tmp_path, code, words=words).out
    )


def test_the_users_own_sitecustomize_is_run_in_its_place(tmp_path):
    mine = "import sys\nprint('mine', __file__.endswith('mine/sitecustomize.py'))\n"
    write_files(tmp_path, {"mine/sitecustomize.py": mine + "import random\nvalue = 5\n"})
    code = "import sitecustomize, sys, random\nprint(sitecustomize.value)\n"
    code += "print([p for p in sys.path if 'bootstrap' in p], random.random())"
    environ = {"PYTHONPATH": str(tmp_path / "mine")}
    first = play(tmp_path, code, environ=environ)

    assert first.err == ""
    assert first.out.startswith("mine True\n5\n[] ")
    assert first.out == play(tmp_path, code, environ=environ).out


def test_what_the_users_sitecustomize_raises_is_told_as_always(tmp_path):
    write_files(tmp_path, {"mine/sitecustomize.py": "raise RuntimeError('of the user')\n"})
    environ = {"PYTHONPATH": str(tmp_path / "mine")}
    with_us = play(tmp_path, "print(1)", environ=environ)
    without = play(tmp_path, "print(1)", None, environ=environ)

    assert (with_us.out, with_us.err) == (without.out, without.err)
    assert "of the user" in with_us.err


def test_without_one_there_is_none(tmp_path):
    code = "import sys\nprint('sitecustomize' in sys.modules)\n"
    bare = play(tmp_path, code, None)

    assert play(tmp_path, code).out == bare.out
    assert play(tmp_path, code).err == ""


@pytest.mark.parametrize("option", ["-S", "-I", "-E", "-s", "-P", "-B", "-O"])
def test_every_way_to_start_python_works_as_before(tmp_path, option):
    code = "import sys, random; print(len(sys.argv), random.random() < 1)"
    played = play(tmp_path, code, words=(sys.executable, option, "program.py", "x"))

    assert (played.out, played.err) == ("2 True\n", "")


def test_modules_and_code_of_the_command_line_are_seeded(tmp_path):
    code = "import random; print(random.random())"
    for words in ((sys.executable, "-m", "program"), (sys.executable, "-c", code)):
        assert play(tmp_path, code, words=words).out == play(tmp_path, code, words=words).out


def test_a_live_folder_that_is_gone_is_never_made_again(tmp_path):
    code = "import os, shutil; shutil.rmtree(os.environ['REPRO_LIVE_DIR'])\n"
    code += "import random; print(os.path.exists(os.environ['REPRO_LIVE_DIR']))"

    assert play(tmp_path, code).out == "False\n"


def test_what_outlives_its_run_is_left_alone(tmp_path):
    code = "import random; print(random.random())"
    environ = {"REPRO_LIVE_DIR": str(tmp_path / "gone")}
    words = (sys.executable, "-c", code)
    first, again = (play(tmp_path, "", words=words, environ=environ).out for _ in range(2))

    assert first != again


def test_processes_share_no_numbers_where_no_key_can_be_claimed(tmp_path):
    deep = tmp_path
    while len(str(deep)) < 4085:  # a folder in which no file can be named: longer paths are none
        deep /= "x" * min(200, 4085 - len(str(deep)) - 1)
        deep.mkdir()
    line = f'for n in 1 2 3; do "{sys.executable}" program.py; done'
    code = "import random; print(random.random())"
    played = play(tmp_path, code, words=("sh", "-c", line), environ={"REPRO_LIVE_DIR": str(deep)})

    assert len(set(played.out.split())) == 3
    assert played.err == ""


def test_a_repro_inside_of_another_one_seeds_once(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "older")
    code = "import random, sys; print([p for p in sys.path if 'older' in p], random.random())"
    played = play(tmp_path, code, environ={"PYTHONPATH": str(tmp_path / "older")})

    assert played.out == play(tmp_path, code).out
    assert len(played.reports.processes) == 1


@pytest.mark.parametrize("value", ["", "x", "-1", "1" * 400, ";;;", "1;;;;;;;;", "\u00b2;;"])
def test_odd_variables_do_no_harm(tmp_path, value):
    environ = {"PYTHONPATH": str(FOLDER), "REPRO_RANDOM": value, "REPRO_LIVE_DIR": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", "import random; print(1)"],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )

    assert (done.stdout, done.stderr) == ("1\n", "")


def test_repro_inside_of_a_command_works_as_before(tmp_path):
    words = (sys.executable, "-m", "repro", "--version")

    assert play(tmp_path, "", words=words).out.startswith("repro ")


def test_the_bootstrap_loads_in_old_pythons():
    for path in FOLDER.glob("*.py"):
        version = (3, 4) if path.name == "sitecustomize.py" else (3, 8)
        ast.parse(path.read_text(), feature_version=version)


def test_the_bootstrap_loads_next_to_nothing(tmp_path):
    code = "import sys\nprint(*sorted(sys.modules))"
    ours, bare = (set(play(tmp_path, code, seed).out.split()) for seed in (1, None))

    known = {"_json", "_repro_bootstrap", "_repro_flags", "_repro_generators", "_sha2", "_sha256"}
    assert ours - bare <= known | {"atexit", "itertools", "time"}


def test_every_generator_that_is_seeded_has_a_name_of_its_own():
    assert len({label for label, _, _ in SEEDERS.values()}) == len(SEEDERS)


FOREIGN = "import helper, sys; sys.path.insert(0, 'sub'); import other; exec('1')"


def test_code_below_the_root_is_reported_but_that_of_exceptions_is_not(tmp_path):
    root, tree = tmp_path / "root", tmp_path / "root" / "tree"
    write_files(
        root, {"helper.py": "import inner\n", "inner.py": "x = 1\n", "sub/other.py": "import mine"}
    )
    write_files(tree, {"mine.py": "x = 1\n"})
    environ = {
        "REPRO_FOREIGN": f"{root}\n\n{tree}",
        "PYTHONPATH": os.pathsep.join([str(root), str(root / "sub"), str(tree)]),
    }
    played = play(tree, FOREIGN, environ=environ)

    foreign = [Path(path).relative_to(root).as_posix() for path in played.reports.foreign]
    assert foreign == ["helper.py", "inner.py", "sub/other.py"]


def test_code_behind_a_link_is_reported_as_where_it_is(tmp_path):
    root = tmp_path / "root"
    write_files(root, {"lib/helper.py": "x = 1\n"})
    (tmp_path / "link").symlink_to(root / "lib")
    environ = {"REPRO_FOREIGN": str(root), "PYTHONPATH": str(tmp_path / "link")}
    played = play(tmp_path / "elsewhere", "import helper", environ=environ)

    assert played.reports.foreign == (str(root / "lib/helper.py"),)


def test_a_folder_that_was_deleted_under_the_program_stops_no_seeding(tmp_path):
    code = "import random; print(random.random())"
    line = f'mkdir away; cd away; rmdir ../away; "{sys.executable}" -c "{code}"'
    environ = {"REPRO_FOREIGN": str(tmp_path / "root")}
    first, again = (
        play(tmp_path, "", words=("sh", "-c", line), environ=environ).out for _ in range(2)
    )

    assert first == again != ""


def test_extension_modules_are_reported(tmp_path):
    numpy = pytest.importorskip("numpy")
    root = Path(numpy.__file__).parent
    played = play(tmp_path, "import numpy", environ={"REPRO_FOREIGN": str(root)})

    assert any(path.endswith(".so") for path in played.reports.foreign)


def test_code_in_workers_is_reported(tmp_path):
    root = tmp_path / "root"
    write_files(root, {"helper.py": "def work(): return 1\n"})
    code = (
        "import multiprocessing as mp\ndef f(x):\n    import helper\n    return helper.work()\n"
        "if __name__ == '__main__':\n    with mp.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(f, [1]))"
    )
    environ = {"REPRO_FOREIGN": str(root), "PYTHONPATH": str(root)}

    played = play(tmp_path / "elsewhere", code, environ=environ)

    assert played.reports.foreign == (str(root / "helper.py"),)


HIDDEN = (
    "import os, subprocess, sys\n"
    "py, pp = sys.executable, os.environ['PYTHONPATH']\n"
    "subprocess.run([py, '-c', ''], check=True)\n"
    "subprocess.run([py, '-c', 'pass', '-I'], check=True)\n"
    "subprocess.run(['true', 'python', '-I'], env={}, check=True)\n"
    "subprocess.run([py, '-Im', 'ensurepip', '--version'], check=True)\n"
)


def test_a_python_that_is_started_as_usual_is_watched(tmp_path):
    played = play(tmp_path, HIDDEN, environ={"REPRO_FOREIGN": str(tmp_path / "root")})

    assert played.reports.unwatched == ()


@pytest.mark.parametrize(
    "line",
    [
        "subprocess.run([py, '-I', '-c', ''])",
        "subprocess.run([py, '-Es', '-c', ''])",
        "subprocess.run([py, '-c', ''], env={})",
        "subprocess.run([py, '-c', ''], env={'PYTHONPATH': '/elsewhere'})",
        "subprocess.run(['env', '-i', py, '-c', ''])",
        "subprocess.run(['env', '-u', 'PYTHONPATH', py, '-c', ''])",
        "os.environ.pop('PYTHONPATH'); subprocess.run([py, '-c', ''])",
        "os.system(py + ' -S -c pass')",
        "os.execve(py, [py, '-c', ''], {})",
        "os.posix_spawn(py, [py, '-c', ''], {})",
    ],
)
def test_a_python_that_hides_is_reported(tmp_path, line):
    played = play(tmp_path, HIDDEN + line, environ={"REPRO_FOREIGN": str(tmp_path / "root")})

    [program] = played.reports.unwatched
    assert "python" in program


def test_code_that_was_loaded_before_us_is_reported(tmp_path):
    root = tmp_path / "root"
    write_files(root, {"early.py": "x = 1\n"})
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); import early\n"
        "sys.modules.pop('_repro_bootstrap', None); import _repro_bootstrap as one; one.begin()"
    )
    words = (sys.executable, "-S", "-c", code, str(root))
    environ = {"REPRO_FOREIGN": str(root)}

    assert play(tmp_path, "", words=words, environ=environ).reports.foreign == (
        str(root / "early.py"),
    )
