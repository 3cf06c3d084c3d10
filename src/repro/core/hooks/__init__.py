"""What the git hooks of repro do, one use case a module; `repro.hooks` is the face."""
