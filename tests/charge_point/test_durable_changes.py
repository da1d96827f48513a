"""Apply when durable: every kind of change that can be asked for × every trouble of the disk and of the asker.

Afterwards there is one story: what was answered, what is in force, what the station was told, and what the next start
finds are all the new value, or all the old one.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.errors import CallFailed, StoreError
from ocpp16.observer import StoreFailing, StoreRecovered
from ocpp16.store.base import ChargePointChanges
from ocpp16.store.memory import MemoryStore
from ocpp16.testing.central_system import CentralSystem


class Disk(MemoryStore):
    """Outlives a charge point. While `is_full` nothing can be written; `lies`: it is, and told to have failed."""

    def __init__(self) -> None:
        super().__init__(is_volatile=False)
        self.is_full = False
        self.lies = False
        self.attempts = 0

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        self.attempts += 1
        if self.is_full and not self.lies:
            raise StoreError("no space left on device")
        refused = super().apply(batches)
        if self.is_full:
            raise StoreError("the commit was made, and its end not told")
        return refused


Ask = Callable[[Any], Awaitable[bool]]
"""Ask for the change. True: it was accepted."""
Look = Callable[[Any], bool]
"""Is the new value in force?"""


@dataclass(frozen=True)
class Kind:
    ask: Ask
    is_new: Look
    prepare: Callable[[Any], Awaitable[object]] | None = None
    was_told: Look | None = None
    """Was the station told of the new value since the change was asked for?"""
    in_file: bool = False
    keys: Mapping[str, Any] = field(default_factory=dict)
    """Of the configuration, by `Section__Key`."""


async def accepted(bench: Any, action: str, payload: dict[str, Any]) -> bool:
    try:
        answer = await bench.call(action, payload)
    except CallFailed as error:
        if error.code != "InternalError":
            raise
        return False
    return answer["status"] in ("Accepted", "Scheduled")


async def host(change: Awaitable[Any]) -> bool:
    try:
        return str(await change) not in ("Rejected", "0")
    except StoreError:
        return False


def reported(bench: Any, key: str) -> Any:
    return bench.charge_point.configuration.get([key])["configurationKey"][0].get("value")


PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "startSchedule": "2025-12-31T23:00:00Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}],
    },
}


async def install(bench: Any) -> None:
    assert await accepted(bench, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": PROFILE})


RESERVATION = {"connectorId": 2, "expiryDate": "2026-01-02T00:00:00Z", "idTag": "TAG1", "reservationId": 7}


def is_reserved(bench: Any) -> bool:
    is_kept = bool(bench.charge_point.for_station.reservations.all())
    assert is_kept == (bench.charge_point.connector_status(2).status == "Reserved")
    return is_kept


def is_inoperative(bench: Any) -> bool:
    return str(bench.charge_point._runtime.ctx.connectors[2].availability) == "Inoperative"


def listing(kind: str, version: int, **statuses: str | None) -> dict[str, Any]:
    """SendLocalList.req; without a status a tag is not listed any more."""
    entries = [
        {"idTag": tag, **({} if status is None else {"idTagInfo": {"status": status}})}
        for tag, status in statuses.items()
    ]
    return {"listVersion": version, "updateType": kind, "localAuthorizationList": entries}


async def send_list(bench: Any) -> None:
    assert await accepted(bench, "SendLocalList", listing("Full", 1, A="Accepted", B="Accepted"))


def is_listed(bench: Any, version: int, **statuses: str) -> bool:
    """All of it; whatever else it is, it is the list of `send_list`."""
    door = bench.charge_point.for_station.authorization
    found = door.local_list_version, {tag: str(info.status) for tag, info in door.local_list.items()}
    assert found in ((version, statuses), (1, {"a": "Accepted", "b": "Accepted"}))
    return found == (version, statuses)


async def learn(bench: Any) -> None:
    assert (await bench.charge_point.authorize_id_token("OLD")).is_accepted


def is_forgotten(bench: Any) -> bool:
    return "old" not in bench.charge_point.for_station.authorization.cache


WITH_LIST = {"LocalAuthListManagement__LocalAuthListEnabled": True}
WITH_CACHE = {"Core__AuthorizationCacheEnabled": True}


async def inform(bench: Any) -> bool:
    return await host(bench.charge_point.for_station.update_chargepoint_information("V2", "M2", serial_number="S2"))


def is_informed(bench: Any) -> bool:
    found = [bench.charge_point.configuration.text(f"ChargePoint{it}") for it in ("Vendor", "Model", "SerialNumber")]
    assert found in (["V2", "M2", "S2"], ["V1", "M1", None]), "a part of it"
    return found[2] is not None


KINDS: dict[str, Kind] = {
    "SendLocalList, Full": Kind(
        lambda bench: accepted(bench, "SendLocalList", listing("Full", 2, C="Blocked")),
        lambda bench: is_listed(bench, 2, c="Blocked"),
        prepare=send_list,
        keys=WITH_LIST,
    ),
    "SendLocalList, Differential": Kind(
        lambda bench: accepted(bench, "SendLocalList", listing("Differential", 2, A=None, B="Blocked", C="Accepted")),
        lambda bench: is_listed(bench, 2, b="Blocked", c="Accepted"),
        prepare=send_list,
        keys=WITH_LIST,
    ),
    "ClearCache": Kind(lambda bench: accepted(bench, "ClearCache", {}), is_forgotten, prepare=learn, keys=WITH_CACHE),
    "clear_cache": Kind(
        lambda bench: host(bench.charge_point.for_station.authorization.clear_cache()),
        is_forgotten,
        prepare=learn,
        keys=WITH_CACHE,
    ),
    "ChangeConfiguration": Kind(
        lambda bench: accepted(bench, "ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "77"}),
        lambda bench: reported(bench, "ConnectionTimeOut") == "77",
    ),
    "set_configuration_key": Kind(
        lambda bench: host(bench.charge_point.configuration.set("MeterValueSampleInterval", "77")),
        lambda bench: reported(bench, "MeterValueSampleInterval") == "77",
    ),
    "update_chargepoint_information": Kind(inform, is_informed),
    "ChangeConfiguration in a file": Kind(
        lambda bench: accepted(bench, "ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "77"}),
        lambda bench: reported(bench, "ConnectionTimeOut") == "77",
        in_file=True,
    ),
    "ChangeAvailability": Kind(
        lambda bench: accepted(bench, "ChangeAvailability", {"connectorId": 2, "type": "Inoperative"}),
        is_inoperative,
        was_told=lambda bench: (2,) in bench.station.asked("disable_evse"),
    ),
    "on_change_availability": Kind(
        lambda bench: host(bench.charge_point.on_change_availability(2, "Inoperative")),
        is_inoperative,
        was_told=lambda bench: (2,) in bench.station.asked("disable_evse"),
    ),
    "ReserveNow": Kind(lambda bench: accepted(bench, "ReserveNow", RESERVATION), is_reserved),
    "CancelReservation": Kind(
        lambda bench: accepted(bench, "CancelReservation", {"reservationId": 7}),
        lambda bench: not is_reserved(bench),
        prepare=lambda bench: accepted(bench, "ReserveNow", RESERVATION),
    ),
    "SetChargingProfile": Kind(
        lambda bench: accepted(bench, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": PROFILE}),
        lambda bench: bench.installed() == [1],
        was_told=lambda bench: bool(bench.station.asked("signal_set_charging_profiles")),
    ),
    "set_charging_profile": Kind(
        lambda bench: host(bench.charge_point.smart_charging.set_charging_profile(1, PROFILE)),
        lambda bench: bench.installed() == [1],
        was_told=lambda bench: bool(bench.station.asked("signal_set_charging_profiles")),
    ),
    "ClearChargingProfile": Kind(
        lambda bench: accepted(bench, "ClearChargingProfile", {"id": 1}),
        lambda bench: bench.installed() == [],
        prepare=install,
        was_told=lambda bench: bool(bench.station.asked("signal_set_charging_profiles")),
    ),
    "clear_charging_profiles": Kind(
        lambda bench: host(bench.charge_point.smart_charging.clear_charging_profiles()),
        lambda bench: bench.installed() == [],
        prepare=install,
        was_told=lambda bench: bool(bench.station.asked("signal_set_charging_profiles")),
    ),
}


def options(kind: Kind, disk: Disk, tmp_path: Path) -> dict[str, Any]:
    return {"store": disk, **({"user_config_path": tmp_path / "user_config.json"} if kind.in_file else {})}


def break_disk(kind: Kind, disk: Disk, tmp_path: Path, is_broken: bool) -> None:
    disk.is_full = is_broken
    blocker = tmp_path / "user_config.json.tmp"
    if kind.in_file and is_broken:
        (blocker / "x").mkdir(parents=True)
    elif kind.in_file and blocker.exists():
        (blocker / "x").rmdir()
        blocker.rmdir()


def check_one_story(kind: Kind, bench: Any, said: bool | None, where: str) -> bool:
    new = kind.is_new(bench)
    assert said in (None, new), f"{where}: answered {said}, in force {new}"
    if kind.was_told is not None:
        assert kind.was_told(bench) == new, f"{where}: in force {new}, told {kind.was_told(bench)}"
    return new


async def test_a_file_that_cannot_be_written_is_told(open_bench: Any, tmp_path: Any) -> None:
    path = tmp_path / "user_config.json"
    async with open_bench(user_config_path=path) as bench:
        (tmp_path / "user_config.json.tmp" / "x").mkdir(parents=True)
        for value in ("77", "78"):
            change = {"key": "HeartbeatInterval", "value": value}
            with pytest.raises(CallFailed, match="InternalError"):
                await bench.call("ChangeConfiguration", change)
        (failing,) = bench.events.of(StoreFailing)
        assert str(path) in failing.reason
        assert bench.charge_point.counters.store_failures == 1
        (tmp_path / "user_config.json.tmp" / "x").rmdir()
        (tmp_path / "user_config.json.tmp").rmdir()
        assert await bench.call("ChangeConfiguration", change) == {"status": "Accepted"}
        await trio.sleep(1)
        assert len(bench.events.of(StoreRecovered)) == 1


TROUBLES = ["none", "full", "full for a moment", "made and told failed", "cancelled", "cancelled at once"]


def is_possible(name: str, trouble: str) -> bool:
    """The Central System is not cancelled, and a file has no commit."""
    if trouble.startswith("made"):
        return not KINDS[name].in_file
    return name[0].islower() or not trouble.startswith("cancelled")


@pytest.mark.parametrize(
    ("name", "trouble"), [(name, trouble) for name in KINDS for trouble in TROUBLES if is_possible(name, trouble)]
)
async def test_one_story(open_bench: Any, make_config: Any, tmp_path: Path, name: str, trouble: str) -> None:
    kind, disk = KINDS[name], Disk()
    document = make_config(Internal__StoreTimeout=10, **kind.keys)
    said: bool | None = None
    async with open_bench(document=document, **options(kind, disk, tmp_path)) as bench:
        await trio.sleep(1)
        if kind.prepare is not None:
            await kind.prepare(bench)
        await trio.sleep(1)
        bench.station.calls.clear()
        disk.lies = trouble == "made and told failed"
        break_disk(kind, disk, tmp_path, trouble != "none")
        with trio.CancelScope() as scope:
            if trouble == "cancelled":
                scope.deadline = trio.current_time() + 3
            elif trouble == "cancelled at once":
                scope.cancel()
            async with trio.open_nursery() as nursery:
                if trouble == "full for a moment":
                    nursery.start_soon(_mend_later, kind, disk, tmp_path)
                said = await kind.ask(bench)
        if trouble in ("none", "full", "made and told failed"):
            assert said is (trouble == "none")
        await trio.sleep(0.1)
        in_force = check_one_story(kind, bench, said, "at once")
        await trio.sleep(60)
        break_disk(kind, disk, tmp_path, False)
        await trio.sleep(120)
        assert check_one_story(kind, bench, said, "when the disk is there again") is in_force
        bench.begin()
        await trio.sleep(1)
        assert len(bench.sent("StartTransaction")) == 1, "nothing is held up"
        assert bench.charge_point.counters.internal_errors == 0
    async with open_bench(document=document, **options(kind, disk, tmp_path)) as bench:
        assert kind.is_new(bench) is in_force, "after the next start"


async def _mend_later(kind: Kind, disk: Disk, tmp_path: Path) -> None:
    await trio.sleep(2)
    break_disk(kind, disk, tmp_path, False)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if not kind.in_file])
async def test_a_power_cut_before_and_after_the_commit(
    open_bench: Any, make_config: Any, tmp_path: Path, name: str
) -> None:
    """What the next start finds is what was answered; a cut between commit and answer may leave either."""
    kind = KINDS[name]
    document = make_config(**kind.keys)
    for cut_at in ("before", "after"):
        disk = Disk()
        async with open_bench(store=disk, document=document) as bench:
            await trio.sleep(1)
            if kind.prepare is not None:
                await kind.prepare(bench)
            await trio.sleep(1)
            before = _copy(disk)
            assert await kind.ask(bench)
            rows = before if cut_at == "before" else _copy(disk)
        async with open_bench(store=rows, document=document) as bench:
            assert kind.is_new(bench) is (cut_at == "after")


def _copy(disk: MemoryStore) -> MemoryStore:
    left = MemoryStore(is_volatile=False)
    left._rows = deepcopy(disk._rows)
    return left


async def test_a_refused_password_is_never_used(open_bench: Any, make_config: Any) -> None:
    old, new, disk = bytes(range(16)), b"\xaa" * 16, Disk()
    document = make_config(
        Security__SecurityProfile=1, Security__AuthorizationKey="hex:" + old.hex(), Internal__StoreTimeout=5
    )
    async with open_bench(csms=CentralSystem(keys={"cp001": old}), document=document, store=disk) as bench:
        disk.is_full = True
        assert not await accepted(bench, "ChangeConfiguration", {"key": "AuthorizationKey", "value": new.hex()})
        bench.csms.abort("cp001")
        await trio.sleep(30)
        assert bench.charge_point.connection.is_connected
        disk.is_full = False
        await trio.sleep(100)
        bench.csms.abort("cp001")
        await trio.sleep(30)
        assert bench.charge_point.connection.is_connected
    async with open_bench(csms=CentralSystem(keys={"cp001": old}), document=document, store=disk) as bench:
        await trio.sleep(5)
        assert bench.charge_point.connection.is_connected


async def test_changes_that_meet_keep_each_other(open_bench: Any) -> None:
    """Two hosts' tasks and the Central System change keys while the disk takes its time."""
    disk = Disk()
    async with open_bench(store=disk) as bench:
        await trio.sleep(1)
        disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.charge_point.configuration.set, "MeterValueSampleInterval", "11")
            nursery.start_soon(bench.charge_point.configuration.set, "ConnectionTimeOut", "12")
            nursery.start_soon(bench.call, "ChangeConfiguration", {"key": "ClockAlignedDataInterval", "value": "900"})
            await trio.sleep(3)
            disk.is_full = False
    async with open_bench(store=disk) as bench:
        keys = ("MeterValueSampleInterval", "ConnectionTimeOut", "ClockAlignedDataInterval")
        assert [reported(bench, key) for key in keys] == ["11", "12", "900"]


@pytest.mark.parametrize("name", ["ChangeConfiguration", "ChangeAvailability", "SetChargingProfile"])
async def test_a_change_waits_for_the_disk_so_long_at_most(
    open_bench: Any, make_config: Any, disk: Any, name: str
) -> None:
    async with open_bench(document=make_config(Internal__StoreTimeout=10), store=disk) as bench:
        await trio.sleep(1)
        disk.is_full = True
        before = trio.current_time()
        assert not await KINDS[name].ask(bench)
        assert 10 <= trio.current_time() - before < 10.1
        disk.is_full = False
