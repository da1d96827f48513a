"""Who keeps roots, certificates and keys where the host brings nobody: an EvseSecurity on files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys.security import ADDITIONAL_ROOT_CERTIFICATE_CHECK, CERTIFICATE_STORE_MAX_LENGTH
from ocpp16.security.certificate_paths import PASSWORD, PATHS
from ocpp16.security.evse_security import EvseSecurity
from ocpp16.state.clock import Clock


class Present:
    """The clock of the present start, for what goes on over starts: each has its own (`Clock.continued`)."""

    __slots__ = ("clock",)

    def __init__(self, clock: Clock) -> None:
        self.clock: Clock = clock

    def seconds(self) -> float:
        """Wall time in seconds since 1970."""
        return self.clock.now() / 1e6


def built_in(
    certificates_path: str | Path | None,
    security_configuration: Mapping[str, Any],
    configuration: Configuration,
    *,
    now: Callable[[], float],
    inline: bool = False,
) -> EvseSecurity | None:
    """None where there is no place to keep anything. Where roots alone have one, the rest lies beside them.

    `now`: seconds since 1970; `inline`: work in the trio thread, for a virtual clock. Raises ConfigurationError for
    paths that cannot be.
    """
    given = {name: security_configuration[name] for name in PATHS if security_configuration.get(name)}
    if certificates_path is None:
        if "csms_ca_bundle" not in given:
            return None
        certificates_path = Path(given["csms_ca_bundle"]).parent
    from ocpp16.security.file_evse_security import FileEvseSecurity  # cryptography only where there is a place for keys

    return FileEvseSecurity(
        certificates_path,
        private_key_password=security_configuration.get(PASSWORD) or None,
        additional_root_certificate_check=bool(configuration[ADDITIONAL_ROOT_CERTIFICATE_CHECK]),
        certificate_store_max_length=configuration[CERTIFICATE_STORE_MAX_LENGTH],
        now=now,
        inline=inline,
        **given,
    )
