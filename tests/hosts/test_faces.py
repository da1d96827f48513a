"""What a host meets is the same whatever its world: names, outcomes, exceptions, and where its code runs."""

import threading
from functools import partial
from typing import Any

import pytest
from host_faces import Awaited, Face, OfAsyncio, Server, Threaded, done

from ocpp16 import ChargePointStopped, ConfigurationError, DataTransferResponse, Measurement, blocking
from ocpp16.enums import (
    ChargePointStatus,
    ConfigurationStatus,
    DataTransferStatus,
    Reason,
    SessionStartedReason,
    UnlockStatus,
)
from ocpp16.hosts import listener
from ocpp16.metrics import Watch, collect
from ocpp16.security.evse_security import CertificateHashData, OcspRequestData
from ocpp16.testing import Direction


async def charge(face: Face, charge_point: Any) -> None:
    await done(charge_point.start())
    await done(charge_point.wait_registered())
    info = await done(charge_point.authorize_id_token("TAG"))
    assert info.is_accepted
    charge_point.on_session_started(1, "s", SessionStartedReason.EV_CONNECTED)
    transaction = charge_point.on_transaction_started(1, "s", "TAG", 1000)
    assert transaction.meter_start == 1000
    await done(charge_point.wait_all_answered())


def test_a_transaction(face: Face, server: Server) -> None:
    station = face.station()

    async def scenario() -> None:
        async with face.one(server.config(), station) as charge_point:
            await charge(face, charge_point)
            assert charge_point.connection.is_connected
            assert charge_point.sample_now(1) is True
            await done(charge_point.wait_all_answered())
            assert charge_point.transaction(1).session_id == "s"
        with pytest.raises(ChargePointStopped):
            charge_point.on_enabled(1)
        with pytest.raises(ChargePointStopped):
            await done(charge_point.start())

    face.run(scenario)
    actions = server.actions()
    assert actions[0] == "BootNotification"
    wanted = [action for action in actions if action in {"Authorize", "StartTransaction", "MeterValues"}]
    assert wanted == ["Authorize", "StartTransaction", "MeterValues"]
    assert actions[-1] == "StopTransaction" or "StopTransaction" in actions  # leaving ends what runs
    values = server.payload("MeterValues")["meterValue"][0]["sampledValue"]
    assert float(values[0]["value"]) >= 1001, "the meter was asked"


def test_a_contract(face: Face, server: Server) -> None:
    config = server.config() | {"PnC": {"ISO15118PnCEnabled": True}}
    hashes = [OcspRequestData(CertificateHashData("SHA256", "ab" * 32, "cd" * 32, "1f"), "http://ocsp.example/")]

    async def scenario() -> None:
        async with face.one(config, face.station()) as charge_point:
            door = charge_point.plug_and_charge
            assert door.is_built
            assert not (await done(door.data_transfer_pnc_authorize("NLABCC00000001"))).is_accepted
            await done(charge_point.start())
            await done(charge_point.wait_registered())
            found = await done(door.data_transfer_pnc_authorize("NLABCC00000001", None, hashes))
            assert found.is_accepted
            response = await done(door.data_transfer_pnc_get_15118_ev_certificate(1, "gJgC", "urn:iso:15118:2:2013"))
            assert response.is_accepted
            with pytest.raises(ValueError, match="emaid"):
                await done(door.data_transfer_pnc_authorize(""))

    face.run(scenario)
    sent = [call.payload["messageId"] for call in server.system.calls("DataTransfer")]
    assert sent == ["Authorize", "Get15118EVCertificate"]


