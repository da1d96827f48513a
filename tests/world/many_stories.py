"""Many charge points of one block on sockets, with everything at random: what they, their hosts, network and Central
System do, and what has to be true of it in the end.
"""

import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

import trio
import trio.testing

from ocpp16 import ChargePoint, ChargePoints
from ocpp16.enums import Reason
from ocpp16.errors import ChargePointStopped, ConnectionClosed, Offline
from ocpp16.models import Measurement, PhaseValues
from ocpp16.testing import CentralSystem, Direction, Fault
from ocpp16.testing.stations import RecordingStation
from ocpp16.transport.dial import Endpoint

HOUR = 3600.0
JUNK = ("", "[", "[9]", '[2,"a"]', '[3,"x",{}]', '[4,"x","InternalError","",{}]', '[2,"b","GetConfiguration",{}]')


class InPieces(trio.abc.Stream):
    """The end of the Central System, which sends a byte, or a few, or all there is at a time."""

    def __init__(self, stream: trio.SocketStream, random: Random) -> None:
        self._stream = stream
        self._random = random

    async def send_all(self, data: Any) -> None:
        size = self._random.choice((1, 7, 100, len(data)))
        for begin in range(0, len(data), size):
            await self._stream.send_all(data[begin : begin + size])

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return bytes(await self._stream.receive_some(max_bytes))

    async def aclose(self) -> None:
        await self._stream.aclose()

    def close(self) -> None:
        self._stream.socket.close()


class Station(RecordingStation):
    """Stops what it is to stop; its meters show `energy`."""

    def __init__(self) -> None:
        super().__init__()
        self.energy = 1000.0
        self.answers["stop_transaction"] = self._stop
        self.charge_point: ChargePoint

    def attach(self, charge_point: ChargePoint) -> None:
        self.charge_point = charge_point

    def measurement(self, connector_id: int) -> Measurement:
        return Measurement(self.charge_point.for_station.clock.now_datetime(), PhaseValues(self.energy))

    def _stop(self, connector_id: int, reason: Reason) -> bool:
        transaction = self.charge_point.transaction(connector_id)
        if transaction is not None:
            self.charge_point.on_transaction_stopped(connector_id, transaction.session_id, reason, self.energy)
        return True


