"""The face for training code: `import repro`, init, log, finish."""
