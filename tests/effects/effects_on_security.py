"""Keys of the security white paper."""

from typing import Any

import trio
from key_effect import Changing, effect
from scripted_security import ScriptedSecurity

from ocpp16.configuration.keys import internal, security

KEY = bytes(range(16))


SIGNING = ScriptedSecurity()


@effect(security.DISABLE_SECURITY_EVENT_NOTIFICATIONS, Security__DisableSecurityEventNotifications=False)
async def whether_events_are_sent(on: Changing) -> None:
    for value, is_sent in (("true", False), ("false", True)):
        await on.change(value)
        before = on.count("SecurityEventNotification")
        on.charge_point.on_security_event("TamperDetectionActivated")
        await trio.sleep(1)
        assert on.count("SecurityEventNotification") == before + is_sent


@effect(security.SECURITY_PROFILE, Security__AuthorizationKey=f"hex:{KEY.hex()}")
async def how_it_connects(on: Changing) -> None:
    on.csms._keys = {"cp001": KEY}
    await on.change("1")
    await trio.sleep(5)
    assert on.charge_point.connection.is_connected, "with a password, without which nobody is let in now"
    assert on.charge_point.counters.connection_failures == 0


async def subject(on: Changing) -> tuple[Any, ...]:
    """Whose name a certificate is asked for now."""
    answer = await on.bench.call("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})
    assert answer == {"status": "Accepted"}
    await trio.sleep(1)
    return tuple(SIGNING.of("generate_certificate_signing_request")[-1])


@effect(security.CPO_NAME, Security__CpoName="One", security=SIGNING)
async def for_which_operator(on: Changing) -> None:
    assert (await subject(on))[2] == "One"
    await on.change("Two")
    assert (await subject(on))[2] == "Two"


@effect(
    internal.SECC_LEAF_SUBJECT_COUNTRY,
    security=SIGNING,
    Security__CpoName="One",
    Internal__SeccLeafSubjectCountry="DE",
)
async def in_which_country(on: Changing) -> None:
    assert (await subject(on))[1] == "DE"
    await on.change("AT")
    assert (await subject(on))[1] == "AT"
