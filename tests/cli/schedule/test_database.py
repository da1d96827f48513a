"""`ocpp16 schedule DATABASE --conf FILE`: what a station has stored, looked at while it runs and after."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.charge_point.open import open_charge_point
from ocpp16.cli import main
from ocpp16.models import ChargingLimit
from ocpp16.state.transaction import Transaction, TransactionPhase
from ocpp16.store.base import Delete, Put, RowChange
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import charging_profiles, clock_corrections, settings, transactions
from ocpp16.store.tables.charging_profiles import ChargingProfileRow
from ocpp16.store.tables.clock_corrections import ClockCorrectionRow
from ocpp16.store.tables.settings import SettingRow
from ocpp16.testing import CentralSystem
from ocpp16.testing.central_system import START
from ocpp16.testing.stations import RecordingStation

NOON = "2026-01-05T12:00:00Z"
AT_NOON = 1767614400 * 1_000_000


class Station(RecordingStation):
    """With smart charging."""

    def charging_limit_changed(self, connector_id: int, limit: ChargingLimit) -> None:
        pass

    async def signal_set_charging_profiles(self) -> None:
        pass


def profile(
    number: int, purpose: str, limit: float, *, unit: str = "A", kind: str = "Relative", **members: Any
) -> dict[str, Any]:
    return {
        "chargingProfileId": number,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": {
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}, {"startPeriod": 600, "limit": limit + 1}],
        },
        **members,
    }


@pytest.fixture
def configuration(write_configuration: Callable[..., Path]) -> Path:
    path = write_configuration()
    document = json.loads(path.read_text())
    document["Core"]["SupportedFeatureProfiles"] = "Core,SmartCharging"
    document["SmartCharging"] = {
        "ChargeProfileMaxStackLevel": 9,
        "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
        "ChargingScheduleMaxPeriods": 10,
        "MaxChargingProfilesInstalled": 10,
    }
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., Path]:
    """Fills the database of cp001 in a folder, which it returns."""

    def fill(*changes: RowChange, name: str = "cp001.db") -> Path:
        folder = tmp_path / "station"
        opened = SqliteStore.open(folder / name)
        rows: list[Put | Delete] = [settings.put(SettingRow("boot", 1))]
        for change in changes:
            assert isinstance(change, Put)
            rows.append(change)
        assert opened.apply([("cp001", rows)]) == {}
        opened.close()
        return folder

    return fill


@pytest.fixture
def ask(configuration: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """The result of the command as JSON, and the lines on standard error."""

    def run(file: Path, *options: str) -> Any:
        assert main(["schedule", str(file), "--conf", str(configuration), "--json", *options]) == 0
        printed = capsys.readouterr()
        return json.loads(printed.out), printed.err.splitlines()

    return run


def periods(found: dict[str, Any]) -> list[tuple[int, float]]:
    return [(period["startPeriod"], period["limit"]) for period in found["periods"]]


async def test_a_station_that_runs(
    tmp_path: Path, configuration: Path, ask: Callable[..., Any], autojump_clock: trio.testing.MockClock
) -> None:
    folder = tmp_path / "station"
    async with (
        CentralSystem() as csms,
        open_charge_point(
            configuration,
            Station(),
            database_path=folder,
            user_config_path=folder / "user_config.json",
            connector=csms.connector,
            anchor=START / 1e6,
            seed=1,
        ) as charge_point,
    ):
        await charge_point.start()
        await trio.sleep(1)
        charge_point.on_transaction_started(1, "s1", "TAG", 0)
        await trio.sleep(1)
        for connector, wanted in (
            (0, profile(1, "TxDefaultProfile", 6)),
            (1, profile(2, "TxProfile", 10)),
            (2, profile(3, "TxDefaultProfile", 6900, unit="W")),
        ):
            request = {"connectorId": connector, "csChargingProfiles": wanted}
            assert (await csms.call("cp001", "SetChargingProfile", request))["status"] == "Accepted"
        await charge_point.configuration.set("CompositeScheduleDefaultLimitAmps", "20")
        await charge_point.stored()
        await trio.sleep(60)
        now = charge_point.for_station.clock.now_datetime()
        for connector in (0, 1, 2):
            told = charge_point.smart_charging.composite_schedule(connector, 1200)
            found, errors = ask(folder, "--start", now.isoformat(), "--connector", str(connector), "--duration", "1200")
            assert periods(found) == [(period.start_period, period.limit) for period in told.periods]
            assert errors == []
        assert len(found["periods"]) == 2
        file = folder / "cp001.db"
        found, _ = ask(file, "--start", now.isoformat(), "--connector", "1", "--duration", "86400", "--explain")
        assert "TxProfile 2 (level 0, connector 1) says 10 A." in found["steps"][0]["reasons"][0]


def test_defaults(store: Callable[..., Path], configuration: Path, ask: Callable[..., Any]) -> None:
    folder = store()
    found, _ = ask(folder)
    assert (found["duration"], found["unit"], found["periods"]) == (
        86400,
        "A",
        [{"startPeriod": 0, "limit": 48.0, "numberPhases": None}],
    )
    document = json.loads(configuration.read_text())
    document["SmartCharging"]["ChargingScheduleAllowedChargingRateUnit"] = "Power"
    configuration.write_text(json.dumps(document))
    assert ask(folder)[0]["unit"] == "W"
    assert ask(folder, "--unit", "A", "--duration", "5")[0]["duration"] == 5


def test_changes_at_run_time_from_the_database_and_from_a_file(
    store: Callable[..., Path], ask: Callable[..., Any]
) -> None:
    changed = {"Internal": {"CompositeScheduleDefaultLimitAmps": 20}}
    folder = store(settings.put(SettingRow("configuration", changed)))
    assert periods(ask(folder)[0]) == [(0, 20)]
    (folder / "user_config.json").write_text('{"Internal": {"CompositeScheduleDefaultLimitAmps": 30}}')
    assert periods(ask(folder)[0]) == [(0, 30)]


def test_times_of_a_clock_that_was_wrong_are_corrected(store: Callable[..., Path], ask: Callable[..., Any]) -> None:
    """Begun in a boot that believed it was 1970, and found out later."""
    begun = Transaction(1, 1, "s1", "TAG", started_at=1_000_000, meter_start=0, clock_boot=1)
    folder = store(
        transactions.put(begun),
        clock_corrections.put(ClockCorrectionRow(1, AT_NOON - 300_000_000)),
        charging_profiles.put(ChargingProfileRow(1, 1, profile(1, "TxProfile", 10), 1)),
    )
    assert periods(ask(folder, "--start", NOON)[0]) == [(0, 10), (301, 11)]


@pytest.mark.parametrize(
    ("section", "key", "value", "reason"),
    [
        ("SmartCharging", "ChargeProfileMaxStackLevel", 3, "stackLevel 4"),
        ("SmartCharging", "ChargingScheduleAllowedChargingRateUnit", "Power", "chargingRateUnit A"),
        ("SmartCharging", "ChargingScheduleMaxPeriods", 1, "2 periods"),
        ("Internal", "SupportedChargingProfilePurposeTypes", ["TxProfile"], "TxDefaultProfile"),
    ],
)
def test_what_the_station_would_drop_at_its_next_start(
    configuration: Path,
    store: Callable[..., Path],
    ask: Callable[..., Any],
    section: str,
    key: str,
    value: Any,
    reason: str,
) -> None:
    folder = store(charging_profiles.put(ChargingProfileRow(1, 1, profile(1, "TxDefaultProfile", 6, stackLevel=4))))
    assert periods(ask(folder, "--start", NOON, "--unit", "A")[0])[0] == (0, 6)
    document = json.loads(configuration.read_text())
    document[section][key] = value
    configuration.write_text(json.dumps(document))
    found, errors = ask(folder, "--start", NOON, "--unit", "A")
    assert periods(found) == [(0, 48)]
    assert reason in errors[0]


def test_what_does_not_count(store: Callable[..., Path], ask: Callable[..., Any]) -> None:
    stopped = Transaction(1, 1, "s1", "TAG", AT_NOON, 0, transaction_id=4, phase=TransactionPhase.STOPPED)
    running = Transaction(2, 2, "s2", "TAG", AT_NOON, 0)
    folder = store(
        transactions.put(stopped),
        transactions.put(running),
        charging_profiles.put(ChargingProfileRow(1, 1, profile(1, "TxProfile", 1), 1)),
        charging_profiles.put(ChargingProfileRow(2, 2, profile(2, "TxProfile", 2), 1)),
        charging_profiles.put(ChargingProfileRow(3, 7, profile(3, "TxDefaultProfile", 3))),
        charging_profiles.put(ChargingProfileRow(4, 0, profile(4, "TxDefaultProfile", 4, kind="Absolute"))),
        charging_profiles.put(ChargingProfileRow(6, 1, profile(6, "TxDefaultProfile", 7))),
        charging_profiles.put(ChargingProfileRow(9, 0, profile(9, "TxDefaultProfile", 5))),
    )
    found, errors = ask(folder, "--start", NOON, "--connector", "2")
    assert periods(found) == [(0, 5), (600, 6)]
    assert [line.split(": ", 2)[1:] for line in errors] == [
        ["charging profile 4 is left out", "startSchedule is missing, which kind Absolute counts from"],
        ["charging profile 2 is left out", "its transaction does not run any more"],
        ["charging profile 3 is left out", "connectorId 7 does not exist"],
    ]
    assert periods(ask(folder, "--start", NOON, "--connector", "1")[0])[0] == (0, 7)


def test_picture_and_table(store: Callable[..., Path], configuration: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = store(charging_profiles.put(ChargingProfileRow(9, 0, profile(9, "TxDefaultProfile", 5))))
    assert main(["schedule", str(folder), "--conf", str(configuration), "--start", NOON, "--plot", "-"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("cp001: connector 1 for 86400 s, in A\n")
    assert "─a─ TxDefaultProfile 9 (level 0, connector 0)" in printed


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "--conf is needed"),
        (("--conf", "nope.json"), "nope.json: there is no such file"),
        (("--conf", "{conf}", "--name", "x"), "--name: a database has no scenarios"),
        (("--conf", "{conf}", "--connector", "3"), "--connector: cp001 has connectors 0 to 2, not 3"),
    ],
)
def test_mistakes(
    options: tuple[str, ...],
    text: str,
    store: Callable[..., Path],
    configuration: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [option.format(conf=configuration) for option in options]
    assert main(["schedule", str(store()), *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert text in line


def test_somebody_else_s_database(
    store: Callable[..., Path], configuration: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = store(name="cp002.db")
    assert main(["schedule", str(folder), "--conf", str(configuration)]) == 2
    assert "has no database of charge point cp001; there are cp002.db" in capsys.readouterr().err
    document = json.loads(configuration.read_text())
    document["Internal"]["ChargePointId"] = "cp002"
    configuration.write_text(json.dumps(document))
    assert main(["schedule", str(folder), "--conf", str(configuration)]) == 2
    assert "has nothing of charge point cp002, but of cp001" in capsys.readouterr().err


def test_all_problems_of_the_configuration(
    store: Callable[..., Path], configuration: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(configuration.read_text())
    document["Core"] |= {"HeartbeatIntervall": 3, "LightIntensity": 101}
    configuration.write_text(json.dumps(document))
    assert main(["schedule", str(store()), "--conf", str(configuration)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"ocpp16: {configuration}: Core.") for line in lines)
