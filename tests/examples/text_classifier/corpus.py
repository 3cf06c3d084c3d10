"""Write a corpus of real text: docstrings, with the package that each comes from.

`python corpus.py OUT` reads the installed numpy, scipy and scikit-learn and the standard library,
imports none of them, and takes the same number of docstrings from each. The names of the packages
are cut out: they would give the answer away.
"""

import ast
import json
import random
import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

PER_LABEL = 500
WORDS = (8, 60)  # shortest and longest docstring; the rest is cut
GIVEAWAYS = re.compile(r"\b(numpy|np|ndarrays?|scipy|sklearn|scikit|learn|python)\b", re.IGNORECASE)


def docstrings(folder: Path, pattern: str) -> Iterator[str]:
    """The docstrings of all functions and classes below `folder`."""
    for path in sorted(folder.glob(pattern)):
        if "tests" in path.parts or "test" in path.parts:
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                words = GIVEAWAYS.sub(" ", ast.get_docstring(node) or "").split()[: WORDS[1]]
                if len(words) >= WORDS[0]:
                    yield " ".join(words)


def main() -> None:
    packages = Path(sysconfig.get_path("purelib"))
    sources = {
        "numpy": (packages / "numpy", "**/*.py"),
        "scipy": (packages / "scipy", "**/*.py"),
        "sklearn": (packages / "sklearn", "**/*.py"),
        "stdlib": (Path(sysconfig.get_path("stdlib")), "*.py"),
    }
    chance = random.Random(0)
    rows = []
    for label, (folder, pattern) in sources.items():
        found = sorted(set(docstrings(folder, pattern)))
        rows += [(label, text) for text in chance.sample(found, min(PER_LABEL, len(found)))]
    chance.shuffle(rows)
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
