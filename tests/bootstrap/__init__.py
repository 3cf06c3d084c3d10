"""What a command's Python loads at its start."""
