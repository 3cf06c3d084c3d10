"""The version, where `repro --version` finds it without importing anything else."""

VERSION = "0.1.0"
