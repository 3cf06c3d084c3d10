"""One technology per module: git, its objects and refs, journals, content, SQLite, YAML."""
