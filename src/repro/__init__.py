"""Git for experiments."""
