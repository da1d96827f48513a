"""The one limit that tests set to real time."""

PATIENCE = 600.0
"""Seconds after which what has not happened never will, even on a machine that is twenty times slower than most."""
