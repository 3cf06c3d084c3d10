"""Where in a command the arguments of the program itself begin, behind any launchers."""

import re
from collections.abc import Sequence
from typing import NamedTuple

_SCRIPT = re.compile(r".*\.(?:py|pyw|sh|bash|ipynb|R|jl|lua|m|pl|rb|js)\Z", re.DOTALL)
_PYTHON = re.compile(r"(?:python|pypy|ipython)[0-9.]*(?:\.exe)?\Z")
_PYTHON_IN_LINE = re.compile(r"(?:\A|[\s;&|(/])(?:python|pypy)[0-9.]*(?=\s)")
_VARIABLE = re.compile(r"[A-Za-z_]\w*=")
_MOST_LAUNCHERS = 16


class _Launcher(NamedTuple):
    """How to step over one launcher.

    Attributes:
        valued: Its options whose value is the next word.
        verbs: The subcommands that must come first, if it has any.
        words: How many words of its own follow its options.
        modules: Whether its `-m` names a module to run.
    """

    valued: frozenset[str]
    verbs: frozenset[str]
    words: int
    modules: bool


def _launcher(
    valued: str = "", verbs: str = "", words: int = 0, *, modules: bool = False
) -> _Launcher:
    return _Launcher(frozenset(valued.split()), frozenset(verbs.split()), words, modules)


_MPI = _launcher(
    "-n -np -c -N -H -host --host -hostfile --hostfile -machinefile --machinefile -x --map-by "
    "--bind-to --rank-by -genv -env -ppn -wdir --wdir -output-filename --output-filename --mca-file"
)
_TORCHRUN = _launcher(
    "--nnodes --nproc-per-node --nproc_per_node --rdzv-backend --rdzv_backend --rdzv-endpoint "
    "--rdzv_endpoint --rdzv-id --rdzv_id --rdzv-conf --rdzv_conf --max-restarts --max_restarts "
    "--monitor-interval --monitor_interval --start-method --start_method --role --log-dir "
    "--log_dir -r --redirects -t --tee --node-rank --node_rank --master-addr --master_addr "
    "--master-port --master_port --local-addr --local_addr --local-ranks-filter",
    modules=True,
)
_PACKAGE_RUNNER = _launcher(
    "-n --name -p --prefix --cwd --with --with-requirements --with-editable --python --extra "
    "--group --project --directory --env-file --index-url --package -e --environment",
    verbs="run",
    modules=True,
)
_PROFILER = _launcher("-o -s -c --outfile --log-path --listen", modules=True)

