"""The face for browsers: pages over the record, read-only but for curation."""
