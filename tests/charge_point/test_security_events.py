"""Security events: which are told, how often, over outages and restarts."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.enums import BootReason
from ocpp16.observer import SecurityEvent
from ocpp16.profiles.security_events import BURST, CRITICAL, FLOOD_INTERVAL, MOST_TYPES, MOST_WAITING
from ocpp16.testing.answers import CallErrorAnswer
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.misbehaviour import Fault


@pytest.fixture
def telling(make_config: Any) -> Any:
    return make_config(Security__DisableSecurityEventNotifications=False)


def told(bench: Any) -> list[str]:
    return [event["type"] for event in bench.sent("SecurityEventNotification")]


@pytest.mark.parametrize(
    ("reason", "event"),
    [
        (BootReason.POWER_UP, "StartupOfTheDevice"),
        (BootReason.WATCHDOG, "StartupOfTheDevice"),
        (BootReason.APPLICATION_RESET, "StartupOfTheDevice"),
        (BootReason.REMOTE_RESET, "ResetOrReboot"),
        (BootReason.SCHEDULED_RESET, "ResetOrReboot"),
        (BootReason.FIRMWARE_UPDATE, "FirmwareUpdated"),
    ],
)
async def test_a_start_is_an_event(open_bench: Any, telling: Any, reason: BootReason, event: str) -> None:
    async with open_bench(document=telling, start=False) as bench:
        await bench.charge_point.start(boot_reason=reason)
        await trio.sleep(1)
        assert told(bench) == [event]
        assert [one.type for one in bench.events.of(SecurityEvent)] == [event]
        assert bench.sent("BootNotification"), "first"
        actions = [call.action for call in bench.csms.calls()]
        assert actions.index("BootNotification") < actions.index("SecurityEventNotification")


@pytest.mark.parametrize("critical", [None, True, False])
@pytest.mark.parametrize("kind", ["TamperDetectionActivated", "InvalidMessages", "OurOwn"])
async def test_what_is_critical_is_told(open_bench: Any, telling: Any, kind: str, critical: bool | None) -> None:
    at = datetime(2026, 1, 1, 3, tzinfo=UTC)
    async with open_bench(document=telling) as bench:
        await trio.sleep(1)
        before = len(told(bench))
        bench.charge_point.on_security_event(kind, "x" * 255, critical, at)
        await trio.sleep(1)
        is_told = critical if critical is not None else kind in CRITICAL
        assert told(bench)[before:] == [kind] * is_told
        if is_told:
            [*_, event] = bench.sent("SecurityEventNotification")
            assert event == {"type": kind, "timestamp": "2026-01-01T03:00:00.000Z", "techInfo": "x" * 255}
        assert bench.events.of(SecurityEvent)[-1].type == kind


@pytest.mark.parametrize(
    ("anchor", "at", "expected"),
    [
        (datetime(2025, 12, 1, tzinfo=UTC), datetime(2025, 11, 30, 23, tzinfo=UTC), "2025-12-31T23:00:00.000Z"),
        (datetime(1970, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC), "2026-01-01T00:00:00.100Z"),
        (datetime(2025, 12, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.100Z"),
    ],
    ids=["by our clock", "by another one", "by none"],
)
async def test_the_time_of_an_event_before_anybody_set_the_clock(
    open_bench: Any, telling: Any, anchor: datetime, at: datetime, expected: str
) -> None:
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(document=telling, csms=csms, anchor=anchor.timestamp()) as bench:
        bench.charge_point.on_security_event("TamperDetectionActivated", None, None, at)
        csms.is_reachable = True
        await trio.sleep(60)
        assert bench.sent("SecurityEventNotification")[-1]["timestamp"] == expected


@pytest.mark.parametrize(
    "arguments",
    [("",), ("x" * 51,), (5,), ("a", "x" * 256), ("a", 5), ("a", None, 1), ("a", None, None, datetime(2026, 1, 1))],
)
async def test_an_event_that_cannot_be(open_bench: Any, telling: Any, arguments: Any) -> None:
    async with open_bench(document=telling) as bench:
        before = len(bench.events.of(SecurityEvent))
        with pytest.raises(ValueError, match=r"kind|tech_info|critical|timestamp"):
            bench.charge_point.on_security_event(*arguments)
        assert len(bench.events.of(SecurityEvent)) == before


async def test_events_of_an_outage_are_told_after_it(
    until_power_fails: Any, open_bench: Any, telling: Any, tmp_path: Path
) -> None:
    """Also over a power cut, once each, in order, and never before the registration."""
    options: dict[str, Any] = {"document": telling, "database_path": tmp_path}
    csms = CentralSystem()
    csms.is_reachable = False
    async with until_power_fails(csms=csms, **options) as bench:
        for kind in ("MemoryExhaustion", "TamperDetectionActivated"):
            bench.charge_point.on_security_event(kind)
        await trio.sleep(1)
    async with open_bench(**options) as bench:
        await trio.sleep(5)
        assert told(bench) == [
            "StartupOfTheDevice",
            "MemoryExhaustion",
            "TamperDetectionActivated",
            "StartupOfTheDevice",
        ]
    async with open_bench(**options) as bench:
        await trio.sleep(5)
        assert told(bench) == ["StartupOfTheDevice"]


async def test_a_flood_has_a_bound_and_says_how_much_was_left_out(open_bench: Any, telling: Any) -> None:
    async with open_bench(document=telling) as bench:
        for _ in range(1000):
            bench.charge_point.on_security_event("TamperDetectionActivated")
        bench.charge_point.on_security_event("MemoryExhaustion")
        await trio.sleep(1)
        assert told(bench).count("TamperDetectionActivated") == BURST
        assert told(bench).count("MemoryExhaustion") == 1, "another type is not held up"
        await trio.sleep(FLOOD_INTERVAL)
        bench.charge_point.on_security_event("TamperDetectionActivated", "open")
        await trio.sleep(1)
        [*_, last] = bench.sent("SecurityEventNotification")
        assert last["techInfo"] == f"{1000 - BURST} more were not told. open"
        await trio.sleep(FLOOD_INTERVAL)
        bench.charge_point.on_security_event("TamperDetectionActivated", "open")
        await trio.sleep(1)
        assert bench.sent("SecurityEventNotification")[-1]["techInfo"] == "open", "they were told"
        assert len(bench.events.of(SecurityEvent)) >= 1000, "the observer and the log have them all"


async def test_of_one_type_no_more_wait_than_may_until_it_is_switched_off(open_bench: Any, telling: Any) -> None:
    csms = CentralSystem()
    async with open_bench(csms=csms, document=telling) as bench:
        for csms.is_reachable in (True, False):
            if not csms.is_reachable:
                csms.abort("cp001")
            for _ in range(MOST_WAITING + 20):
                bench.charge_point.on_security_event("MemoryExhaustion")
                await trio.sleep(FLOOD_INTERVAL)
        assert bench.charge_point.connection.queue_depth == MOST_WAITING
        for is_disabled in ("true", "false"):
            await bench.charge_point.configuration.set("DisableSecurityEventNotifications", is_disabled)
        assert bench.charge_point.connection.queue_depth == 0
        before = len(told(bench))
        bench.charge_point.on_security_event("MemoryExhaustion")
        csms.is_reachable = True
        await bench.charge_point.wait_all_answered()
        (last,) = bench.sent("SecurityEventNotification")[before:]
        assert last.keys() == {"type", "timestamp"}, "nothing was left out since"


async def test_types_that_share_their_place_hold_up_none_that_has_one(open_bench: Any, telling: Any) -> None:
    async with open_bench(document=telling) as bench:
        for number in range(MOST_TYPES):
            bench.charge_point.on_security_event(f"Type{number}", critical=True)
        for number in range(2 * BURST):
            bench.charge_point.on_security_event(f"New{number}", critical=True)
        bench.charge_point.on_security_event("Type0", critical=True)
        await bench.charge_point.wait_all_answered()
        assert told(bench)[-1] == "Type0"
        assert len([kind for kind in told(bench) if kind.startswith("New")]) < 2 * BURST


async def test_offline_no_more_wait_than_may(open_bench: Any, telling: Any) -> None:
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(csms=csms, document=telling) as bench:
        for number in range(3000):
            bench.charge_point.on_security_event(f"Type{number % 300}", critical=True)
            if number % 300 == 299:
                await trio.sleep(FLOOD_INTERVAL)
        assert bench.charge_point.connection.queue_depth <= 1200
        csms.is_reachable = True
        await trio.sleep(300)
        assert bench.charge_point.connection.queue_depth == 0


@pytest.mark.parametrize("code", ["NotImplemented", "NotSupported"])
async def test_a_central_system_that_does_not_know_it_is_spared(
    open_bench: Any, telling: Any, tmp_path: Path, code: str
) -> None:
    csms = CentralSystem()
    csms.answers["SecurityEventNotification"] = CallErrorAnswer(code)
    async with open_bench(csms=csms, document=telling, database_path=tmp_path) as bench:
        await trio.sleep(1)
        for _ in range(3):
            bench.charge_point.on_security_event("TamperDetectionActivated")
            await trio.sleep(5)
        assert told(bench) == ["StartupOfTheDevice"]
        assert await bench.charge_point.dead_letters() == ()
        assert bench.charge_point.connection.queue_depth == 0


async def test_what_waits_for_one_that_does_not_know_it_is_dropped(open_bench: Any, telling: Any) -> None:
    csms = CentralSystem()
    csms.answers["SecurityEventNotification"] = CallErrorAnswer("NotImplemented")
    csms.is_reachable = False
    async with open_bench(csms=csms, document=telling) as bench:
        bench.charge_point.on_security_event("TamperDetectionActivated")
        bench.charge_point.on_security_event("MemoryExhaustion")
        csms.is_reachable = True
        await bench.charge_point.wait_all_answered()
        assert told(bench) == ["StartupOfTheDevice"]


async def test_switched_off(open_bench: Any, telling: Any) -> None:
    async with open_bench(document=telling) as bench:
        await trio.sleep(1)
        change = {"key": "DisableSecurityEventNotifications", "value": "true"}
        assert await bench.call("ChangeConfiguration", change) == {"status": "Accepted"}
        bench.charge_point.on_security_event("TamperDetectionActivated")
        await trio.sleep(1)
        assert told(bench) == ["StartupOfTheDevice"]
        assert bench.events.of(SecurityEvent)[-1].type == "TamperDetectionActivated"


@pytest.mark.parametrize("is_restarted", [True, False])
async def test_switched_off_while_some_wait(open_bench: Any, telling: Any, disk: Any, is_restarted: bool) -> None:
    """By the host, or for the next start: they are dropped, from the disk as well."""
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(csms=csms, document=telling, store=disk) as bench:
        bench.charge_point.on_security_event("TamperDetectionActivated")
        await trio.sleep(1)
        if not is_restarted:
            await bench.charge_point.configuration.set("DisableSecurityEventNotifications", "true")
            csms.is_reachable = True
            await bench.charge_point.wait_all_answered()
            assert told(bench) == []
    for is_disabled in (True, False):
        telling["Security"]["DisableSecurityEventNotifications"] = is_disabled
        async with open_bench(document=telling, store=disk) as bench:
            await bench.charge_point.wait_all_answered()
            assert told(bench) == ["StartupOfTheDevice"] * (is_restarted and not is_disabled)


async def test_switched_off_while_one_is_left_unanswered_on_a_silent_link(open_bench: Any, telling: Any) -> None:
    """It was put back, to count as one at which a connection ended: dropped, it is not told on the next one."""
    kind = "TamperDetectionActivated"
    async with open_bench(document=telling) as bench:
        await bench.charge_point.wait_all_answered()
        bench.csms.answers["SecurityEventNotification"] = None
        bench.charge_point.on_security_event(kind)
        await bench.csms.wait_for_call("SecurityEventNotification", 2)
        session = bench.charge_point._runtime.ctx.session
        session.on_time(session.deadline(0))
        session.probe_sent()  # of a ping, too, nothing is heard
        assert session.outbox.depth == 1
        await bench.charge_point.configuration.set("DisableSecurityEventNotifications", "true")
        bench.csms.answers.pop("SecurityEventNotification")
        bench.charge_point.connection.disconnect()
        bench.charge_point.connection.connect()
        await trio.sleep(1)
        await bench.charge_point.wait_all_answered()
        assert told(bench).count(kind) == 1


async def test_a_crowded_queue_sheds_no_security_events(open_bench: Any, telling: Any) -> None:
    telling["Internal"]["MessageQueueSizeThreshold"] = 20
    telling["Internal"]["QueueAllMessages"] = True
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(csms=csms, document=telling) as bench:
        for number in range(10):
            bench.charge_point.on_security_event(f"Type{number}", critical=True)
        bench.begin()
        for number in range(100):
            bench.measure(1, 1000.0 + number)
            bench.charge_point.sample_now(1)
        csms.is_reachable = True
        await trio.sleep(300)
        assert sorted(told(bench)) == sorted(["StartupOfTheDevice", *(f"Type{number}" for number in range(10))])


async def test_a_central_system_that_leaves_it_unanswered_holds_up_nobody_for_long(
    open_bench: Any, telling: Any, tmp_path: Path
) -> None:
    """Each try keeps the line for as long as an answer is waited for: three of them, and it is told no more."""
    csms = CentralSystem()
    csms.misbehave(Fault.DROP, action="SecurityEventNotification", times=1000)
    async with open_bench(csms=csms, document=telling, database_path=tmp_path) as bench:
        await trio.sleep(400)
        assert told(bench) == ["StartupOfTheDevice"] * 3
        bench.charge_point.on_security_event("TamperDetectionActivated")
        await trio.sleep(100)
        assert len(told(bench)) == 3
        assert await bench.charge_point.dead_letters() == ()
        bench.begin()
        await trio.sleep(1)
        assert len(bench.sent("StartTransaction")) == 1


@pytest.mark.parametrize("kind", ["", "x" * 45 + "\r\n\t\0 and so on"], ids=["invented", "not to be shown"])
async def test_what_was_answered_waits_no_more(open_bench: Any, telling: Any, kind: str) -> None:
    """Of types that share their place, and of a type that is told as another text, too."""
    async with open_bench(document=telling) as bench:
        for number in range(MOST_TYPES):
            bench.charge_point.on_security_event(f"Type{number}", critical=True)
        before = len(told(bench))
        for number in range(2 * MOST_WAITING):
            bench.charge_point.on_security_event((kind or f"New{number}")[:50], critical=True)
            await trio.sleep(FLOOD_INTERVAL)
        assert len(told(bench)) >= before + 2 * MOST_WAITING


async def test_starts_without_a_connection_have_a_bound(open_bench: Any, telling: Any, tmp_path: Path) -> None:
    csms = CentralSystem()
    csms.is_reachable = False
    async with open_bench(csms=csms, document=telling, database_path=tmp_path) as bench:
        for _ in range(MOST_WAITING + 50):
            await bench.charge_point.stop()
            await bench.charge_point.restart()
        assert bench.charge_point.connection.queue_depth <= MOST_WAITING + 1
        csms.is_reachable = True
        await trio.sleep(300)
        bench.charge_point.on_security_event("StartupOfTheDevice", "again")
        await trio.sleep(5)
        assert "again" in bench.sent("SecurityEventNotification")[-1]["techInfo"]


async def test_a_central_system_that_fails_for_a_while_is_told_afterwards(open_bench: Any, telling: Any) -> None:
    csms = CentralSystem()
    csms.answers["SecurityEventNotification"] = CallErrorAnswer("InternalError")
    async with open_bench(csms=csms, document=telling) as bench:
        await trio.sleep(600)
        assert bench.charge_point.connection.queue_depth == 0
        del csms.answers["SecurityEventNotification"]
        bench.charge_point.on_security_event("MemoryExhaustion")
        await trio.sleep(5)
        assert told(bench)[-1] == "MemoryExhaustion"


@pytest.mark.parametrize("info", ["\t" * 255, "i" * 255], ids=["not to be shown", "long"])
async def test_an_event_is_told_however_long_it_becomes(open_bench: Any, telling: Any, info: str) -> None:
    async with open_bench(document=telling) as bench:
        for _ in range(BURST + 1):
            bench.charge_point.on_security_event("MemoryExhaustion")
        await trio.sleep(FLOOD_INTERVAL)
        bench.charge_point.on_security_event("MemoryExhaustion", info)
        await trio.sleep(1)
        last = bench.sent("SecurityEventNotification")[-1]["techInfo"]
        assert last.startswith("1 more were not told. ")
        assert len(last) == 255


async def test_another_time_is_an_event(open_bench: Any, telling: Any) -> None:
    async with open_bench(document=telling) as bench:
        for ahead in (30, 86, 100):
            await bench.put_clock(ahead)
        assert told(bench) == ["StartupOfTheDevice"]
        await bench.put_clock(40)
        assert told(bench)[1:] == ["SettingSystemTime"]
        assert bench.sent("SecurityEventNotification")[-1]["techInfo"] == "by -60 s"


async def test_the_first_time_of_a_clock_that_was_not_set_is_none(open_bench: Any, telling: Any) -> None:
    async with open_bench(document=telling, anchor=0.0) as bench:
        await trio.sleep(1)
        assert told(bench) == ["StartupOfTheDevice"]
