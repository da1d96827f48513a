"""Keys that say when and how often something is sent, and what is told of the charge point."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import trio
from key_effect import Changing, effect

from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import core, internal
from ocpp16.enums import SessionStartedReason
from ocpp16.observer import ConfigurationKeyChanged
from ocpp16.testing import CallErrorAnswer
from ocpp16.testing.central_system import CentralSystem
from ocpp16.transport.dial import Endpoint


@effect(core.HEARTBEAT_INTERVAL)
async def heartbeats(on: Changing) -> None:
    """At first it is what BootNotification.conf says: 300 s."""
    await trio.sleep(290)
    assert on.count("Heartbeat") == 0
    for value, seconds, more in (("20", 41, 2), ("1000", 999, 0), ("10", 11, 1), ("0", 5000, 0), ("30", 31, 1)):
        before = on.count("Heartbeat")
        await on.change(value)
        await trio.sleep(seconds)
        assert on.count("Heartbeat") == before + more, value


@effect(core.MINIMUM_STATUS_DURATION, Core__MinimumStatusDuration=100)
async def how_long_a_status_must_last(on: Changing) -> None:
    told = on.count("StatusNotification")
    plug(on, 1)
    await trio.sleep(10)
    await on.change("20")  # it waits already
    await trio.sleep(9)
    assert on.count("StatusNotification") == told
    await trio.sleep(2)
    assert on.count("StatusNotification") == told + 1
    plug(on, 2)
    await trio.sleep(10)
    await on.change("100")
    await trio.sleep(89)
    assert on.count("StatusNotification") == told + 1
    await trio.sleep(2)
    assert on.count("StatusNotification") == told + 2
    on.charge_point.on_session_stopped(1, "s1")
    await trio.sleep(1)
    await on.change("5")  # less than it has lasted by then, or will soon
    await on.change("0")
    await trio.sleep(0.1)
    assert on.count("StatusNotification") == told + 3
    on.charge_point.on_session_stopped(2, "s2")
    await trio.sleep(0.1)
    assert [row["status"] for row in on.bench.sent("StatusNotification")[told:]] == ["Preparing"] * 2 + [
        "Available"
    ] * 2


def plug(on: Changing, connector_id: int) -> None:
    on.charge_point.on_session_started(connector_id, f"s{connector_id}", SessionStartedReason.EV_CONNECTED)


NO = CallErrorAnswer("InternalError", "no")


@effect(core.TRANSACTION_MESSAGE_ATTEMPTS, Core__TransactionMessageAttempts=4, Core__TransactionMessageRetryInterval=10)
async def how_often_a_message_is_sent(on: Changing) -> None:
    on.csms.answers["StartTransaction"] = NO
    # The value, when it is changed, and how often it is sent in all: one that waits is sent once more in any case.
    for value, seconds, attempts in (("2", 1, 2), ("5", 5, 5), ("1", 15, 3)):
        before = on.count("StartTransaction")
        on.bench.begin()
        await trio.sleep(seconds)
        await on.change(value)
        await trio.sleep(500)
        assert on.count("StartTransaction") == before + attempts
        assert (await on.charge_point.dead_letters())[-1].attempts == attempts
        on.end(1, "s1")
        on.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(1)


@effect(
    core.TRANSACTION_MESSAGE_RETRY_INTERVAL,
    Core__TransactionMessageAttempts=20,
    Core__TransactionMessageRetryInterval=200,
)
async def how_long_a_message_waits(on: Changing) -> None:
    on.csms.answers["StartTransaction"] = NO
    on.bench.begin()
    await trio.sleep(1)
    assert on.count("StartTransaction") == 1
    # The value, and how many seconds later it is sent again: it counts times the attempts so far, and long waits are
    # waited apart.
    for value, seconds in (("5", 5), ("100", 200), ("1", 3), ("1000", 4000), ("1000", 5000)):
        await on.change(value)
        await sent_after(on, seconds)
    await trio.sleep(1000)
    await on.change("2")
    await sent_after(on, 12)
    await on.change("300")
    await trio.sleep(100)
    await on.change("0")
    await sent_after(on, 1)
    del on.csms.answers["StartTransaction"]
    await trio.sleep(2)
    assert on.charge_point.transaction(1).transaction_id is not None


async def sent_after(on: Changing, seconds: int) -> None:
    """One StartTransaction comes after so many seconds, and is refused."""
    before = on.count("StartTransaction")
    await trio.sleep(seconds - 0.9)
    assert on.count("StartTransaction") == before
    await trio.sleep(1)
    assert on.count("StartTransaction") == before + 1


@effect(core.WEB_SOCKET_PING_INTERVAL, Core__WebSocketPingInterval=100)
async def pings(on: Changing) -> None:
    times: list[float] = []
    on.csms.connected["cp001"].websocket.on_ping = lambda payload: times.append(trio.current_time())
    await trio.sleep(150)
    assert len(times) == 1
    for value, seconds, more in (("7", 15, 2), ("50", 49, 0), ("0", 500, 0), ("20", 21, 1)):
        before = len(times)
        await on.change(value)
        await trio.sleep(seconds)
        assert len(times) == before + more, value


class Dialled(CentralSystem):
    """Keeps when it was dialled."""

    def __init__(self) -> None:
        super().__init__()
        self.dialled: list[float] = []

    async def connector(self, endpoint: Endpoint) -> trio.abc.Stream:
        self.dialled.append(trio.current_time())
        return await super().connector(endpoint)


async def waits(on: Changing, attempts: int = 1) -> list[float]:
    """Seconds before each attempt to connect, when the network is gone for all but the last of so many."""
    await trio.sleep(20)
    on.csms.is_reachable = attempts == 1
    times = [trio.current_time()]
    first = len(on.csms.dialled)
    on.csms.abort("cp001")
    while len(on.csms.dialled) < first + attempts:
        on.csms.is_reachable = len(on.csms.dialled) >= first + attempts - 1
        await trio.sleep(0.1)
    await on.csms.wait_connected("cp001")
    times += on.csms.dialled[first:]
    return [round(later - earlier, 3) for earlier, later in pairwise(times)]


BACKOFF: dict[str, Any] = {"Internal__RetryBackoffRandomRange": 0, "Internal__RetryBackoffRepeatTimes": 2}


@effect(internal.RETRY_BACKOFF_WAIT_MINIMUM, csms=Dialled, **{**BACKOFF, "Internal__RetryBackoffWaitMinimum": 50})
async def the_first_wait(on: Changing) -> None:
    assert await waits(on, 3) == [50, 100, 200]
    on.csms.answers["StatusNotification"] = None  # the connection is too short, and nothing is answered on it
    on.csms.abort("cp001")
    await on.csms.wait_disconnected("cp001")
    await on.csms.wait_connected("cp001")
    await on.change("5")
    on.csms.abort("cp001")
    first, lost = len(on.csms.dialled), trio.current_time()
    await on.csms.wait_disconnected("cp001")
    await on.csms.wait_connected("cp001")
    assert round(on.csms.dialled[first] - lost, 3) == 5
    assert await waits(on, 2) == [5, 10]
    await on.change("30")
    assert await waits(on, 2) == [30, 60]


@effect(internal.RETRY_BACKOFF_REPEAT_TIMES, csms=Dialled, **{**BACKOFF, "Internal__RetryBackoffWaitMinimum": 10})
async def how_often_waits_double(on: Changing) -> None:
    assert await waits(on, 4) == [10, 20, 40, 40]
    await on.change("1")
    assert await waits(on, 4) == [10, 20, 20, 20]
    await on.change("3")
    assert await waits(on, 4) == [10, 20, 40, 80]
    await on.change("0")
    assert await waits(on, 2) == [10, 10]


@effect(internal.RETRY_BACKOFF_RANDOM_RANGE, csms=Dialled, **{**BACKOFF, "Internal__RetryBackoffWaitMinimum": 10})
async def what_is_random_of_waits(on: Changing) -> None:
    assert await waits(on) == [10]
    await on.change("1000")
    found = [(await waits(on))[0] for _ in range(3)]
    assert len(set(found)) == 3
    assert all(10 <= wait <= 1010 for wait in found)
    assert max(found) > 20
    await on.change("0")
    assert await waits(on) == [10]


def told_at_boot(key: Key[Any], member: str, old: str) -> None:
    """The next BootNotification says it, whoever asks for it, and one that is repeated while Pending."""
    document: dict[str, Any] = {f"Internal__{key.name}": old}

    @effect(key, **document)
    async def what_a_boot_notification_says(on: Changing) -> None:
        assert on.bench.sent("BootNotification")[-1][member] == old
        await on.change("New")
        await on.pending(60)
        assert on.bench.sent("BootNotification")[-1][member] == "New"
        await on.change("Newer")
        await trio.sleep(60)
        assert on.bench.sent("BootNotification")[-1][member] == "Newer"


for _key, _member in (
    (internal.CHARGE_POINT_VENDOR, "chargePointVendor"),
    (internal.CHARGE_POINT_MODEL, "chargePointModel"),
    (internal.CHARGE_POINT_SERIAL_NUMBER, "chargePointSerialNumber"),
    (internal.CHARGE_BOX_SERIAL_NUMBER, "chargeBoxSerialNumber"),
    (internal.FIRMWARE_VERSION, "firmwareVersion"),
    (internal.ICCID, "iccid"),
    (internal.IMSI, "imsi"),
    (internal.METER_TYPE, "meterType"),
    (internal.METER_SERIAL_NUMBER, "meterSerialNumber"),
):
    told_at_boot(_key, _member, "Old")


@effect(internal.METER_PUBLIC_KEYS, Internal__MeterPublicKeys=["AA", "BB"])
async def the_key_of_one_meter(on: Changing) -> None:
    """What there is to it is that it is reported, and that its host hears of it."""
    told: list[tuple[str | None, str | None]] = []
    on.charge_point.on_change(on.key, lambda old, new: told.append((old, new)))
    await on.change("CC", "MeterPublicKey1")
    names = ["MeterPublicKey1", "MeterPublicKey2"]
    answer = await on.bench.call("GetConfiguration", {"key": names})
    assert [row["value"] for row in answer["configurationKey"]] == ["CC", "BB"]
    assert on.charge_point.configuration[on.key] == ("CC", "BB")
    assert told == [("AA", "CC")]


def told_to_the_host(key: Key[Any], first: Any, *texts: str) -> None:
    """Only the host acts on it: it is told in the moment of the change, and finds the new value then."""
    document: dict[str, Any] = {f"{key.section}__{key.name}": first}

    @effect(key, **document)
    async def what_the_host_hears(on: Changing) -> None:
        told: list[tuple[str | None, str | None, Any]] = []
        forget: Callable[[], None] = on.charge_point.on_change(
            key, lambda old, new: told.append((old, new, on.charge_point.configuration[key]))
        )
        for text in texts[1:]:
            await on.change(text)
        assert [(old, new) for old, new, _ in told] == list(pairwise(texts))
        assert [on.key.format(value) for _, _, value in told] == list(texts[1:])
        await trio.sleep(0.1)
        assert [(event.key, event.value) for event in on.bench.events.of(ConfigurationKeyChanged)][-2:] == [
            (key.name, text) for text in texts[1:]
        ]
        forget()
        await on.change(texts[0])
        assert len(told) == 2


told_to_the_host(core.BLINK_REPEAT, 3, "3", "7", "0")
told_to_the_host(core.LIGHT_INTENSITY, 50, "50", "100", "0")
told_to_the_host(core.CONNECTOR_PHASE_ROTATION, "0.RST,1.RST", "0.RST,1.RST", "1.STR", "2.TRS")
told_to_the_host(internal.CONNECTOR_EVSE_IDS, "DE*A*E1,DE*A*E2", "DE*A*E1,DE*A*E2", "DE*A*E3,DE*A*E4", "DE*A*E5")