_LAUNCHERS = {
    "accelerate": _launcher(
        "--config_file --config-file --num_processes --num-processes --num_machines "
        "--num-machines --mixed_precision --mixed-precision --main_process_port "
        "--main-process-port --main_process_ip --main-process-ip --machine_rank --machine-rank "
        "--gpu_ids --gpu-ids --num_cpu_threads_per_process --dynamo_backend --dynamo-backend",
        verbs="launch",
        modules=True,
    ),
    "coverage": _launcher("--rcfile --source --include --omit", verbs="run", modules=True),
    "deepspeed": _launcher(
        "-H --hostfile -i --include -e --exclude --num_nodes --num_gpus --master_port "
        "--master_addr --launcher --launcher_args --autotuning --node_rank --save_pid",
        modules=True,
    ),
    "torchrun": _TORCHRUN,
    "srun": _launcher(
        "-n --ntasks -N --nodes -c --cpus-per-task -p --partition -t --time -A --account -J "
        "--job-name -G --gpus -w --nodelist -o --output -e --error -i --input -D --chdir --mem "
        "--gres --export -m --distribution -q --qos -x --exclude -C --constraint "
        "--gpus-per-node --gpus-per-task --ntasks-per-node --mpi --cpu-bind --gpu-bind"
    ),
    "env": _launcher("-u --unset -C --chdir"),
    "nice": _launcher("-n --adjustment"),
    "ionice": _launcher("-c --class -n --classdata"),
    "timeout": _launcher("-s --signal -k --kill-after", words=1),
    "taskset": _launcher(words=1),
    "stdbuf": _launcher("-i --input -o --output -e --error"),
    "numactl": _launcher("-N -m -C -i --cpunodebind --membind --physcpubind --interleave"),
    "time": _launcher("-o --output -f --format"),
    "sudo": _launcher("-u --user -g --group -D --chdir"),
    "ray": _launcher(
        "--address --working-dir --runtime-env --runtime-env-json", verbs="job submit"
    ),
    "xvfb-run": _launcher("-s --server-args -n --server-num"),
    **dict.fromkeys(
        ("nohup", "setsid", "catchsegv", "unbuffer", "caffeinate", "chronic"), _launcher()
    ),
    **dict.fromkeys(("mpirun", "mpiexec", "orterun", "horovodrun", "mpiexec.hydra"), _MPI),
    **dict.fromkeys(("uv", "poetry", "pdm", "hatch", "pipenv", "rye", "pixi"), _PACKAGE_RUNNER),
    **dict.fromkeys(("conda", "mamba", "micromamba"), _PACKAGE_RUNNER),
    **dict.fromkeys(("kernprof", "scalene", "viztracer", "pyinstrument", "py-spy"), _PROFILER),
}
_MODULES = {
    "torch.distributed.run": _TORCHRUN,
    "torch.distributed.launch": _TORCHRUN,
    "accelerate.commands.launch": _LAUNCHERS["accelerate"],
    "accelerate.commands.accelerate_cli": _LAUNCHERS["accelerate"],
    "deepspeed.launcher.runner": _LAUNCHERS["deepspeed"],
    "coverage": _LAUNCHERS["coverage"],
    **dict.fromkeys(
        ("pdb", "ipdb", "cProfile", "profile", "trace", "debugpy", "scalene", "viztracer"),
        _PROFILER,
    ),
}
_SHELLS = {"sh", "bash", "zsh", "dash", "ksh", "fish"}
_SHELL_VALUED = re.compile(r"-[a-zA-Z]*[oO]\Z")  # `-euo pipefail`
_TWO_VALUES = {"-mca", "--mca", "-gmca", "--gmca"}
_PYTHON_VALUED = {"-X", "-W", "--check-hash-based-pycs"}


def program_arguments(argv: Sequence[str]) -> Sequence[str]:
    """Give the words of a command that its own program reads.

    Steps over `env A=1`, `uv run`, `srun`, `torchrun`, `python -u`, `python -m
    torch.distributed.run` and the like, in any order; they begin behind the script, the module,
    or else the first word.
    """
    return argv[_walk(argv)[1] :]


def shell_line(argv: Sequence[str]) -> int | None:
    """Give the index of the word that is a line of shell, as in `sh -c LINE`, if one is."""
    programs = _walk(argv)[0]
    last = programs[-1] if programs else 0
    if not programs or _base(argv[last]) not in _SHELLS:
        return None
    position = _behind_shell_flags(argv, last + 1)
    is_line = position + 1 < len(argv) and _is_shell_c(argv[position])
    return position + 1 if is_line else None


def _walk(argv: Sequence[str]) -> tuple[list[int], int]:
    """Where the programs of a command are, and where the arguments of the last one begin."""
    programs: list[int] = []
    start = 0
    for _ in range(_MOST_LAUNCHERS):
        while start < len(argv) and _VARIABLE.match(argv[start]):
            start += 1
        if start >= len(argv):
            break
        programs.append(start)
        start, found = _step_over(argv, start)
        if found:
            break
    return programs, start


def starts_python(argv: Sequence[str]) -> bool:
    """Whether a command is a Python, as far as its words, or its line of shell, tell."""
    line = shell_line(argv)
    if line is not None:
        return _PYTHON_IN_LINE.search(argv[line]) is not None
    return any(_PYTHON.match(_base(argv[position])) for position in _walk(argv)[0])


def is_package_runner(argv: Sequence[str]) -> bool:
    """Whether a command is `uv run`, `poetry run` or the like, which look for an environment."""
    names = (_base(argv[position]) for position in _walk(argv)[0])
    return any(_LAUNCHERS.get(name) is _PACKAGE_RUNNER for name in names)


