"""Fixtures of pytest for teams that test a Central System."""
