"""Python's own way in at its start: hands over, then makes way for the user's `sitecustomize`."""

# Any Python reads this, 2.7 among them: no newer syntax here.
import os
import sys

_self = sys.modules.pop("sitecustomize", None)  # kept alive: Python 2 empties what it lets go of
_folder = os.path.dirname(os.path.abspath(__file__))
if sys.version_info >= (3, 8):  # noqa: UP036  any Python may be on the path
    try:
        import _repro_bootstrap  # type: ignore[import-not-found,unused-ignore]

        _repro_bootstrap.begin()
    except Exception:  # a program must start as it does without us
        pass
sys.path[:] = [_path for _path in sys.path if os.path.abspath(_path or os.curdir) != _folder]
# The user's, if there is one. If not, this raises the ImportError that Python expects of a path
# without any; what the user's raises is told by Python as always.
import sitecustomize  # type: ignore[import-not-found,unused-ignore]  # noqa: E402, F401
