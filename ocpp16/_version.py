"""The version, read by the build and by `ocpp16 --version`."""

__version__ = "0.1.0"
