"""Write data/docstrings.tsv: docstrings of Python's standard library, labelled by their package.

Real text that every Python has: no download. The label says what a docstring is about.
"""

import ast
import sysconfig
from pathlib import Path

PACKAGES = ("asyncio", "email", "http", "multiprocessing", "tkinter", "unittest")


def docstrings(folder):
    for path in sorted(folder.rglob("*.py")):
        if "test" in path.parts or "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                text = " ".join((ast.get_docstring(node) or "").split())
                if len(text) >= 30:
                    yield text


def main():
    library = Path(sysconfig.get_path("stdlib"))
    lines = []
    for package in PACKAGES:
        found = dict.fromkeys(docstrings(library / package))
        lines += [f"{package}\t{text}\n" for text in found]
    target = Path(__file__).parent / "data" / "docstrings.tsv"
    target.parent.mkdir(exist_ok=True)
    target.write_text("".join(lines), encoding="utf-8")
    print(f"{target}: {len(lines)} docstrings of {len(PACKAGES)} packages")


if __name__ == "__main__":
    main()