def test_questions_of_the_central_system_reach_the_station_in_the_hosts_world(face: Face, server: Server) -> None:
    station = face.station()
    seen: list[Any] = []

    def handled(data: str | None) -> DataTransferResponse:
        seen.append(threading.current_thread())
        return DataTransferResponse(DataTransferStatus.ACCEPTED, data)

    async def handled_async(data: str | None) -> DataTransferResponse:
        return handled(data)

    async def scenario() -> set[threading.Thread]:
        async with face.one(server.config(), station) as charge_point:
            handler = handled if face.name == "threads" else handled_async
            charge_point.on_data_transfer("vendor", None, handler)
            await done(charge_point.start())
            await done(charge_point.wait_registered())
            call = server.call
            for connector, status in ((1, "Unlocked"), (2, "UnlockFailed")):
                answer = await face.elsewhere(call, "UnlockConnector", {"connectorId": connector})
                assert answer == {"status": status}
            answer = await face.elsewhere(call, "Reset", {"type": "Soft"})
            assert answer == {"status": "Rejected"}
            answer = await face.elsewhere(call, "DataTransfer", {"vendorId": "vendor", "data": "x"})
            assert answer == {"status": "Accepted", "data": "x"}
            answer = await face.elsewhere(call, "DataTransfer", {"vendorId": "another"})
            assert answer == {"status": "Rejected"}
            answer = await face.elsewhere(call, "ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
            assert answer == {"status": "Accepted"}
            await face.until(lambda: bool(station.threads("disable_evse")))
            await face.until(lambda: charge_point.connector_status(1).status == "Unavailable")
        return {threading.current_thread()}

    mine = face.run(scenario)
    asked = {thread for _, thread in station.asked} | set(seen)
    if face.name == "threads":
        assert not {thread.name for thread in asked} & {"ocpp16"}
    else:
        assert asked == mine


class StopsInThreads(Threaded):
    """It ends the transaction while it is asked to unlock, and has the bolt out when that is stored."""

    def unlock_connector(self, connector_id: int) -> UnlockStatus:
        self.stop_transaction(connector_id, Reason.UNLOCK_COMMAND)
        self.charge_point.stored()
        return UnlockStatus.UNLOCKED


class Stops(Awaited):  # type: ignore[misc]
    async def unlock_connector(self, connector_id: int) -> UnlockStatus:
        await self.stop_transaction(connector_id, Reason.UNLOCK_COMMAND)
        await self.charge_point.stored()
        return UnlockStatus.UNLOCKED


def test_an_answer_goes_before_what_the_station_tells_while_it_is_asked(face: Face, server: Server) -> None:
    async def scenario() -> None:
        station: Threaded = StopsInThreads() if face.name == "threads" else Stops()
        async with face.one(server.config(), station) as charge_point:
            await charge(face, charge_point)
            answer = await face.elsewhere(server.call, "UnlockConnector", {"connectorId": 1})
            assert answer == {"status": "Unlocked"}
            await done(charge_point.wait_all_answered())

    face.run(scenario)
    texts = [record.text for record in server.system.traffic if record.direction == "received"]
    places = [next(at for at, text in enumerate(texts) if part in text) for part in ("Unlocked", "StopTransaction")]
    assert places == sorted(places)
    assert server.payload("StopTransaction")["reason"] == "UnlockCommand"


def test_views_answer_after_the_block_and_methods_say_that_it_has_ended(face: Face, server: Server) -> None:
    async def scenario() -> Any:
        async with face.many() as charge_points:
            charge_point = await done(charge_points.open(server.config(), face.station()))
            await done(charge_point.start())
            await done(charge_point.wait_registered())
        return charge_points, charge_point

    charge_points, charge_point = face.run(scenario)
    assert not charge_point.is_running
    assert charge_point.counters.calls_sent >= 1
    assert not charge_point.connection.is_connected
    assert charge_point.connection.registration == "Accepted"
    assert charge_point.connection.queue_depth >= 0
    assert charge_point.configuration.text("NumberOfConnectors") == "2"
    assert charge_point.for_station.number_of_connectors == 2
    assert charge_point.for_station.reservations.all() == ()
    assert len(charge_points) == 0
    for name in ("clock", "timers", "log", "spawn"):
        if face.name != "trio":
            with pytest.raises(AttributeError, match=f"{name} is for code in trio's thread.*docs/hosts.md"):
                getattr(charge_point.for_station, name)
    charge_point.abandon()
    for call in (
        partial(charge_point.on_enabled, 1),
        partial(charge_point.on_meter_values, 1, Measurement()),
        partial(charge_point.sample_now, 1),
        partial(charge_point.transaction, 1),
        partial(charge_point.on_change, "HeartbeatInterval", print),
        charge_point.connection.reconnect,
        charge_point.for_station.running_sessions,
    ):
        with pytest.raises(ChargePointStopped, match="its block has ended"):
            call()


def test_what_raises_there_raises_here(face: Face, server: Server) -> None:
    async def scenario() -> None:
        async with face.one(server.config(), face.station()) as charge_point:
            await done(charge_point.start())
            with pytest.raises(ValueError, match="no connector 7"):
                charge_point.on_enabled(7)
            with pytest.raises(ValueError, match="id_tag"):
                await done(charge_point.authorize_id_token(""))
            with pytest.raises(RuntimeError):
                await done(charge_point.start())
            assert charge_point.is_running

    face.run(scenario)


def test_a_configuration_that_is_wrong_and_a_station_that_is_none(face: Face, server: Server) -> None:
    async def scenario() -> None:
        with pytest.raises(ConfigurationError, match=r"Internal\.ChargePointId"):
            async with face.one({"Internal": {}}, face.station()):
                pass
        with pytest.raises(ConfigurationError, match="unlock_connector is missing"):
            async with face.one(server.config(), object()):
                pass
        with pytest.raises(ConfigurationError, match="not None"):
            async with face.one(server.config(), None):
                pass

    face.run(scenario)


def test_keys_are_changed_and_told_in_the_hosts_world(face: Face, server: Server) -> None:
    told: list[tuple[str | None, str | None]] = []

    async def scenario() -> None:
        async with face.one(server.config(), face.station()) as charge_point:
            undo = charge_point.on_change("HeartbeatInterval", lambda old, new: told.append((old, new)))
            await done(charge_point.start())
            await done(charge_point.wait_registered())
            assert await done(charge_point.configuration.set("HeartbeatInterval", "77")) == ConfigurationStatus.ACCEPTED
            # The interval of BootNotification.conf, a change as well, may be told as late as now.
            await face.until(lambda: bool(told) and told[-1][1] == "77")
            undo()
            await done(charge_point.configuration.set("HeartbeatInterval", "78"))
            await face.pause()
            assert told[-1][1] == "77"
            assert charge_point.configuration.text("HeartbeatInterval") == "78"
            with pytest.raises(ValueError, match="callback"):
                charge_point.on_change("HeartbeatInterval", None)

    face.run(scenario)


def test_an_observer_of_asyncio_may_be_plain(server: Server) -> None:
    events: list[str] = []

    class Plain:
        def notify(self, event: object) -> None:
            events.append(type(event).__name__)

    face = OfAsyncio()

    async def scenario() -> None:
        async with face.one(server.config(), face.station(), observer=Plain()) as charge_point:
            await done(charge_point.start())
            await face.until(lambda: "BootNotificationResponse" in events)

    face.run(scenario)


def test_the_observer_is_told(face: Face, server: Server) -> None:
    events: list[str] = []

    class Plain:
        def notify(self, event: object) -> None:
            events.append(type(event).__name__)

    class Async:
        async def notify(self, event: object) -> None:
            events.append(type(event).__name__)

    async def scenario() -> None:
        observer = Plain() if face.name == "threads" else Async()
        async with face.one(server.config(), face.station(), observer=observer) as charge_point:
            await done(charge_point.start())
            await face.until(lambda: "BootNotificationResponse" in events)

    face.run(scenario)


def test_a_charge_point_that_its_station_does_not_take_is_closed_again(face: Face, server: Server) -> None:
    station = face.station()

    def attach(charge_point: object) -> None:
        raise OSError("no hardware")

    station.attach = attach  # type: ignore[method-assign]

    async def scenario() -> None:
        async with face.many() as charge_points:
            with pytest.raises(OSError, match="no hardware"):
                await done(charge_points.open(server.config(), station))
            await face.until(lambda: len(charge_points) == 0)
            assert list(charge_points) == []
            assert await done(charge_points.open(server.config(), face.station())) in list(charge_points)

    face.run(scenario)


def test_many_in_one_block(face: Face, server: Server, tmp_path: Any) -> None:
    async def scenario() -> None:
        async with face.many(database_path=tmp_path / "all.db") as charge_points:
            opened = [await done(charge_points.open(server.config(f"CP{n}"), face.station())) for n in range(5)]
            for charge_point in opened:
                await done(charge_point.start())
            for charge_point in opened:
                await done(charge_point.wait_registered())
            assert list(charge_points) == opened
            assert len(charge_points) == 5
            assert await done(charge_points.close(opened[0])) is True
            assert await done(charge_points.close(opened[0])) is False
            assert list(charge_points) == opened[1:]
            with pytest.raises(ChargePointStopped):
                opened[0].on_enabled(1)
            opened[1].on_enabled(1)
            with pytest.raises(ConfigurationError):
                await done(charge_points.open(server.config("CP9"), object()))

    face.run(scenario)


def test_all_is_told_when_the_block_is_left(face: Face, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "PORTION", 1)
    told: list[str] = []

    def slow(charge_point: str, direction: str, text: str) -> None:
        threading.Event().wait(0.005)
        told.append(text)

    def heard() -> list[str]:
        own = {Direction.RECEIVED, Direction.SENT}
        found = sorted(record.text for record in server.system.traffic if record.direction in own)
        assert len(found) > 5
        return found

    async def one() -> None:
        async with face.one(server.config(), face.station(), frames=slow) as charge_point:
            await charge(face, charge_point)
        assert sorted(told) == heard()

    async def one_of_many() -> None:
        async with face.many() as charge_points:
            charge_point = await done(charge_points.open(server.config(), face.station(), frames=slow))
            await charge(face, charge_point)
        assert sorted(told) == heard()
        assert list(charge_points) == []

    face.run(one)
    face.run(one_of_many)


def test_what_is_no_reading_is_said(face: Face, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """A meter in another form than the charge point takes would be missed in the bill, and nowhere else."""
    station = face.station()
    monkey: Any = station
    monkey.measurement = lambda connector_id: 1234.5

    async def scenario() -> None:
        async with face.one(server.config(), station) as charge_point:
            await charge(face, charge_point)
            charge_point.sample_now(1)
            undo = charge_point.on_change("HeartbeatInterval", print)
        undo()  # of a block that was left: nothing is to be undone

    face.run(scenario)
    assert "Measurement" in caplog.text


def test_metrics_are_had_in_any_world(face: Face, server: Server) -> None:
    async def scenario() -> None:
        async with face.many() as charge_points:
            watch = Watch(charge_points)
            for number in range(3):
                charge_point = await done(charge_points.open(server.config(f"CP{number}"), face.station()))
                await done(charge_point.start())
                await done(charge_point.wait_registered())
                await done(charge_point.wait_all_answered())
            found = watch.collect()
            assert (found.charge_points, found.registered) == (3, 3)
            assert found.connectors[ChargePointStatus.AVAILABLE] == 6
            assert collect([charge_point]).counters.calls_sent * 3 == found.counters.calls_sent
            await done(charge_points.close(charge_point))
            assert watch.collect().charge_points == 2
            assert watch.collect().counters.calls_sent >= found.counters.calls_sent

    face.run(scenario)


def test_metrics_of_a_host_are_had_from_any_thread(server: Server) -> None:
    found: list[Any] = []
    with blocking.open_charge_point(server.config(), Threaded()) as charge_point:
        charge_point.start()
        charge_point.wait_registered()
        asking = threading.Thread(target=lambda: found.append(collect([charge_point])))
        asking.start()
        asking.join()
        assert found[0].connected == 1
    with pytest.raises(ChargePointStopped):
        collect([charge_point])
