"""Scenarios: what drivers and networks do to a fleet, and what is expected of the Central System, as data."""
