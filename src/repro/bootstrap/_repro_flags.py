"""What bears on whether two executions compute the same, besides seeds: flags of packages."""

import os
import sys

_THREADS = "_NUM_THREADS"
_VARIABLES = ("CUBLAS_WORKSPACE_CONFIG", "PYTHONHASHSEED", "TF_DETERMINISTIC_OPS")
_TORCH = {
    "deterministic": ("are_deterministic_algorithms_enabled",),
    "cudnn.deterministic": ("backends", "cudnn", "deterministic"),
    "cudnn.benchmark": ("backends", "cudnn", "benchmark"),
    "cudnn.allow_tf32": ("backends", "cudnn", "allow_tf32"),
    "cuda.matmul.allow_tf32": ("backends", "cuda", "matmul", "allow_tf32"),
    "num_threads": ("get_num_threads",),
}


def read_flags() -> "dict[str, object]":
    """The flags of the packages that are loaded, and the variables; imports nothing."""
    flags: "dict[str, object]" = {}
    torch = sys.modules.get("torch")
    if torch is not None:
        import warnings  # noqa: PLC0415  not at every start of Python

        with warnings.catch_warnings():  # of names that a newer torch wants no more
            warnings.simplefilter("ignore")
            found = {name: _ask(torch, path) for name, path in _TORCH.items()}
        flags["torch"] = {name: value for name, value in found.items() if value is not None}
    if "tensorflow" in sys.modules:
        context = sys.modules.get("tensorflow.python.framework.config")
        enabled = _ask(context, ("is_op_determinism_enabled",))
        flags["tensorflow"] = {} if enabled is None else {"op_determinism": enabled}
    names = sorted(n for n in os.environ if n in _VARIABLES or n.endswith(_THREADS))
    flags["variables"] = {name: os.environ[name][:256] for name in names[:64]}
    return {name: value for name, value in flags.items() if value}


def _ask(thing: object, path: "tuple[str, ...]") -> object:
    try:
        for name in path:
            thing = getattr(thing, name)
        value = thing() if callable(thing) else thing
    except Exception:  # an older package, or half of one
        return None
    return value if isinstance(value, (bool, int, str)) else None
