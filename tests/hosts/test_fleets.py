"""A fleet of a host without trio: the same names as in trio, and the host's own code in the host's world."""

import asyncio
import os
import threading
from functools import partial
from typing import Any

import pytest
import trio
from host_faces import TIMEOUT, Face, Server, done, wait_until_stopped

from ocpp16 import ChargePointStopped, ConfigurationError, aio, blocking
from ocpp16.fleet import CallEnded, Fleet, Member, MemberState
from ocpp16.hosts.fleets import KEPT, HostedFleet
from ocpp16.observer import ConnectionStateChanged
from ocpp16.simulation import CarPlan, CommandError, SimulatedStation
from ocpp16.testing import CentralSystem


def url(server: Server) -> str:
    return f"ws://127.0.0.1:{server.port}/"


async def charged(fleet: Any, identity: str) -> Any:
    """One more, whose car has a transaction."""
    member = await done(fleet.add(identity))
    await done(fleet.wait_registered())
    member.station.plug_in(1, CarPlan(plug_after=0.0))
    member.station.present_id_tag("CARD1", [1])
    return member


def test_charge_points_come_are_driven_and_go(face: Face, server: Server) -> None:
    async def scenario() -> None:
        async with face.fleet(url(server), "ac-22kw-twin") as fleet:
            member = await charged(fleet, "CP1")
            await face.until(lambda: len(server.system.calls("StartTransaction", "CP1")) == 1)
            assert (member.identity, member.blueprint.name, member.state) == ("CP1", "ac-22kw-twin", "running")
            assert (member.failures, member.failure) == (0, "")
            assert member.charge_point.connection.is_connected
            assert member.charge_point is fleet["CP1"].charge_point
            status = await done(member.commands.run("status"))
            assert status["registration"] == "Accepted"
            assert member.commands.is_deferred("heartbeat") in {True, False}
            assert member.station.number_of_connectors == 2
            others = await done(fleet.add_all(f"CP{number}" for number in (2, 3)))
            assert [one.identity for one in fleet] == ["CP1", "CP2", "CP3"]
            assert (len(fleet), "CP2" in fleet, "CP9" in fleet) == (3, True, False)
            assert fleet["CP2"] is others[0]
            assert len({type(one) for one in fleet}) == 1, "a class is as large as what it is of"
            await done(fleet.wait_registered())
            assert await done(fleet.remove("CP2")) is True
            assert await done(fleet.remove("CP2")) is False
            assert others[0].state is MemberState.GONE
            assert [one.identity for one in fleet] == ["CP1", "CP3"]
            await done(fleet.add("CP2"))
            await done(fleet.wait_registered())
        assert len(fleet) == 0
        assert member.state is MemberState.GONE
        assert not member.charge_point.is_running
        with pytest.raises(ChargePointStopped):
            await done(fleet.add("CP4"))

    face.run(scenario)
    stops = server.system.calls("StopTransaction")
    assert [(call.identity, call.payload["reason"]) for call in stops] == [("CP1", "Other")]


class Watcher:
    """An observer, plain or to be awaited."""

    def __init__(self, threads: set[threading.Thread], states: list[bool]) -> None:
        self._threads = threads
        self._states = states

    def notify(self, event: Any) -> None:
        self._threads.add(threading.current_thread())
        if isinstance(event, ConnectionStateChanged):
            self._states.append(event.connected)


class AwaitedWatcher(Watcher):
    async def notify(self, event: Any) -> None:  # type: ignore[override]
        super().notify(event)


def test_what_is_the_hosts_own_runs_in_its_world(face: Face, server: Server) -> None:
    threads: set[threading.Thread] = set()
    states: list[bool] = []
    calls: list[CallEnded] = []
    links: list[tuple[str, bool]] = []
    asked: list[str] = []
    own = threading.current_thread()

    def keys(identity: str) -> dict[str, Any]:
        if face.name != "trio":
            assert threading.current_thread() is own
        asked.append(identity)
        return {"Core": {"MeterValueSampleInterval": 100 + int(identity[2:]), "ConnectionTimeOut": 7}}

    def observer(identity: str) -> Any:
        asked.append(identity)
        return None if identity == "CP2" else made(threads, states)

    def note(call: CallEnded) -> None:
        threads.add(threading.current_thread())
        calls.append(call)

    def note_link(identity: str, is_connected: bool, reason: str) -> None:
        links.append((identity, is_connected))

    made = Watcher if face.name == "threads" else AwaitedWatcher

    async def scenario() -> None:
        async with face.fleet(url(server), keys=keys, observer=observer, calls=note, links=note_link) as fleet:
            first = await done(fleet.add("CP1", keys={"Core": {"ConnectionTimeOut": 8}}))
            second = await done(fleet.add("CP2"))
            await done(fleet.wait_registered())
            told = [
                [one.charge_point.configuration.text(key) for key in ("MeterValueSampleInterval", "ConnectionTimeOut")]
                for one in (first, second)
            ]
            assert told == [["101", "8"], ["102", "7"]]
            await face.until(lambda: states == [True])

    face.run(scenario)
    assert sorted(asked) == ["CP1", "CP1", "CP2", "CP2"]
    booted = [call.charge_point for call in calls if call.action == "BootNotification" and call.outcome == "result"]
    assert sorted(booted) == ["CP1", "CP2"], "all is told when the block is left"
    assert sorted(links) == [("CP1", False), ("CP1", True), ("CP2", False), ("CP2", True)]
    assert not {thread.name for thread in threads} & {"ocpp16"}
    if face.name == "asyncio":
        assert threads == {own}


