"""Scenarios that come with the library, one TOML file each."""
