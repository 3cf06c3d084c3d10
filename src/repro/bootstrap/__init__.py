"""What `repro run` puts on the path of a command, so that Python there loads it at its start.

`PYTHONPATH` names this folder, and `sitecustomize` of it is what Python looks for by itself.
Standard library only, and as little of that as can be; CPython 3.8 and newer.
"""