def test_a_listener_that_takes_its_time_has_been_told_all_when_the_block_is_left(server: Server) -> None:
    heard: list[bool] = []

    def note_link(identity: str, is_connected: bool, reason: str) -> None:
        threading.Event().wait(0.1)
        heard.append(is_connected)

    with blocking.open_fleet(url(server), links=note_link) as fleet:
        fleet.add("CP1")
        fleet.wait_registered()
    assert heard == [True, False]


def test_errors_are_those_of_trio(face: Face, server: Server) -> None:
    async def scenario() -> None:
        async with face.fleet(url(server)) as fleet:
            await done(fleet.add("CP1"))
            with pytest.raises(ValueError, match="the fleet has a charge point CP1 already"):
                await done(fleet.add("CP1"))
            with pytest.raises(ValueError, match="no blueprint ac-22; did you mean ac-22kw"):
                await done(fleet.add("CP2", "ac-22"))
            with pytest.raises(ConfigurationError, match="HeartbeatInterval"):
                await done(fleet.add("CP2", keys={"Core": {"HeartbeatInterval": "often"}}))
            with pytest.raises(KeyError):
                fleet["CP2"]
            with pytest.raises(CommandError, match="no command plugin; did you mean plug_in"):
                await done(fleet["CP1"].commands.run("plugin"))
            with pytest.raises(ValueError, match="this station has"):
                fleet["CP1"].station.plug_in(9)
            assert [one.identity for one in fleet] == ["CP1"]
            if face.name != "trio":
                for name in ("is_over", "operation"):
                    with pytest.raises(AttributeError, match=f"{name} is for code in trio's thread"):
                        getattr(fleet["CP1"], name)
                with pytest.raises(AttributeError, match="evses is for code in trio's thread"):
                    _ = fleet["CP1"].station.evses
        for wrong in ({"spread": -1}, {"source_addresses": ["203.0.113.1"]}):
            with pytest.raises(ValueError, match=r"spread|source_addresses"):
                async with face.fleet(url(server), **wrong):
                    pass

    face.run(scenario)


def test_what_the_host_raises_in_the_block_ends_all_in_order(face: Face, server: Server) -> None:
    async def scenario() -> None:
        async with face.fleet(url(server)) as fleet:
            await charged(fleet, "CP1")
            await face.until(lambda: len(server.system.calls("StartTransaction", "CP1")) == 1)
            raise LookupError("of the host")

    with pytest.raises(ExceptionGroup if face.name == "trio" else LookupError, match=r"of the host|Exceptions"):
        face.run(scenario)
    assert [call.payload["reason"] for call in server.system.calls("StopTransaction")] == ["Other"]
    server.do(partial(server.system.wait_disconnected, "CP1", timeout=TIMEOUT))


@pytest.mark.parametrize("door", [blocking, aio])
@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"calls": 5}, "calls must be a function that is not async, not 5"),
        ({"frames": Watcher}, ""),
        ({"keys": AwaitedWatcher.notify}, "keys must be a function that is not async"),
    ],
)
def test_functions_that_cannot_be_called_are_refused(door: Any, named: dict[str, Any], why: str) -> None:
    async def in_asyncio() -> None:
        async with door.open_fleet("ws://x/", **named):
            pass

    def in_threads() -> None:
        with door.open_fleet("ws://x/", **named):
            pass

    run = in_threads if door is blocking else partial(asyncio.run, in_asyncio())
    if why:
        with pytest.raises(ConfigurationError, match=why):
            run()
    else:
        run()


