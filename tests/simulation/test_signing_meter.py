"""The meters that sign: real signatures, pages that never come twice, keys that stay, whatever the disk does."""

import json
import os
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from ocpp16.charge_point.open import open_charge_point
from ocpp16.errors import ConfigurationError
from ocpp16.metering import ocmf
from ocpp16.metering.public_key import key_bytes
from ocpp16.metering.signature import verify
from ocpp16.models import SignedMeterValue
from ocpp16.simulation import CommandError, Commands, Operation, SimulatedStation
from ocpp16.simulation.signing_meter import FILE, RESERVED, Shown, SigningMeters
from ocpp16.testing import CentralSystem

AT = datetime(2026, 1, 1, tzinfo=UTC)
BEGIN = Shown(AT, True, "B", 1500)


def read(value: SignedMeterValue) -> ocmf.Ocmf:
    found = ocmf.parse(value.signed_meter_data)
    verify(found, key_bytes(value.public_key))
    return found


def meters(folder: Path | None, seed: int = 0) -> tuple[SigningMeters, list[str]]:
    warnings: list[str] = []
    return SigningMeters(folder, seed, warnings.append), warnings


def page(of: SigningMeters, connector_id: int = 1) -> int:
    return read(of.signed(connector_id, [BEGIN], "TAG", is_remote=False)).page_number


def test_keys_and_pages_outlive_the_process(tmp_path: Path) -> None:
    first, _ = meters(tmp_path)
    assert [page(first), page(first), page(first, 2)] == [1, 2, 1]
    again, warnings = meters(tmp_path)
    assert again.public_key(1) == first.public_key(1) != first.public_key(2)
    assert again.serial_number(1) == first.serial_number(1) != first.serial_number(2)
    assert page(again) == RESERVED + 1, "none comes twice"
    assert warnings == []
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other, _ = meters(elsewhere)
    assert other.public_key(1) != first.public_key(1), "drawn, where nobody gives a seed"


def test_more_pages_than_are_reserved_at_once(tmp_path: Path) -> None:
    of, _ = meters(tmp_path, seed=3)
    pages = [page(of) for _ in range(RESERVED + 5)]
    assert pages == list(range(1, RESERVED + 6))
    again, _ = meters(tmp_path, seed=3)
    assert page(again) == 2 * RESERVED + 1


def test_the_pages_of_the_most_connectors_are_read_again(tmp_path: Path) -> None:
    pages = {str(number): 2**63 - 1_000 for number in range(1, 10_001)}
    (tmp_path / FILE).write_text(json.dumps({"secret": "0" * 64, "pages": pages}))
    assert page(meters(tmp_path)[0], 10_000) == 2**63 - 999


def test_the_seed_makes_the_key() -> None:
    assert meters(None, 5)[0].public_key(1) == meters(None, 5)[0].public_key(1) != meters(None, 6)[0].public_key(1)
    assert meters(None, 0)[0].public_key(1) == meters(None, 0)[0].public_key(1)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"secret": "00", "pages": {}}', '{"secret": 5, "pages": {}}', "[" * 50_000, "x" * 600_000]
    + [f'{{"secret": "{"0" * 64}", "pages": {pages}}}' for pages in ("5", '{"a": 1}', '{"1": -1}', '{"1": "2"}', "[1]")]
    + [f'{{"secret": "{"z" * 64}", "pages": {{}}}}'],
)
def test_a_file_that_is_not_ours_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(ConfigurationError, match=FILE):
        meters(tmp_path)


def test_a_disk_that_takes_nothing_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of, warnings = meters(tmp_path)

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert [page(of) for _ in range(RESERVED + 1)] == list(range(1, RESERVED + 2))
    assert len(warnings) == 1
    assert "pages of the meter go on in memory: No space left on device" in warnings[0]
    monkeypatch.undo()
    assert page(of) == RESERVED + 2
    assert page(meters(tmp_path)[0]) == 1, "what the disk knows"


def test_who_is_charged_for() -> None:
    of, _ = meters(None)
    card = read(of.signed(1, [BEGIN], "TAG", is_remote=False))
    assert (card.is_identified, card.identification, card.id_type) == (True, "TAG", "ISO14443")
    assert card.flags == ("RFID_PLAIN", "OCPP_AUTH")
    remote = read(of.signed(1, [BEGIN], "TAG", is_remote=True))
    assert (remote.identification, remote.id_type, remote.flags) == ("TAG", "CENTRAL", ("RFID_NONE", "OCPP_RS"))
    nobody = read(of.signed(1, [Shown(AT, False, "", 7)], "", is_remote=False))
    assert (nobody.is_identified, nobody.page[0], nobody.readings[0].time_status) == (False, "F", "U")
    assert [card.page[0], card.readings[0].energy, card.readings[0].time] == ["T", 1500, AT]


# With a charge point

CONFIG: dict[str, dict[str, Any]] = {
    "Internal": {
        "ChargePointId": "cp001",
        "CentralSystemURI": "ws://127.0.0.1:9000/",
        "ChargePointModel": "Simulated",
        "ChargePointVendor": "ocpp16",
    },
    "Core": {"NumberOfConnectors": 2, "MeterValueSampleInterval": 60, "ClockAlignedDataInterval": 300},
    "SignedMeterValues": {"SampledDataSignUpdatedReadings": True, "AlignedDataSignReadings": True},
}


