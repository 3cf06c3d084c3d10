"""What a running server is: whose record it shows, where, and to whom."""

from dataclasses import dataclass, field

from repro.core.curvecache import CurveCache
from repro.core.project import Project
from repro.web.pulse import Pulse

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Values that every page takes.

    Attributes:
        port: The one it listens on, at the loopback address.
        token: Whoever has it may look, and curate; nobody else may do anything.
        is_read_only: Whether curation is refused, too.
        pulse: Says when anything has changed.
        curves: The points that were read lately, for whoever zooms.
    """

    project: Project
    port: int
    token: str = field(repr=False)
    is_read_only: bool = False
    pulse: Pulse
    curves: CurveCache = field(default_factory=CurveCache)

    @property
    def hosts(self) -> frozenset[str]:
        """What a browser on this machine, or behind a tunnel to the same port, calls it."""
        names = (LOOPBACK, "localhost", "[::1]")
        with_port = {f"{name}:{self.port}" for name in names}
        return frozenset(with_port | set(names) if self.port == 80 else with_port)

    @property
    def origins(self) -> frozenset[str]:
        """The origins of its own pages."""
        return frozenset(f"http://{host}" for host in self.hosts)

    @property
    def address(self) -> str:
        """The address to open, with the token."""
        return f"http://{LOOPBACK}:{self.port}/?token={self.token}"
