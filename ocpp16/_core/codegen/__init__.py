"""Writes code from the schemas in `share/`; needed at build time only and not installed.

It must be importable where nothing is built and no dependency but the build's own is there, so it imports nothing of
`ocpp16`. `setup.py` puts the folder above on `sys.path` and imports it as `codegen`.
"""
