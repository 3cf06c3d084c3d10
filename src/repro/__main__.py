"""The program `repro`: says its version at once, leaves everything else to the command line."""

import importlib
import sys

from repro.version import VERSION


def main() -> None:
    """Run the command line of this process and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"repro {VERSION}\n")
        return
    try:
        # Loading the command line takes several times as long as all of the above.
        importlib.import_module("repro.cli.main").main()
    except KeyboardInterrupt:  # while it was loaded; what runs then sees to it itself
        sys.exit(130)


if __name__ == "__main__":
    main()