def is_launched(argv: Sequence[str]) -> bool:
    """Whether a command is one launcher or more before one program, such as `uv run python`.

    A shell is no such launcher: nothing tells how many programs it starts.
    """
    start = 0
    for steps in range(_MOST_LAUNCHERS):
        while start < len(argv) and _VARIABLE.match(argv[start]):
            start += 1
        if start >= len(argv) or _base(argv[start]) in _SHELLS:
            return False
        start, found = _step_over(argv, start)
        if found:
            return steps > 0
    return False


def _step_over(argv: Sequence[str], start: int) -> tuple[int, bool]:
    """The index behind the program at `start`, or of the program that it launches."""
    name = _base(argv[start])
    if _PYTHON.match(name):
        return _behind_python(argv, start + 1)
    if name in _SHELLS:
        return _behind_shell(argv, start + 1), True
    launcher = _LAUNCHERS.get(name)
    if launcher is None:
        return start + 1, True
    return _behind_launcher(argv, start + 1, launcher)


def _behind_python(argv: Sequence[str], start: int) -> tuple[int, bool]:
    while start < len(argv):
        word = argv[start]
        if word in _PYTHON_VALUED:
            start += 2
        elif not word.startswith("-") or word == "-":
            return start + 1, True
        elif word.startswith(("--", "-X", "-W")):
            start += 1
        elif "c" in word:
            return start + (2 if word.endswith("c") else 1), True
        elif "m" in word:
            return _behind_module(argv, start, word)
        else:
            start += 1
    return start, True


def _behind_module(argv: Sequence[str], start: int, option: str) -> tuple[int, bool]:
    if not option.endswith("m"):  # `-mpackage`
        return start + 1, True
    launcher = _MODULES.get(argv[start + 1]) if start + 1 < len(argv) else None
    if launcher is None:
        return start + 2, True
    return _behind_launcher(argv, start + 2, launcher)


def _behind_shell(argv: Sequence[str], start: int) -> int:
    start = _behind_shell_flags(argv, start)
    if start < len(argv) and _is_shell_c(argv[start]):
        return len(argv)  # a line of shell, not words
    return start + 1


def _behind_shell_flags(argv: Sequence[str], start: int) -> int:
    """The index of the script of a shell, or of its `-c`."""
    while start < len(argv) and argv[start].startswith("-") and not _is_shell_c(argv[start]):
        start += 2 if _SHELL_VALUED.match(argv[start]) else 1
    return start


def _is_shell_c(word: str) -> bool:
    return word.startswith("-") and word.endswith("c") and not word.startswith("--")


def _behind_launcher(argv: Sequence[str], start: int, launcher: _Launcher) -> tuple[int, bool]:
    if launcher.verbs:
        verb = _behind_options(argv, start, launcher)[0]
        if verb >= len(argv) or argv[verb] not in launcher.verbs:
            return start, True  # `conda install`: the program itself
        while verb < len(argv) and argv[verb] in launcher.verbs:
            verb += 1
        start = verb
    start, is_module = _behind_options(argv, start, launcher)
    if is_module:
        return start + 1, True
    start += launcher.words
    if start < len(argv) and not _is_known(argv[start]) and _is_flag(argv[start - 1]):
        # What follows a flag that we do not know may be its value, if a program comes later.
        later = (i for i in range(start + 1, len(argv)) if _is_known(argv[i]))
        start = next(later, start)
    return start, False


def _behind_options(argv: Sequence[str], start: int, launcher: _Launcher) -> tuple[int, bool]:
    """The index of the first word that is no option; whether it names a module."""
    while start < len(argv) and argv[start].startswith("-"):
        word = argv[start]
        if word == "--":
            return start + 1, False
        if launcher.modules and word in {"-m", "--module"}:
            return start + 1, True
        start += 3 if word in _TWO_VALUES else 2 if word in launcher.valued else 1
    return start, False


def _is_flag(word: str) -> bool:
    return word.startswith("--") and word != "--" and "=" not in word


def _is_known(word: str) -> bool:
    name = _base(word)
    return (
        name != word  # with a folder
        or name in _LAUNCHERS
        or name in _SHELLS
        or _PYTHON.match(name) is not None
        or _SCRIPT.match(name) is not None
    )


def _base(word: str) -> str:
    return word.rpartition("/")[2]
