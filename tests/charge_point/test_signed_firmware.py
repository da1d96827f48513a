"""SignedUpdateFirmware: who is asked in which order, what is answered, and what a security event is made of."""

from collections.abc import Sequence
from typing import Any

import pytest
import trio
from workshop import BACK, GO_AHEAD, OUT, Workshop, statuses

from ocpp16.charge_point.assembly import Features
from ocpp16.enums import FirmwareStatusEnumType as Status
from ocpp16.errors import CallFailed
from ocpp16.models import FirmwareUpdate
from ocpp16.security.evse_security import CertificateValidationResult, LeafCertificateType
from ocpp16.state.clock import to_datetime
from ocpp16.state.signals import SecurityEventRaised
from ocpp16.store.tables.jobs import JobRow, put
from ocpp16.testing.central_system import START, CentralSystem

FIRMWARE = {
    "location": "https://user:p4ssw0rd@files.example/firmware.bin",
    "retrieveDateTime": "2026-01-01T00:00:00Z",
    "signingCertificate": "-----BEGIN CERTIFICATE-----",
    "signature": "c2lnbmF0dXJl",
}
ORDER = ["Downloading", "Downloaded", "SignatureVerified", "Installing", "Installed"]


class Keeper:
    """Says what it is told to of every certificate."""

    def __init__(self, verdict: Any = CertificateValidationResult.VALID) -> None:
        self.verdict = verdict
        self.seconds = 0.0
        self.asked: list[tuple[str, list[LeafCertificateType]]] = []

    async def verify_certificate(self, certificate_chain: str, leaf_types: Sequence[LeafCertificateType]) -> Any:
        self.asked.append((certificate_chain, list(leaf_types)))
        await trio.sleep(self.seconds)
        if isinstance(self.verdict, Exception):
            raise self.verdict
        if self.verdict == "hangs":
            await trio.sleep_forever()
        return self.verdict


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Keeper:
    """Of all charge points that are opened in the test."""
    made = Keeper()
    original = Features.__init__

    def with_keeper(self: Features, *arguments: Any) -> None:
        original(self, *arguments)
        self.evse_security = made  # type: ignore[assignment]

    monkeypatch.setattr(Features, "__init__", with_keeper)
    return made


def listen(bench: Any) -> list[SecurityEventRaised]:
    raised: list[SecurityEventRaised] = []
    bench.charge_point._runtime.ctx.signals.on(SecurityEventRaised, raised.append)
    return raised


async def ask(bench: Any, number: int = 5, **members: Any) -> str:
    firmware = {**FIRMWARE, **members}
    answer = await bench.call("SignedUpdateFirmware", {"requestId": number, "retries": 1, "firmware": firmware})
    await trio.sleep(0.1)
    return str(answer["status"])


async def tell(bench: Any, *words: str, number: int = 5) -> None:
    for status in words:
        bench.charge_point.on_firmware_update_status_notification(number, status)
        await trio.sleep(0.1)


def told(bench: Any, number: int | None = 5) -> list[str]:
    payloads = bench.sent("SignedFirmwareStatusNotification")
    return [payload["status"] for payload in payloads if payload.get("requestId") == number]


async def test_from_request_to_installed(open_bench: Any, keeper: Keeper) -> None:
    async with open_bench(station=Workshop()) as bench:
        raised = listen(bench)
        assert await ask(bench) == "Accepted"
        assert keeper.asked == [(FIRMWARE["signingCertificate"], [LeafCertificateType.MF])]
        update = FirmwareUpdate(
            5,
            FIRMWARE["location"],
            to_datetime(START),
            1,
            None,
            None,
            FIRMWARE["signingCertificate"],
            FIRMWARE["signature"],
        )
        assert bench.station.did("signed_update_firmware", "update_firmware") == [
            ("signed_update_firmware", update),
            ("update_firmware", update),
        ]
        await tell(bench, *ORDER[:2])
        assert bench.station.did() == [], "it is not verified yet"
        await tell(bench, ORDER[2])
        assert bench.station.did() == [*OUT, GO_AHEAD]
        await tell(bench, *ORDER[3:])
        assert bench.station.did() == BACK
        assert told(bench) == ORDER
        assert bench.sent("FirmwareStatusNotification") == []
        assert raised == []


