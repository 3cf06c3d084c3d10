"""Frozen values and pure functions; nothing here touches a disk, a clock or a process."""
