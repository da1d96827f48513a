"""Whatever stands in a stored row: the next start works, and what is good beside it is sent."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import Mock

import pytest
import trio

from ocpp16.enums import Reason
from ocpp16.models import DeadLetter
from ocpp16.observer import InternalError
from ocpp16.profiles.meter_values import MeterValues
from ocpp16.state.transaction import Transaction
from ocpp16.store.base import Put, Row, Table
from ocpp16.store.memory import MemoryStore, Shelf
from ocpp16.store.tables import TABLES, charging_profiles, message_queue, samples, settings, transactions
from ocpp16.testing.answers import CallErrorAnswer
from ocpp16.testing.central_system import START, CentralSystem

Rows = dict[str, Shelf]

VALUES: tuple[Any, ...] = (
    0,
    7,
    -1,
    2**31,
    2**63 - 1,
    -(2**63),
    0.5,
    float("nan"),
    float("-inf"),
    "",
    "\x00\x1b[2J" * 100,
    b"\xff\x00",
    None,
    "null",
    "{}",
    "[" * 5000,
    '{"timestamp":"x","sampledValue":[{"value":"1"}]}',
    '{"timestamp":"0001-01-01T00:00:00Z","sampledValue":[{"value":"1"}]}',
    '{"Core":{"HeartbeatInterval":-5},"transaction":1,"series":{"begun":{"energy_import":[1e300,1]}}}',
)
"""Of every type that SQLite has, and JSON of every shape but the right one."""

NOT_READ = {"jobs"}
"""Tables of what is not built."""
READ = [table for table in TABLES if table.name not in NOT_READ]

BOTH = "Energy.Active.Import.Register,Energy.Active.Import.Interval"
CONFIG = {
    "Internal__SupportedMeasurands": BOTH,
    "Core__SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger,LocalAuthListManagement,Reservation",
    "Core__AuthorizationCacheEnabled": True,
    "LocalAuthListManagement__LocalAuthListEnabled": True,
    "Core__MeterValueSampleInterval": 20,
    "Core__MeterValuesSampledData": BOTH,
    "Core__StopTxnSampledData": BOTH,
    "SmartCharging__ChargeProfileMaxStackLevel": 9,
    "SmartCharging__ChargingScheduleAllowedChargingRateUnit": "Current",
    "SmartCharging__ChargingScheduleMaxPeriods": 24,
    "SmartCharging__MaxChargingProfilesInstalled": 10,
}


class Spoilt(NamedTuple):
    """A column, the row it is in, and what stands there."""

    table: str
    row: int
    column: int
    value: Any


class SpoiltStore(MemoryStore):
    """Gives one value of one row otherwise than it was stored."""

    spoilt: Spoilt | None = None

    def load(self, charge_point_id: str, table: Table, key: Row = ()) -> list[Row]:
        rows = super().load(charge_point_id, table, key)
        it = self.spoilt
        if it is not None and table.name == it.table and table.columns == _columns(it.table) and len(rows) > it.row:
            row = rows[it.row]
            rows[it.row] = (*row[: it.column], it.value, *row[it.column + 1 :])
        return rows

    def with_rows(self, rows: Rows) -> "SpoiltStore":
        self._rows = deepcopy(rows)
        return self


def _columns(name: str) -> tuple[str, ...]:
    return next(table.columns for table in TABLES if table.name == name)


async def left_behind(open_bench: Any, document: Any, profile: Any) -> Rows:
    """What a power cut leaves: on connector 1 runs a transaction that began before the clock was set (1000 to 1500 Wh),
    on connector 2 one has ended that nobody could be told of (3000 to 3100 Wh)."""
    csms, store = CentralSystem(), SpoiltStore(is_volatile=False)
    csms.is_reachable = False
    async with open_bench(csms=csms, store=store, document=document) as bench:
        bench.measure(1, 1000.0)
        bench.begin(1)
        await trio.sleep(5)
        csms.is_reachable = True
        await csms.wait_for_call("StartTransaction")
        csms.answers["StopTransaction"] = CallErrorAnswer("InternalError")
        bench.begin(2, "s0", "TAG2")
        bench.charge_point.on_transaction_stopped(2, "s0", Reason.LOCAL, 1100)
        assert await bench.install(1, profile(1)) == "Accepted"
        assert await bench.install(1, profile(2, chargingProfilePurpose="TxProfile")) == "Accepted"
        await bench.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "777"})
        await bench.call("ChangeAvailability", {"connectorId": 2, "type": "Operative"})
        listed = {"idTag": "LISTED", "idTagInfo": {"status": "Accepted"}}
        update = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [listed]}
        assert await bench.call("SendLocalList", update) == {"status": "Accepted"}
        reservation = {"connectorId": 2, "expiryDate": "2026-01-02T00:00:00Z", "idTag": "TAG9", "reservationId": 7}
        assert await bench.call("ReserveNow", reservation) == {"status": "Accepted"}
        await trio.sleep(60)
        bench.charge_point.on_meter_values(1, bench.measure(1, 1500.0))
        await trio.sleep(25)
        csms.is_reachable = False
        csms.abort("cp001")
        bench.measure(2, 3000.0)
        bench.begin(2, "s2", "TAG2", 3000)
        await trio.sleep(25)
        bench.charge_point.on_transaction_stopped(2, "s2", Reason.LOCAL, 3100)
        await bench.charge_point.stored()
        rows = deepcopy(store._rows)
        csms.answers.clear()
    assert {name for name, found in rows["cp001"].items() if found} == {table.name for table in READ}
    return rows


async def start_on(open_bench: Any, document: Any, store: SpoiltStore, resumed: tuple[str, ...]) -> list[int]:
    """Start, end what runs, begin and end another transaction. Returns the meterStop of all that were told."""
    csms = CentralSystem(first_transaction_id=50)
    async with open_bench(csms=csms, store=store, document=document, start=False) as bench:
        left_out = bench.charge_point.counters.internal_errors
        await bench.charge_point.start(resuming_session_ids=resumed)
        await trio.sleep(50)
        for transaction in bench.charge_point._runtime.ctx.transactions.all_running():
            bench.charge_point.on_transaction_stopped(
                transaction.connector_id, transaction.session_id, Reason.LOCAL, 1600
            )
        bench.begin(2, "s3", "TAG2", 4000)
        bench.charge_point.on_transaction_stopped(2, "s3", Reason.LOCAL, 5000)
        await trio.sleep(50)
        assert bench.charge_point.connection.is_connected
        assert bench.charge_point.connection.queue_depth == 0
        assert bench.charge_point.counters.internal_errors == left_out
        assert all(isinstance(letter, DeadLetter) for letter in await bench.charge_point.dead_letters())
        return [stop["meterStop"] for stop in bench.sent("StopTransaction")]


@pytest.mark.parametrize(
    ("table", "resumed"),
    [*((table, ()) for table in READ), *((rows.TABLE, ("s1",)) for rows in (transactions, samples, settings))],
    ids=lambda part: part.name if isinstance(part, Table) else "resumed" if part else "stopped",
)
def test_no_value_of_a_stored_row_stops_the_start(
    open_bench: Any,
    make_config: Any,
    profile: Any,
    virtual_run: Callable[..., Any],
    table: Table,
    resumed: tuple[str, ...],
) -> None:
    document = make_config(**CONFIG)
    rows = virtual_run(left_behind, open_bench, document, profile)
    own_end = 1600 if resumed else 1500
    every = virtual_run(start_on, open_bench, document, SpoiltStore(is_volatile=False).with_rows(rows), resumed)
    assert sorted(every) == [own_end, 3100, 5000]
    # The first row of each; of the settings all, for each means something else.
    count = len(rows["cp001"][table.name]) if table is settings.TABLE else 1
    wrong = []
    for row in range(count):
        for column, name in enumerate(table.columns):
            for value in VALUES:
                store = SpoiltStore(is_volatile=False).with_rows(rows)
                store.spoilt = Spoilt(table.name, row, column, value)
                try:
                    told = virtual_run(start_on, open_bench, document, store, resumed)
                except BaseException as error:
                    wrong.append(f"row {row}, {name} = {value!r:.60}: {error!r:.200}")
                    continue
                good = {3100, 5000} if table is transactions.TABLE else {own_end, 3100, 5000}
                if not good <= set(told):
                    wrong.append(f"row {row}, {name} = {value!r:.60}: told {told}")
    assert wrong == []


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("meter_last", 2**40, 1500),  # by the checkpoint of the connector
        ("meter_last", -(2**63), 1500),
        ("meter_last", 7, 1500),
        ("meter_start", 2**40, 1500),
        ("meter_last_at", -5, 1500),
        ("connector_id", 2**31, None),
        ("connector_id", 0, None),
        ("connector_id", -1, None),
        ("key", -1, None),
    ],
)
def test_the_end_of_a_transaction_is_told_by_what_can_have_been(
    open_bench: Any,
    make_config: Any,
    profile: Any,
    virtual_run: Callable[..., Any],
    column: str,
    value: int,
    told: int | None,
) -> None:
    document = make_config(**CONFIG)
    store = SpoiltStore(is_volatile=False).with_rows(virtual_run(left_behind, open_bench, document, profile))
    store.spoilt = Spoilt("transactions", 0, transactions.TABLE.columns.index(column), value)
    ends = virtual_run(start_on, open_bench, document, store, ())
    assert sorted(ends) == sorted([3100, 5000] if told is None else [told, 3100, 5000])


def test_data_that_cannot_be_made_does_not_keep_the_end_of_a_transaction_back(
    open_bench: Any,
    make_config: Any,
    profile: Any,
    virtual_run: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = make_config(**CONFIG)
    rows = virtual_run(left_behind, open_bench, document, profile)
    for data in ([{"timestamp": "x", "sampledValue": []}], ZeroDivisionError()):
        monkeypatch.setattr(MeterValues, "end", Mock(side_effect=[data]))
        store = SpoiltStore(is_volatile=False).with_rows(rows)

        async def body(store: SpoiltStore = store) -> None:
            async with open_bench(store=store, document=document) as bench:
                await trio.sleep(50)
                ends = {stop["meterStop"]: stop for stop in bench.sent("StopTransaction")}
                assert "transactionData" not in ends[1500]
                assert 3100 in ends
                assert bench.charge_point.counters.internal_errors == 1

        virtual_run(body)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("configuration", [1]),
        ("configuration", "x"),
        ("boot", -1),
        ("boot", "7"),
        ("boot", True),
        ("first number", 2**60),
    ],
)
async def test_a_setting_of_ours_that_says_what_cannot_be_is_told(open_bench: Any, key: str, value: Any) -> None:
    store = MemoryStore(is_volatile=False)
    store.apply([("cp001", [settings.put(settings.SettingRow(key, value))])])
    async with open_bench(store=store) as bench:
        await trio.sleep(1)
        assert bench.charge_point.connection.is_connected
        assert bench.charge_point.counters.internal_errors == 1
        (told,) = bench.events.of(InternalError)
        assert told.place == "reading a stored row of settings"
        assert key in told.reason


async def test_starts_are_counted_on_from_their_marks_where_their_number_is_lost(open_bench: Any) -> None:
    """Else times of two starts would have one mark."""
    store = MemoryStore(is_volatile=False)
    payload = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": "2026-01-01T00:00:00Z"}
    rows = [
        message_queue.put(message_queue.MessageRow(number, 1, "StartTransaction", payload, clock_boot=mark))
        for number, mark in ((1, 5), (2, 2**62), (3, -9))
    ]
    store.apply([("cp001", [settings.put(settings.SettingRow("boot", "x")), *rows])])
    async with open_bench(store=store):
        assert store.load("cp001", settings.TABLE, ("boot",)) == [("boot", "6")]


async def test_the_key_of_a_forgotten_transaction_is_not_given_again(open_bench: Any) -> None:
    """While a message names it: that would be taken for one of the new transaction."""
    store = MemoryStore(is_volatile=False)
    payload = {"meterStop": 1, "timestamp": "2026-01-01T00:00:00Z"}
    row = message_queue.MessageRow(1, 1, "StopTransaction", payload, transaction_key=7)
    store.apply([("cp001", [message_queue.put(row)])])
    async with open_bench(store=store) as bench:
        bench.begin()
        (begun,) = bench.charge_point._runtime.ctx.transactions.all_running()
        assert begun.key == 8


def stored_transaction(key: int, session_id: str, transaction_id: int) -> Put:
    transaction = Transaction(key, 1, session_id, "TAG1", START, 1000, transaction_id=transaction_id)
    transaction.meter_last, transaction.meter_last_at = 1000 + transaction_id, START
    return transactions.put(transaction)


async def test_of_two_that_run_on_one_connector_the_later_goes_on_and_the_other_is_ended(
    open_bench: Any, make_config: Any, profile: Any
) -> None:
    """The later one began from memory, while nobody could read the file (docs/storage.md)."""
    store = MemoryStore(is_volatile=False)
    document = make_config(Core__SupportedFeatureProfiles="Core,SmartCharging")
    of_it = charging_profiles.ChargingProfileRow(3, 1, profile(3, chargingProfilePurpose="TxProfile"), 2**40)
    store.apply(
        [("cp001", [stored_transaction(7, "s1", 5), stored_transaction(2**40, "s2", 6), charging_profiles.put(of_it)])]
    )
    async with open_bench(store=store, document=document, start=False) as bench:
        await bench.charge_point.start(resuming_session_ids=["s2"])
        await trio.sleep(1)
        (told,) = bench.sent("StopTransaction")
        assert (told["transactionId"], told["meterStop"], told["reason"]) == (5, 1005, "PowerLoss")
        assert bench.charge_point.counters.internal_errors == 0
        assert bench.installed() == [3]
        bench.charge_point.on_transaction_stopped(1, "s2", Reason.LOCAL, 1500)
        await trio.sleep(1)
        assert [told["transactionId"] for told in bench.sent("StopTransaction")] == [5, 6]
        assert store.load("cp001", transactions.TABLE) == []


async def test_a_transaction_that_cannot_be_read_stays_though_another_begins(open_bench: Any) -> None:
    """For a person to see: nobody else gets its key."""
    store = MemoryStore(is_volatile=False)
    row = stored_transaction(1, "s1", 5).row
    unreadable = Put(transactions.TABLE, (row[0], "x", *row[2:]))
    store.apply([("cp001", [unreadable])])
    async with open_bench(store=store) as bench:
        bench.begin()
        await bench.charge_point.stored()
        assert unreadable.row in store.load("cp001", transactions.TABLE)


def spoil(folder: Path) -> None:
    [path] = folder.glob("*.db")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE message_queue SET payload = '{}' WHERE action = 'SecurityEventNotification'")
        database.execute(
            "UPDATE message_queue SET payload = json_set(payload, '$.transactionData', 7)"
            " WHERE action = 'StopTransaction'"
        )
        database.execute("UPDATE charging_profiles SET profile = '{\"chargingProfileId\": 2}'")


async def test_a_security_event_without_a_type_and_a_profile_without_a_purpose_stop_no_start(
    open_bench: Any, make_config: Any, profile: Any, tmp_path: Path
) -> None:
    csms = CentralSystem()
    document = make_config(Security__DisableSecurityEventNotifications=False)
    async with open_bench(document=document, database_path=tmp_path, csms=csms) as bench:
        assert await bench.install(1, profile(2, 16)) == "Accepted"
        csms.is_reachable = False
        bench.charge_point.connection.drop()
        bench.charge_point.on_security_event("FirmwareUpdated", "by hand")
        bench.begin(1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        await bench.charge_point.stored()
    spoil(tmp_path)
    async with open_bench(document=document, database_path=tmp_path) as bench:
        await trio.sleep(30)
        assert (bench.charge_point.connection.is_connected, bench.installed()) == (True, [])


async def test_nothing_stored_is_in_the_lane_of_boot_notification(open_bench: Any) -> None:
    """One would be gone without a word for this start's own, and two would be one too many for a lane of one."""
    store = MemoryStore(is_volatile=False)
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    boot = {"chargePointModel": "an older one", "chargePointVendor": "V"}
    rows = [
        message_queue.put(message_queue.MessageRow(1, 0, "StatusNotification", status)),
        message_queue.put(message_queue.MessageRow(2, 0, "Heartbeat", {})),
        message_queue.put(message_queue.MessageRow(3, 2, "BootNotification", boot)),
    ]
    store.apply([("cp001", rows)])
    async with open_bench(store=store) as bench:
        await trio.sleep(1)
        assert [sent["chargePointModel"] for sent in bench.sent("BootNotification")] == ["M1"]
        assert {told.place for told in bench.events.of(InternalError)} == {"reading a stored row of message_queue"}
        assert bench.charge_point.counters.internal_errors == 3
        assert [row[0] for row in store.load("cp001", message_queue.TABLE)] == [1, 2, 3]
