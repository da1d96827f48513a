"""An EvseSecurity of the host that lies, raises, never answers, or is gone, at every method.

Everything is answered in a bounded time, and nothing else ends.
"""

from collections.abc import Callable
from typing import Any

import pytest
import trio

from ocpp16.charge_point.open import open_charge_point
from ocpp16.configuration.keys.security import SECURITY_PROFILE
from ocpp16.observer import ConnectionStateChanged, ObserverEvent
from ocpp16.security.evse_security import (
    CertificateHashData,
    CertificateHashDataChain,
    CertificateSigningRequest,
    CsrStatus,
    LeafCertificate,
    LeafCertificateStatus,
)
from ocpp16.testing.stations import RecordingStation


class Odd(BaseException):
    """Of a library that thinks it is alone."""


def raising(error: BaseException) -> Any:
    def answer() -> Any:
        raise error

    return answer


HUGE = "A" * 100_000
_HASHES = CertificateHashData("SHA256", "a" * 1000, "\0", "é")
ANSWERS: dict[str, Callable[[], Any]] = {
    "raises": raising(RuntimeError("no chip")),
    "raises what is no Exception": raising(Odd("no chip")),
    "None": lambda: None,
    "a number": lambda: 10**40,
    "NaN": lambda: float("nan"),
    "a text": lambda: HUGE,
    "a surrogate": lambda: "\ud800",
    "true": lambda: True,
    "a list": lambda: [object()] * 3,
    "a list in itself": lambda: [[]],
    "hash data that is none": lambda: [CertificateHashDataChain("CSMSRootCertificate", _HASHES)],  # type: ignore[arg-type]
    "a request that is none": lambda: CertificateSigningRequest(CsrStatus.ACCEPTED, HUGE),
    "a certificate without a file": lambda: LeafCertificate(LeafCertificateStatus.ACCEPTED),
    "fields of other types": lambda: LeafCertificate(LeafCertificateStatus.ACCEPTED, 1, b"", [], {}),  # type: ignore[arg-type]
}
CALLS: dict[str, dict[str, Any]] = {
    "InstallCertificate": {"certificateType": "CentralSystemRootCertificate", "certificate": "PEM"},
    "DeleteCertificate": {
        "certificateHashData": {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": "a",
            "issuerKeyHash": "b",
            "serialNumber": "1",
        }
    },
    "GetInstalledCertificateIds": {"certificateType": "CentralSystemRootCertificate"},
    "CertificateSigned": {"certificateChain": "PEM"},
    "ExtendedTriggerMessage": {"requestedMessage": "SignChargePointCertificate"},
    "ChangeConfiguration": {"key": "SecurityProfile", "value": "3"},
}


class Events:
    def __init__(self) -> None:
        self.seen: list[ObserverEvent] = []

    async def notify(self, event: ObserverEvent) -> None:
        self.seen.append(event)


class Keeper:
    """`at_once`: it is what the name of the method gives, once the charge point is open."""

    def __init__(self, answer: Callable[[], Any] | None, *, at_once: bool = False) -> None:
        self.answer = answer
        self.at_once = at_once
        self.is_open = False

    def __getattr__(self, name: str) -> Any:
        if self.at_once and self.is_open and self.answer is not None:
            return self.answer()

        async def question(*args: Any) -> Any:
            await trio.lowlevel.checkpoint()
            if self.answer is None:
                await trio.sleep_forever()
            return None if self.answer is None else self.answer()

        return question


@pytest.mark.parametrize("answer", [*ANSWERS, "never comes"])
@pytest.mark.parametrize("at_once", [False, True], ids=["method", "no method"])
async def test_everything_is_answered(open_bench: Any, make_config: Any, answer: str, at_once: bool) -> None:
    keeper = Keeper(ANSWERS.get(answer), at_once=at_once)
    document = make_config(
        Internal__CentralSystemURI="csms.example/ocpp",
        Security__CpoName="Operator",
        Security__AuthorizationKey="hex:" + "01" * 16,
        Security__SecurityProfile=1,
    )
    async with open_bench(document=document, evse_security=keeper) as bench:
        keeper.is_open = True
        for action, payload in CALLS.items():
            found = await bench.csms.call("cp001", action, payload, timeout=200)
            if action not in ("ExtendedTriggerMessage", "ChangeConfiguration"):
                assert found["status"] in {"Rejected", "Failed", "NotFound"}, action
        await trio.sleep(600)
        assert bench.charge_point.connection.is_connected
        assert bench.charge_point.configuration[SECURITY_PROFILE] == 1
        found = await bench.call("GetConfiguration", {"key": ["SecurityProfile"]})
        assert len(found["configurationKey"]) == 1


@pytest.mark.parametrize("answer", [*ANSWERS, "never comes"])
async def test_profile_3_is_tried_on(make_config: Any, answer: str) -> None:
    """With a keeper that gives nothing of use there is no connection, and every attempt says so."""
    keeper = Keeper(ANSWERS.get(answer))
    document = make_config(Internal__CentralSystemURI="wss://127.0.0.1:9/ocpp", Security__SecurityProfile=3)
    events = Events()
    async with open_charge_point(document, RecordingStation(), evse_security=keeper, observer=events) as charge_point:
        await charge_point.start()
        await trio.sleep(1000)
        assert not charge_point.connection.is_connected
        failures = [event for event in events.seen if isinstance(event, ConnectionStateChanged)]
        assert len(failures) >= 3
        assert all(event.reason for event in failures)