@pytest.mark.parametrize("verdict", [*CertificateValidationResult, RuntimeError("no"), "hangs", None, True, "valid"])
async def test_a_certificate_that_is_not_valid_ends_it(
    open_bench: Any, make_config: Any, keeper: Keeper, verdict: Any
) -> None:
    keeper.verdict = verdict
    async with open_bench(station=Workshop(), document=make_config(Internal__StationTimeout=5)) as bench:
        raised = listen(bench)
        if verdict is CertificateValidationResult.VALID:
            assert await ask(bench) == "Accepted"
            return
        is_revoked = verdict is CertificateValidationResult.REVOKED
        assert await ask(bench) == ("RevokedCertificate" if is_revoked else "InvalidCertificate")
        assert bench.station.asked("signed_update_firmware") == []
        assert [(event.type, event.is_critical) for event in raised] == [("InvalidFirmwareSigningCertificate", False)]
        assert [event.type for event in bench.events.of_security()] == ["InvalidFirmwareSigningCertificate"]


async def test_without_anybody_who_keeps_roots_none_is_valid(open_bench: Any) -> None:
    async with open_bench(station=Workshop()) as bench:
        assert await ask(bench) == "InvalidCertificate"


@pytest.mark.parametrize(
    ("answer", "status", "events"),
    [
        ("Accepted", "Accepted", 0),
        ("AcceptedCanceled", "Accepted", 0),
        ("Rejected", "Rejected", 0),
        ("InvalidCertificate", "InvalidCertificate", 1),
        ("RevokedCertificate", "RevokedCertificate", 0),
        ("Perhaps", "Rejected", 0),
        (None, "Rejected", 0),
        (True, "Rejected", 0),
        (RuntimeError("no"), "Rejected", 0),
        ("hangs", "Rejected", 0),
    ],
)
async def test_the_station_decides(
    open_bench: Any, make_config: Any, keeper: Keeper, answer: Any, status: str, events: int
) -> None:
    async with open_bench(station=Workshop(), document=make_config(Internal__StationTimeout=5)) as bench:
        raised = listen(bench)
        if answer == "hangs":
            bench.station.delays["signed_update_firmware"] = 1000
        else:
            bench.station.answers["signed_update_firmware"] = answer
        assert await ask(bench) == status
        assert len(bench.station.asked("update_firmware")) == (status == "Accepted")
        assert len(raised) == events


async def test_all_questions_together_have_the_time_of_one(open_bench: Any, make_config: Any, keeper: Keeper) -> None:
    async with open_bench(station=Workshop(), document=make_config(Internal__StationTimeout=5)) as bench:
        assert await ask(bench) == "Accepted"
        for name in ("signed_update_firmware", "cancel_firmware_update"):
            bench.station.delays[name] = 4
        began = trio.current_time()
        assert await ask(bench, 6) == "Rejected"
        assert trio.current_time() - began <= 6
        await tell(bench, "Downloading")
        assert told(bench) == ["Downloading"], "the first goes on"
        keeper.seconds = 3
        began = trio.current_time()
        assert await ask(bench, 7) == "Rejected"
        assert trio.current_time() - began <= 6, "that of the certificate counts, too"


@pytest.mark.parametrize(("given_up", "status"), [(True, "AcceptedCanceled"), (False, "Rejected")])
async def test_a_second_request(open_bench: Any, keeper: Keeper, given_up: bool, status: str) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)
        await tell(bench, "Downloading")
        bench.station.answers["cancel_firmware_update"] = given_up
        assert await ask(bench, 6) == status
        assert bench.station.asked("cancel_firmware_update") == [(5,)]
        going, gone = (6, 5) if given_up else (5, 6)
        with pytest.raises(ValueError, match="request_id"):
            await tell(bench, "Installed", number=gone)
        await tell(bench, "Installed", number=going)
        assert told(bench, going)[-1] == "Installed"
        assert await ask(bench, 7) == "Accepted", "nothing to give up"


async def test_a_station_that_gave_it_up_itself_is_not_asked_to(open_bench: Any, keeper: Keeper) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench)
        bench.station.answers["signed_update_firmware"] = "AcceptedCanceled"
        assert await ask(bench, 6) == "AcceptedCanceled"
        assert bench.station.asked("cancel_firmware_update") == []