def test_threads_await_no_observer(server: Server) -> None:
    def observer(identity: str) -> Any:
        return AwaitedWatcher(set(), [])

    with blocking.open_fleet(url(server), observer=observer) as fleet:
        with pytest.raises(ConfigurationError, match=r"observer\.notify must be a plain function"):
            fleet.add("CP1")
        assert len(fleet) == 0


def test_a_forked_process_is_told_so_and_its_parent_goes_on(server: Server) -> None:
    with blocking.open_fleet(url(server)) as fleet:
        member = fleet.add("CP1")
        fleet.wait_registered()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for call in (partial(len, fleet), partial(fleet.add, "CP2"), lambda: member.commands):
                    with pytest.raises(ChargePointStopped, match="this one was forked from it"):
                        call()
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        assert member.commands.run("status")["registration"] == "Accepted"
    assert server.system.calls("BootNotification", "CP2") == []


def test_one_whose_adding_is_cancelled_is_not_there(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with aio.open_fleet(url(server)) as fleet:
            adding = asyncio.ensure_future(fleet.add("CP1"))
            await asyncio.sleep(0)
            adding.cancel()
            with pytest.raises(asyncio.CancelledError):
                await adding
            for _ in range(3000):
                if "CP1" not in fleet:
                    break
                await asyncio.sleep(0.01)
            assert len(fleet) == 0
            await fleet.add("CP1")
            await fleet.wait_registered()

    asyncio.run(scenario())


def test_one_that_was_added_and_got_by_nobody_is_taken_back(server: Server) -> None:
    with blocking.open_fleet(url(server)) as fleet:
        house = fleet._house  # type: ignore[attr-defined]
        wait, house.wait = house.wait, interrupted
        with pytest.raises(KeyboardInterrupt):
            fleet.add("CP1")
        house.wait = wait
        for _ in range(3000):
            if "CP1" not in fleet:
                break
            threading.Event().wait(0.01)
        assert len(fleet) == 0
        fleet.add("CP1")
        fleet.wait_registered()


def interrupted(crossing: Any) -> Any:
    """As Ctrl-C that comes when the outcome is there."""
    crossing.future.result(TIMEOUT)
    raise KeyboardInterrupt


interrupted.is_async = False  # type: ignore[attr-defined]


def test_a_reset_that_switches_off_gives_another_face(server: Server) -> None:
    with blocking.open_fleet(url(server)) as fleet:
        member = fleet.add("CP1")
        fleet.wait_registered()
        first = member.charge_point
        assert member.cut_power(0.01) is True
        for _ in range(3000):
            if member.state is MemberState.RUNNING and member.charge_point is not first:
                break
            threading.Event().wait(0.01)
        fleet.wait_registered()
        assert not first.is_running
        assert member.charge_point.is_running
        assert sum(one is member for one in fleet) == 1


def test_a_host_that_ends_without_leaving_is_noticed(server: Server) -> None:
    opened: list[Any] = []

    def host() -> None:
        block = blocking.open_fleet(url(server))
        fleet = block.__enter__()
        opened.extend([block, fleet, fleet.add("CP1")])
        fleet.wait_registered()

    thread = threading.Thread(target=host)
    thread.start()
    thread.join(TIMEOUT)
    wait_until_stopped(opened[2].charge_point)
    server.do(partial(server.system.wait_disconnected, "CP1", timeout=TIMEOUT))


async def test_one_that_is_removed_while_it_comes_keeps_what_is_its_own(autojump_clock: Any) -> None:
    """That is asked for again at each later start of it."""
    asked: list[str] = []
    world: Any = None  # of observers alone
    async with CentralSystem() as csms:
        observer: Any = asked.append
        hosted = HostedFleet("ws://csms.example/", None, world, {"connector": csms.connector, "observer": observer})
        async with hosted.make() as fleet:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(hosted.add, fleet, "CP1", None, None, hosted.asked("CP1")[1])
                while not hosted._own:
                    await trio.lowlevel.checkpoint()
                assert "CP1" not in fleet
                assert await hosted.remove(fleet, "CP1") is False
            await fleet.wait_registered()
            member = fleet["CP1"]
            assert member.cut_power(5)
            await trio.sleep(60)
            assert (member.failure, member.state, asked) == ("", MemberState.RUNNING, ["CP1"])
            assert await hosted.remove(fleet, "CP1") is True
            assert not hosted._own


def test_what_is_kept_of_a_station_is_there() -> None:
    assert set(dir(SimulatedStation)) > KEPT
    assert {"charge_point", "station", "commands"} < set(dir(Member))
    assert {"add", "abandon"} < set(dir(Fleet))