class World:
    """`count` charge points, `seconds` of what happens to them."""

    def __init__(
        self, csms: CentralSystem, charge_points: ChargePoints, make_config: Any, count: int, seconds: float
    ) -> None:
        self.csms = csms
        self.charge_points = charge_points
        self.random = Random(3)
        self.opened: list[ChargePoint] = []
        self.stations = [Station() for _ in range(count)]
        self.begun: list[list[str]] = [[] for _ in range(count)]
        """The id tags of the transactions of each, each of which has its own."""
        self.ids: dict[str, int] = {}
        self.faults = 0
        """Of the host's code, as `internal_errors` has to count them."""
        self.counted = 0
        self.anchor = 1_767_225_600.0
        """Seconds since 1970 at the beginning."""
        self.keys: dict[str, Any] = {}
        """Of the configuration of each, by `Section__Key`."""
        self.until = trio.current_time() + seconds
        self._make_config = make_config
        csms.answers["StartTransaction"] = self._started

    @property
    def is_over(self) -> bool:
        return trio.current_time() >= self.until

    def _started(self, payload: dict[str, Any], call: Any) -> dict[str, Any]:
        """The same id tag is the same transaction."""
        number = self.ids.setdefault(payload["idTag"], 1000 + len(self.ids))
        return {"transactionId": number, "idTagInfo": {"status": "Accepted"}}

    def told(self, action: str, member: str, value: object) -> set[str]:
        """The different requests with this member: what is repeated is the same to the last character."""
        return {json.dumps(call.payload) for call in self.csms.calls(action) if call.payload.get(member) == value}

    async def connector(self, endpoint: Endpoint) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        near, far = (trio.SocketStream(trio.socket.from_stdlib_socket(end)) for end in socket.socketpair())
        near.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.csms.start_soon(self.csms._serve, InPieces(far, self.random) if self.random.random() < 0.5 else far)
        return near

    def options(self) -> dict[str, Any]:
        """Of the opening of each."""
        return {"connector": self.connector}

    async def open(self, number: int) -> ChargePoint:
        config = self._make_config(
            Internal__ChargePointId=f"cp{number}",
            Core__MeterValueSampleInterval=60,
            Core__WebSocketPingInterval=60,
            Core__AllowOfflineTxForUnknownId=True,
            Core__TransactionMessageAttempts=1000,
            **self.keys,
        )
        anchor = self.anchor + trio.current_time()
        charge_point = await self.charge_points.open(
            config, self.stations[number], seed=number, anchor=anchor, **self.options()
        )
        await charge_point.start()
        return charge_point

    async def cars(self, number: int) -> None:
        """One after another."""
        station = self.stations[number]
        while not self.is_over:
            await trio.sleep(self.random.uniform(5, 200))
            charge_point = self.opened[number]
            if not charge_point.is_running or charge_point.transaction(1) is not None:
                continue
            tag = session = f"T{number}-{len(self.begun[number])}"
            charge_point.on_transaction_started(1, session, tag, station.energy)
            self.begun[number].append(tag)
            for _ in range(self.random.randint(1, 10)):
                await trio.sleep(30)
                station.energy += 100
            with suppress(ChargePointStopped):
                transaction = charge_point.transaction(1)
                if transaction is not None and transaction.session_id == session:
                    charge_point.on_transaction_stopped(1, session, Reason.LOCAL, station.energy)

    async def host(self, number: int) -> None:
        """Stops, closes and abandons it, breaks its connection, and has timers that do so, and fail."""
        self._put_timers(self.opened[number])
        while not self.is_over:
            await trio.sleep(self.random.uniform(20, 400))
            charge_point = self.opened[number]
            connection = charge_point.connection
            what = self.random.choice(("restart", "cancel", "close", "abandon", "drop", "timers", "away"))
            if what == "restart":
                await charge_point.stop()
                await charge_point.restart()
            elif what == "cancel":
                with trio.move_on_after(self.random.choice((0, 0.001, 1))):
                    await charge_point.stop()
                await charge_point.stop()
                await charge_point.restart()
            elif what in {"close", "abandon"}:
                if what == "abandon":
                    charge_point.abandon()
                self.counted += charge_point.counters.internal_errors
                await self.charge_points.close(charge_point)
                self.opened[number] = await self.open(number)
            elif what == "drop":
                connection.drop()
            elif what == "timers":
                self._put_timers(charge_point)
            else:
                connection.disconnect()
                await trio.sleep(self.random.uniform(0, 300))
                connection.connect()

    def _put_timers(self, charge_point: ChargePoint) -> None:
        connection = charge_point.connection
        timers, now = charge_point.for_station.timers, charge_point.for_station.clock.monotonic()

        def act(callback: Callable[[], object]) -> None:
            beat.cancel()
            timers.at(now - 1, lambda: None)
            callback()

        beat = timers.every(10, lambda: None, now)
        for callback in (connection.drop, connection.reconnect, self._fail):
            timers.at(now, partial(act, callback))

    def _fail(self) -> None:
        self.faults += 1
        raise GeneratorExit("of the host")

    async def network(self) -> None:
        csms, random = self.csms, self.random
        while not self.is_over:
            await trio.sleep(random.expovariate(1 / 15))
            who = f"cp{random.randrange(len(self.stations))}"
            with suppress(Offline, ConnectionClosed):
                chance = random.random()
                if chance < 0.5:
                    csms.misbehave(random.choice(tuple(Fault)), identity=who, seconds=random.uniform(1, 50))
                elif chance < 0.8:
                    for _ in range(random.choice((1, 70))):
                        await csms.send_text(who, random.choice(JUNK))
                else:
                    random.choice((csms.abort, csms.go_half_open, csms.stop_reading))(who)

    async def is_prompt(self, who: str) -> None:
        """What comes in one read is answered, and what follows an answer is sent, without anything else happening."""
        csms = self.csms
        asked = [f"{who}-{number}" for number in range(60)]
        csms.stop_reading(who)
        for one in asked:  # more than one turn takes, and the answers more than may wait for the peer to read
            for text in ("[]", "[]", f'[2,"{one}","GetConfiguration",{{}}]'):
                csms.connected[who].websocket.send_text(text)
        await csms.send_text(who, "[]")
        await trio.sleep(1)
        csms.resume_reading(who)
        await trio.sleep(1)
        received = [one.text for one in csms.traffic if one.direction is Direction.RECEIVED and one.identity == who]
        assert [text[: text.find(",{")] for text in received if f'"{who}-' in text] == [f'[3,"{one}"' for one in asked]
        before = len(csms.calls("Heartbeat", who))
        assert await csms.call(who, "TriggerMessage", {"requestedMessage": "Heartbeat"}) == {"status": "Accepted"}
        await trio.sleep(1)
        assert len(csms.calls("Heartbeat", who)) > before

    async def live(self, *others: Callable[[], Awaitable[None]]) -> None:
        """All of it, with what `others` do to it, and peace afterwards, until what waits can be told."""
        async with trio.open_nursery() as nursery:
            for number in range(len(self.stations)):
                self.opened.append(await self.open(number))
                nursery.start_soon(self.cars, number)
                nursery.start_soon(self.host, number)
            for act in (self.network, *others):
                nursery.start_soon(act)
        self.csms.faults.rules.clear()
        for who in tuple(self.csms.connected):
            self.csms.resume_reading(who)
        await trio.sleep(HOUR)

    async def judge(self) -> None:
        """Every transaction is told whole, nothing twice but by repeats, and there was no fault of ours."""
        for number, charge_point in enumerate(self.opened):
            with trio.fail_after(HOUR):
                await charge_point.wait_all_answered()
            self.counted += charge_point.counters.internal_errors
            assert self.begun[number]
            for tag in self.begun[number]:
                assert len(self.told("StartTransaction", "idTag", tag)) == 1
                assert len(self.told("StopTransaction", "transactionId", self.ids[tag])) == 1
        assert {call.payload.get("transactionId") for call in self.csms.calls("MeterValues")} <= set(self.ids.values())
        assert self.counted == self.faults
