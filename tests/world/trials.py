"""Keys and security profiles on trial: a keeper of certificates, a Central System that is dialled, and what is so."""

from typing import Any

import trio
from scripted_security import ScriptedSecurity

from ocpp16.configuration.keys.security import (
    AUTHORIZATION_KEY,
    PREVIOUS_AUTHORIZATION_KEY,
    PREVIOUS_SECURITY_PROFILE,
    SECURITY_PROFILE,
)
from ocpp16.security.evse_security import CaCertificateType, LeafCertificate, LeafCertificateStatus
from ocpp16.testing.central_system import CentralSystem
from ocpp16.transport.dial import DialFailed, Endpoint

OLD, NEW = bytes(range(16)), bytes(range(240, 256))
CHANGE_KEY = {"key": "AuthorizationKey", "value": NEW.hex()}


def with_password(make_config: Any, **keys: Any) -> Any:
    return make_config(
        Security__SecurityProfile=1,
        Security__AuthorizationKey=f"hex:{OLD.hex()}",
        Internal__RetryBackoffWaitMinimum=5,
        **keys,
    )


def certificates(*, root: bool = True, leaf: bool = True) -> ScriptedSecurity:
    """A keeper that has a root of the Central System, and a certificate of the charge point's own, or not."""
    status = LeafCertificateStatus.ACCEPTED if leaf else LeafCertificateStatus.NOT_FOUND
    return ScriptedSecurity(
        is_ca_certificate_installed=lambda kind: root and kind is CaCertificateType.CSMS,
        get_leaf_certificate_info=LeafCertificate(status),
    )


class Dialled(CentralSystem):
    """Notes where it is dialled, and whether it speaks TLS there."""

    def __init__(self, *, has_tls: bool = True, is_refused: bool = True) -> None:
        super().__init__()
        self.has_tls = has_tls
        self.is_refused = is_refused
        self.endpoints: list[Endpoint] = []

    async def connector(self, endpoint: Endpoint) -> trio.abc.Stream:
        self.endpoints.append(endpoint)
        if endpoint.is_tls and not self.has_tls:
            if self.is_refused:
                raise DialFailed("TLS", "TLS: the server does not speak TLS on this port")
            raise DialFailed("TCP", "TCP: a firewall lets nothing through to this port")
        return await super().connector(endpoint)


def state(bench: Any) -> tuple[Any, ...]:
    """Profile and key in force, and those before, if they are on trial."""
    configuration = bench.charge_point.configuration
    return tuple(
        configuration[key]
        for key in (SECURITY_PROFILE, AUTHORIZATION_KEY, PREVIOUS_SECURITY_PROFILE, PREVIOUS_AUTHORIZATION_KEY)
    )


async def settled(bench: Any, seconds: float = 600) -> None:
    """Until nothing is on trial any more, and the charge point is connected."""
    for _ in range(round(seconds)):
        if state(bench)[2:] == (None, None) and bench.charge_point.connection.is_connected:
            return
        await trio.sleep(1)
    raise AssertionError(f"still on trial after {seconds} s: {state(bench)}")
