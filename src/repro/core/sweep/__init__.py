"""Sweeps: a frozen snapshot searched by many trials, one use case a module."""
