"""What a record says of the packages, arguments and files that a run needed."""

from collections.abc import Mapping, Sequence

from repro.model.canonical import Json
from repro.model.environment import OURS, part
from repro.model.marking import is_marked

# Reasons of `Omitted` that say more than that a file is not in the record.
LOOKS_SECRET = "looks secret"  # noqa: S105  it is none itself
HOLDS_SECRET = "holds a secret"  # noqa: S105  likewise
SECRETS = (LOOKS_SECRET, HOLDS_SECRET)
EXCLUDED = "excluded"
# Variables that decide what is computed, or printed, and do not belong to a machine.
_REPLAYED = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "CUBLAS_WORKSPACE_CONFIG",
    "TORCH_CUDNN_V8_API_ENABLED",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "NVIDIA_TF32_OVERRIDE",
    "TF_DETERMINISTIC_OPS",
    "XLA_FLAGS",
    "JAX_ENABLE_X64",
    "TZ",
)
_WISHED = {*SECRETS, EXCLUDED}


def packages_of(environment: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    """The packages of an environment by name, as it says them; what is no package is left out."""
    listed = part(environment, "packages").get("list")
    found = (one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict))
    return {str(one["name"]): one for one in found if isinstance(one.get("name"), str)}


def search_path_of(environment: Mapping[str, Json]) -> list[str]:
    """The entries of `PYTHONPATH`: absolute, or relative to the root of the repository."""
    value = part(environment, "variables").get("PYTHONPATH")
    return [one for one in value.split(":") if one] if isinstance(value, str) else []


def list_editables(environment: Mapping[str, Json]) -> dict[str, str]:
    """Where each editable package lay whose code that of the project does not hold, by its name.

    Not of repro itself, in whose place the one that reproduces a run is put.
    """
    found = {}
    for name, package in packages_of(environment).items():
        origin = package.get("origin")
        if isinstance(origin, Mapping) and origin.get("editable") is True and name != OURS:
            # A folder in the project that git ignores has no URL, and a tree of its own.
            place = origin.get("url" if "tree" not in origin or "url" in origin else "path")
            if isinstance(place, str):
                found[name] = place
    return found


_ARCHIVES = (".whl", ".zip", ".gz", ".bz2", ".xz", ".tar")


def list_copies(environment: Mapping[str, Json]) -> dict[str, str]:
    """Which folder of the project each package is an installed copy of, by its name.

    Nobody can tell whether it is a copy of the code as the run has it. Not of repro itself, nor
    of what came from a file.
    """
    found = {}
    for name, package in packages_of(environment).items():
        origin = package.get("origin")
        place = origin.get("path") if isinstance(origin, Mapping) else None
        is_copy = isinstance(origin, Mapping) and origin.get("editable") is not True
        if is_copy and isinstance(place, str) and name != OURS and not place.endswith(_ARCHIVES):
            found[name] = place
    return found


def named_tree(environment: Mapping[str, Json], name: str) -> str | None:
    """The git tree with the code of an editable package; None where the record has none."""
    origin = packages_of(environment)[name].get("origin")
    tree = origin.get("tree") if isinstance(origin, Mapping) else None
    return tree if isinstance(tree, str) else None


def list_left_out(environment: Mapping[str, Json], name: str) -> list[str]:
    """What the record leaves out of the code of an editable package, but for what looks secret."""
    origin = packages_of(environment)[name].get("origin")
    listed = origin.get("omitted") if isinstance(origin, Mapping) else None
    found = (one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict))
    return [str(one.get("path")) for one in found if one.get("reason") not in _WISHED]


def list_redacted(command: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Names of what was taken out of a command, each with the variables that give it back.

    A name is the option or variable that it belongs to, or else `argument 3`.
    """
    if not any(map(is_marked, command)):
        return {}
    # Here, for most commands have no secret, and every run that ends would pay for the patterns.
    from repro.model.redacted import find_redacted  # noqa: PLC0415

    return {
        one.option or f"argument {one.position}": one.variables for one in find_redacted(command)
    }


def replay_variables(
    environment: Mapping[str, Json], environ: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Give the variables of a process those that a run had: thread counts, flags of determinism.

    Args:
        environment: As the run recorded it; where it tells no variables, nothing changes.
        environ: The whole environment of the process.

    Returns:
        The environment, and a line for each variable that is another in it than in `environ`.
    """
    recorded = part(environment, "variables")
    changed = dict(environ)
    notes: list[str] = []
    for name in _REPLAYED if "variables" in environment else ():
        value, now = recorded.get(name), environ.get(name)
        is_usable = value is None or (isinstance(value, str) and not is_marked(value))
        if value == now or not is_usable or "\0" in str(value):
            continue
        changed.pop(name, None)
        if value is not None:
            changed[name] = str(value)
        yours = "not set" if now is None else f"`{now}`"
        had = "not set" if value is None else f"`{value}`"
        notes.append(f"`{name}` is {had} as in the run; in your environment it is {yours}")
    return changed, notes
