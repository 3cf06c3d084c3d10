"""Which container a program runs in, as far as its files and variables tell."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from repro.model.canonical import Json
from repro.model.secrets import redact_text

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]{64}")
_LARGEST = 1 << 16  # bytes read of one file
# Part of a line of /proc/self/mountinfo or /proc/1/cgroup, and the engine that put it there.
_TRACES = {"/docker/containers/": "docker", "kubepods": "kubernetes", "/libpod-": "podman"}


def read_container(*, environ: Mapping[str, str], root: Path = Path("/")) -> dict[str, Json] | None:
    """Give `engine`, `image` and `digest` of the container around this process; None outside.

    The image and its digest are known where the engine left them in a file or a variable:
    podman's `/run/.containerenv`, the metadata file of Amazon ECS, `APPTAINER_CONTAINER`,
    `CI_JOB_IMAGE` of GitLab, or a name of the image that holds its digest; else they are None.
    The id of the container itself is another one each time, and is not told.

    Args:
        root: Above `run` and `proc`.
    """
    engine = _find_engine(environ, root)
    if engine is None:
        return None
    image, digest = _find_image(environ, root)
    if digest is None and image is not None and (match := _DIGEST.search(image)):
        digest = match[0]
    return {"engine": engine, "image": redact_text(image) if image else None, "digest": digest}


def _find_engine(environ: Mapping[str, str], root: Path) -> str | None:
    if environ.get("APPTAINER_CONTAINER") or environ.get("SINGULARITY_CONTAINER"):
        return "apptainer"
    if environ.get("KUBERNETES_SERVICE_HOST"):
        return "kubernetes"
    if (root / "run/.containerenv").exists():
        return "podman"
    if (root / ".dockerenv").exists():
        return "docker"
    if environ.get("container"):  # systemd's convention: podman, lxc, oci, systemd-nspawn
        return redact_text(environ["container"])
    traces = _read(root / "proc/self/mountinfo") + _read(root / "proc/1/cgroup")
    return next((engine for trace, engine in _TRACES.items() if trace in traces), None)


def _find_image(environ: Mapping[str, str], root: Path) -> tuple[str | None, str | None]:
    """The name of the image and its digest, each None where nothing says it."""
    for name in ("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"):
        if environ.get(name):
            return environ[name], None
    told = dict(_assignments(_read(root / "run/.containerenv")))
    if told.get("image"):
        image_id = told.get("imageid", "")
        return told["image"], f"sha256:{image_id}" if _HEX.fullmatch(image_id) else None
    if environ.get("ECS_CONTAINER_METADATA_FILE"):
        return _read_ecs(Path(environ["ECS_CONTAINER_METADATA_FILE"]))
    return environ.get("CI_JOB_IMAGE") or None, None


def _read_ecs(path: Path) -> tuple[str | None, str | None]:
    """Source: Amazon ECS developer guide, "Amazon ECS container metadata file"."""
    try:
        told = json.loads(_read(path))
        image, digest = told.get("ImageName"), told.get("ImageID")
    except (ValueError, AttributeError, RecursionError):
        return None, None
    is_digest = isinstance(digest, str) and _DIGEST.fullmatch(digest)
    return image if isinstance(image, str) else None, digest if is_digest else None


def _assignments(text: str) -> list[tuple[str, str]]:
    pairs = (line.partition("=") for line in text.splitlines())
    return [(key.strip(), value.strip().strip('"')) for key, _, value in pairs]


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode(errors="replace")
    except OSError:
        return ""
