"""Checks: gather facts, decide purely, say what was found; one file each, and an explicit chain."""