async def test_a_signed_one_takes_the_place_of_an_unsigned_one(open_bench: Any, keeper: Keeper) -> None:
    async with open_bench(station=Workshop()) as bench:
        await bench.call("UpdateFirmware", {"location": "ftp://x/y", "retrieveDate": "2025-01-01T00:00:00Z"})
        assert await ask(bench) == "AcceptedCanceled"
        assert bench.station.asked("cancel_firmware_update") == [(-1,)]


async def test_an_invalid_signature_is_critical(open_bench: Any, keeper: Keeper) -> None:
    async with open_bench(station=Workshop()) as bench:
        raised = listen(bench)
        await ask(bench)
        await tell(bench, "Downloaded", "InvalidSignature", "InvalidSignature")
        assert told(bench) == ["Downloaded", "InvalidSignature"]
        assert [(event.type, event.is_critical) for event in raised] == [("InvalidFirmwareSignature", True)]
        assert statuses(bench) == ["Available", "Available"]


async def test_dates_that_are_to_come_are_waited_for_and_told(open_bench: Any, keeper: Keeper) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench, retrieveDateTime="2026-01-01T01:00:00Z", installDateTime="2026-01-01T02:00:00Z")
        assert told(bench) == ["DownloadScheduled"]
        assert bench.station.asked("update_firmware") == []
        await trio.sleep(3_600)
        assert len(bench.station.asked("update_firmware")) == 1
        await tell(bench, *ORDER[:3])
        assert told(bench)[-2:] == ["SignatureVerified", "InstallScheduled"]
        bench.station.did()
        await trio.sleep(3_500)
        assert bench.station.did() == [], "connectors are needed until then"
        await trio.sleep(200)
        assert bench.station.did() == [*OUT, GO_AHEAD]


async def test_an_install_date_is_waited_for_over_a_restart(open_bench: Any, keeper: Keeper, tmp_path: Any) -> None:
    path = tmp_path / "ocpp.db"
    async with open_bench(station=Workshop(), database_path=path) as bench:
        await ask(bench, installDateTime="2026-01-01T02:00:00Z")
        await tell(bench, *ORDER[:3])
    async with open_bench(station=Workshop(), database_path=path) as bench:
        await trio.sleep(1)
        (update,) = (update for (update,) in bench.station.asked("update_firmware"))
        assert (update.status, update.signature) == (Status.INSTALL_SCHEDULED, FIRMWARE["signature"])
        assert update.signing_certificate == FIRMWARE["signingCertificate"]
        assert bench.station.did() == BACK
        await trio.sleep(7_200)
        assert bench.station.did() == [*OUT, GO_AHEAD]
        await tell(bench, "Installed")
        assert told(bench) == ["Installed"]


@pytest.mark.parametrize("number", [-1, 2**31, -(2**31) - 1])
async def test_an_id_that_cannot_be_told_back_is_rejected(open_bench: Any, keeper: Keeper, number: int) -> None:
    async with open_bench(station=Workshop()) as bench:
        assert await ask(bench, number) == "Rejected"
        assert await ask(bench, location="") == "Rejected"
        assert bench.station.asked("signed_update_firmware") == []


@pytest.mark.parametrize("number", [2**31 - 1, -(2**31), 0])
async def test_any_other_id_is_one(open_bench: Any, keeper: Keeper, number: int) -> None:
    async with open_bench(station=Workshop()) as bench:
        assert await ask(bench, number) == "Accepted"
        await tell(bench, "Downloading", number=number)
        assert told(bench, number) == ["Downloading"]


async def test_a_clock_that_is_ahead_brings_no_install_date_on(open_bench: Any, keeper: Keeper, tmp_path: Any) -> None:
    """The power goes while it is verified; the next start has a clock that is ahead by years, and nobody to ask."""
    options: dict[str, Any] = {"database_path": tmp_path / "db"}
    async with open_bench(station=Workshop(), **options) as bench:
        await ask(bench, installDateTime="2026-01-08T00:00:00Z")
        await tell(bench, "Downloading", "Downloaded")
    csms = CentralSystem()
    csms.is_reachable = False
    ahead = START / 1e6 + 10 * 365 * 86_400
    async with open_bench(station=Workshop(), csms=csms, anchor=ahead, **options) as bench:
        await tell(bench, "SignatureVerified")
        await trio.sleep(60)
        assert bench.station.asked("disable_evse") == []
        csms.is_reachable = True
        await trio.sleep(120)
        assert told(bench)[-1] == "InstallScheduled"
        assert bench.station.asked("disable_evse") == [], "it is a week until then"
        await trio.sleep(7 * 86_400)
        assert len(bench.station.asked("disable_evse")) == 2


