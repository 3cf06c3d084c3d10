"""Benchmarks: run by hand, each prints ratios to git on the same repository."""
