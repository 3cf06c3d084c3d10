"""The program `repro`: says its version at once, leaves everything else to the command line."""

import importlib
import sys

from repro.version import VERSION


def main() -> None:
    """Run the command line of this process and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"repro {VERSION}\n")
        return
    # Git waits for its hooks: those do without the command line.
    home = "repro.hooks" if is_hook(sys.argv[1:]) else "repro.cli.main"
    try:
        # Loading the command line takes several times as long as all of the above.
        importlib.import_module(home).main()
    except KeyboardInterrupt:  # while it was loaded; what runs then sees to it itself
        sys.exit(130)


def is_hook(words: list[str]) -> bool:
    """Whether the command line WORDS runs a hook."""
    return words[:2] == ["hook", "run"] and len(words) > 2 and not words[2].startswith("-")


if __name__ == "__main__":
    main()