async def test_without_its_proof_an_update_has_failed(open_bench: Any, keeper: Keeper, disk: Any) -> None:
    """The row of the signature is damaged: the station is not given firmware that looks as if nobody had signed it."""
    async with open_bench(station=Workshop(), store=disk) as bench:
        await ask(bench)
        await tell(bench, "Downloading")
    disk.apply([("cp001", [put(JobRow("firmware signature", {"signature": None}))])])
    async with open_bench(station=Workshop(), store=disk) as bench:
        await trio.sleep(5)
        assert bench.station.asked("update_firmware") == []
        assert told(bench) == ["DownloadFailed"]
        assert await ask(bench, 6) == "Accepted"


async def test_without_its_proof_one_that_is_over_ended_as_it_did(open_bench: Any, keeper: Keeper, disk: Any) -> None:
    """Nobody was told yet: what is told is how it ended, not that the row of its signature is damaged."""
    async with open_bench(station=Workshop(), store=disk) as bench:
        await ask(bench)
        bench.charge_point.connection.disconnect()
        await trio.sleep(0.1)
        await tell(bench, *ORDER)
    disk.apply([("cp001", [put(JobRow("firmware signature", {"signature": None}))])])
    async with open_bench(station=Workshop(), store=disk) as bench:
        await trio.sleep(5)
        assert told(bench) == ["Installed"]


async def test_nothing_of_it_is_left_on_the_disk(open_bench: Any, keeper: Keeper, tmp_path: Any) -> None:
    certificate = "-----BEGIN CERTIFICATE-----" + "x" * 5_000
    async with open_bench(station=Workshop(), database_path=tmp_path / "ocpp.db") as bench:
        await ask(bench, signingCertificate=certificate)
        await tell(bench, *ORDER)
    for file in tmp_path.iterdir():
        assert b"p4ssw0rd" not in file.read_bytes(), file.name


async def test_g30_idle_has_no_request_id(open_bench: Any, keeper: Keeper) -> None:
    trigger = {"requestedMessage": "FirmwareStatusNotification"}
    async with open_bench(station=Workshop()) as bench:
        for step in ("", "Downloading", "Installed"):
            if step == "Downloading":
                await ask(bench)
            await tell(bench, *filter(None, [step]))
            assert await bench.call("ExtendedTriggerMessage", trigger) == {"status": "Accepted"}
            await trio.sleep(0.1)
        assert bench.sent("SignedFirmwareStatusNotification") == [
            {"status": "Idle"},
            {"status": "Downloading", "requestId": 5},
            {"status": "Downloading", "requestId": 5},
            {"status": "Installed", "requestId": 5},
            {"status": "Idle"},
        ]


async def test_a_station_of_core_knows_none_of_it(open_bench: Any) -> None:
    async with open_bench() as bench:
        for action, payload in (
            ("SignedUpdateFirmware", {"requestId": 1, "firmware": FIRMWARE}),
            ("GetLog", {"requestId": 1, "logType": "SecurityLog", "log": {"remoteLocation": "ftp://x"}}),
        ):
            with pytest.raises(CallFailed, match="NotSupported"):
                await bench.call(action, payload)
        for message in ("FirmwareStatusNotification", "LogStatusNotification", "SignChargePointCertificate"):
            answer = await bench.call("ExtendedTriggerMessage", {"requestedMessage": message})
            assert answer == {"status": "NotImplemented"}


async def test_verified_twice_is_told_once(open_bench: Any, keeper: Keeper) -> None:
    async with open_bench(station=Workshop()) as bench:
        await ask(bench, installDateTime="2026-01-01T02:00:00Z")
        await tell(bench, *ORDER[:3])
        with pytest.raises(ValueError, match="SignatureVerified does not fit after InstallScheduled"):
            await tell(bench, "SignatureVerified")
        assert told(bench) == [*ORDER[:3], "InstallScheduled"]
