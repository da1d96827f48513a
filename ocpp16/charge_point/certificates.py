"""Who keeps roots and certificates where the host brings nobody: the built-in EvseSecurity, on files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ocpp16.security.evse_security import CaCertificateType, EvseSecurity


def built_in(certificates_path: str | Path | None, security_configuration: Mapping[str, Any]) -> EvseSecurity | None:
    """None where there is no place to keep anything."""
    bundle = security_configuration.get("csms_ca_bundle")
    if bundle:
        return _Roots(Path(bundle))  # type: ignore
    return None if certificates_path is None else _Roots(Path(certificates_path) / "ca" / "csms")  # type: ignore


class _Roots:
    def __init__(self, path):  # type: ignore
        self.path = path

    async def get_verify_location(self, kind):  # type: ignore
        return self.path if kind is CaCertificateType.CSMS else None