def signed_values(csms: CentralSystem) -> list[str]:
    """In the order in which they were told."""
    found = []
    for call in csms.calls():
        values = call.payload.get("meterValue", ()) or call.payload.get("transactionData", ())
        found += [it["value"] for value in values for it in value["sampledValue"] if it.get("format") == "SignedData"]
    return found


async def charge(station: SimulatedStation, seconds: float) -> None:
    station.plug_in(1, plug_after=0, draw_after=1, draw_for=1e6, current=16, phases=3)
    station.present_id_tag("TAG1", [1])
    await trio.sleep(seconds)
    station.unplug(1)
    await trio.sleep(1)


async def test_a_transaction_is_signed_from_begin_to_end(autojump_clock: Any) -> None:
    station = SimulatedStation(meter_interval=0, signed_meter=True, seed=4)
    async with (
        CentralSystem() as csms,
        open_charge_point(CONFIG, station, connector=csms.connector) as charge_point,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(Operation(station, charge_point).run)
        await trio.sleep(1)
        answer = await csms.call("cp001", "GetConfiguration", {"key": ["MeterPublicKey1", "MeterPublicKey2"]})
        first, second = [row["value"] for row in answer["configurationKey"]]
        assert first != second
        await charge(station, 650)
        await trio.sleep(300)
        texts = [ocmf.parse(text) for text in signed_values(csms)]
        for text in texts:
            if text.serial == station.signing.serial_number(1):  # type: ignore[union-attr]
                verify(text, key_bytes(first))
            else:
                verify(text, key_bytes(second))
        mine = [text for text in texts if text.serial == station.signing.serial_number(1)]  # type: ignore[union-attr]
        kinds = ["".join(reading.transaction for reading in text.readings) for text in mine]
        assert "C" in kinds
        assert "" in kinds, "aligned, when nobody charges"
        (begin,) = [text for text, kind in zip(mine, kinds, strict=True) if kind == "B"]
        (end,) = [text for text, kind in zip(mine, kinds, strict=True) if kind == "BE"]
        assert end.readings[0] == begin.readings[0], "the end tells the begin again"
        assert begin.page_number < end.page_number
        assert {text.identification for text in mine if text.page[0] == "T"} == {"TAG1"}
        stop = csms.calls("StopTransaction")[0].payload
        start = csms.calls("StartTransaction")[0].payload
        assert [begin.readings[0].energy, end.readings[1].energy] == [start["meterStart"], stop["meterStop"]]
        assert stop["meterStop"] > start["meterStart"]
        nursery.cancel_scope.cancel()


async def test_begin_and_end_are_signed_at_the_instants_that_are_told(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the clock goes on between any two looks at it."""
    looks, current = count(), trio.testing.MockClock.current_time
    monkeypatch.setattr(trio.testing.MockClock, "current_time", lambda self: current(self) + next(looks) * 0.0007)
    station = SimulatedStation(meter_interval=0, signed_meter=True)
    async with (
        CentralSystem() as csms,
        open_charge_point(CONFIG, station, connector=csms.connector, anchor=1.8e9) as charge_point,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(Operation(station, charge_point).run)
        await trio.sleep(1)
        await charge(station, 5)
        [start], [stop] = csms.calls("StartTransaction"), csms.calls("StopTransaction")
        told = [datetime.fromisoformat(call.payload["timestamp"]) for call in (start, stop)]
        end = ocmf.parse(signed_values(csms)[-1])
        assert [reading.time for reading in end.readings] == told
        begin = ocmf.parse(signed_values(csms)[0])
        assert begin.readings[0].time == told[0]
        nursery.cancel_scope.cancel()


async def test_a_meter_that_does_not_sign_says_so(autojump_clock: Any) -> None:
    for options in ({}, {"signed_meter": True, "meter_interval": "external"}):
        station = SimulatedStation({"meter_interval": 0, **options})
        async with (
            CentralSystem() as csms,
            open_charge_point(CONFIG, station, connector=csms.connector) as charge_point,
        ):
            operation = Operation(station, charge_point)
            await operation.start()
            await trio.sleep(1)
            with pytest.raises(CommandError, match="the meters do not sign"):
                await Commands(station, charge_point, operation).run("meter_public_key", {"connector": 1})
            await charge(station, 100)
            assert signed_values(csms) == []
            await operation.stop()


async def test_the_command_tells_the_key(autojump_clock: Any, tmp_path: Path) -> None:
    station = SimulatedStation(meter_interval=0, signed_meter=True, meters=tmp_path)
    async with CentralSystem() as csms, open_charge_point(CONFIG, station, connector=csms.connector) as charge_point:
        operation = Operation(station, charge_point)
        await operation.start()
        await trio.sleep(1)
        told = await Commands(station, charge_point, operation).run("meter_public_key", {"connector": 2})
        assert told["public_key"] == charge_point.configuration.text("MeterPublicKey2")
        assert told["serial_number"] == station.signing.serial_number(2)  # type: ignore[union-attr]
        assert json.loads((tmp_path / FILE).read_text())["pages"] == {}
        await operation.stop()
