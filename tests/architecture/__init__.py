"""The house stays in order: sizes, floors, what an import costs."""
