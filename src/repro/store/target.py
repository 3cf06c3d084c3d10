"""What this machine and an interpreter on it are to a distribution file."""

import os
import sys
from pathlib import Path

from repro.model.distfiles import Target


def own_target() -> Target:
    """The interpreter that runs this, on this machine."""
    return make_target(
        implementation=sys.implementation.name,
        version=".".join(map(str, sys.version_info[:3])),
        abi=f"{sys.implementation.cache_tag}{sys.abiflags}",
    )


def make_target(*, implementation: str, version: str, abi: str) -> Target:
    """An interpreter on this machine, from what is recorded of interpreters."""
    uname = os.uname()
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):  # another libc does not know the question
        libc = "musl" if any(Path("/lib").glob("ld-musl-*")) else None
    return Target(
        implementation=implementation,
        version=version,
        system=uname.sysname,
        machine=uname.machine,
        libc=libc,
        is_free_threaded=abi.split("-")[1:2] != [] and "t" in abi.split("-")[1],
    )
