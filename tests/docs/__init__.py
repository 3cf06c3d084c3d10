"""The documentation is true: its blocks run, its pages name everything there is."""
