"""What our charge points and Central System say to each other is clean, whatever happens to the connection.

The same for a Central System of others is in tests/acceptance/test_lint.py.
"""

from collections.abc import Callable
from time import time
from typing import Any

import pytest
import trio
from recorded import recorded

from ocpp16.charge_point.open import open_charge_point
from ocpp16.cli.demo import configuration
from ocpp16.cli.stories import STORIES, Story
from ocpp16.fleet import Blueprint, identities, open_fleet
from ocpp16.lint import Finding, lint
from ocpp16.observer import ObserverEvent
from ocpp16.simulation import CarPlan, Operation
from ocpp16.testing import CentralSystem, Fault

CAR = CarPlan(plug_after=1.0, draw_after=1.0, draw_for=600.0)


class Listening:
    """An observer that only hands on to a story."""

    story: Story

    async def notify(self, event: ObserverEvent) -> None:
        self.story.notice(event)


def found(csms: CentralSystem, entered_at: float = 0.0, **options: Any) -> list[Finding]:
    return [finding._replace(frame=None) for finding in lint(recorded(csms, entered_at, **options))]


@pytest.mark.parametrize("name", list(STORIES))
async def test_the_stories_of_the_demonstration(autojump_clock: Any, name: str) -> None:
    # Certificates are made for the time in which the test runs.
    entered_at, began = trio.current_time(), float(int(time()))
    async with CentralSystem(now=lambda: round((began + trio.current_time() - entered_at) * 1e6)) as csms:
        listening = Listening()
        with STORIES[name](csms, lambda sentence: None, 300.0) as story:
            listening.story = story
            station = story.station()
            async with open_charge_point(
                configuration(9, 2, story.keys()),
                station,
                connector=csms.connector,
                certificates_path=story.certificates_path(),
                observer=listening,
                anchor=began,
                seed=1,
            ) as charge_point:
                station.attach(charge_point)
                operation = Operation(station, charge_point)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(operation.run)
                    await story.run(charge_point, station)
                    nursery.cancel_scope.cancel()
                await operation.stop()
        assert len(csms.calls("StartTransaction")) >= 2
        assert found(csms, entered_at, began=began) == []
        assert found(csms, entered_at, has_connections=False, began=began) == []


def breaks_off(csms: CentralSystem) -> None:
    csms.misbehave(Fault.ABORT, "StartTransaction", times=2)
    csms.misbehave(Fault.CLOSE, "MeterValues", times=5)
    csms.misbehave(Fault.ABORT, "StopTransaction", times=2)


def slow(csms: CentralSystem) -> None:
    csms.misbehave(Fault.DELAY, seconds=5.0, times=40)


def well(csms: CentralSystem) -> None:
    pass


@pytest.mark.parametrize("trouble", [well, breaks_off, slow])
@pytest.mark.parametrize("is_offline", [False, True])
async def test_a_fleet(autojump_clock: Any, trouble: Callable[[CentralSystem], None], is_offline: bool) -> None:
    """Ten that charge twice; offline from the middle of the first to after the begin of the second."""
    entered_at = trio.current_time()
    blueprint = Blueprint(
        name="two", connectors=2, keys={"Core": {"MeterValueSampleInterval": 60, "AllowOfflineTxForUnknownId": True}}
    )
    async with CentralSystem() as csms:
        trouble(csms)
        async with open_fleet("ws://csms.example/ocpp", connector=csms.connector, spread=5.0, seed=1) as fleet:
            await fleet.add_all(identities("CP{number:02}", 10), blueprint)
            await fleet.wait_registered()
            for turn in range(2):
                for number, member in enumerate(fleet):
                    member.station.plug_in(1 + number % 2, CAR)
                    member.station.present_id_tag(f"TAG{number}", [1 + number % 2])
                await trio.sleep(200)
                csms.is_reachable = not is_offline or turn > 0
                for identity in () if csms.is_reachable else list(csms.connected):
                    csms.abort(identity)
                await trio.sleep(1000)
                for number, member in enumerate(fleet):
                    member.station.unplug(1 + number % 2)
                await trio.sleep(30)
            await trio.sleep(900)
        assert len(csms.calls("StopTransaction")) >= 20
        assert found(csms, entered_at) == []
        assert found(csms, entered_at, has_connections=False) == []


async def test_what_a_central_system_asks(autojump_clock: Any) -> None:
    entered_at = trio.current_time()
    async with CentralSystem() as csms:
        csms.refuse_boot("Pending", times=1, interval=20)
        async with open_fleet("ws://csms.example/ocpp", connector=csms.connector, seed=1) as fleet:
            member = await fleet.add("CP1")
            await csms.wait_connected("CP1")
            await fleet.wait_registered()
            await trio.sleep(5)
            member.station.plug_in(1, CAR)
            for action, payload in ASKED:
                await csms.call("CP1", action, payload)
                await trio.sleep(10)
            await csms.call("CP1", "RemoteStopTransaction", {"transactionId": 1})
            await trio.sleep(30)
            member.station.unplug(1)
            await trio.sleep(30)
            await csms.call("CP1", "Reset", {"type": "Soft"})
            await trio.sleep(400)
        assert len(csms.calls("StopTransaction")) == 1
        assert found(csms, entered_at) == []


ASKED: list[tuple[str, dict[str, Any]]] = [
    ("GetConfiguration", {}),
    ("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "30"}),
    ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}),
    ("TriggerMessage", {"requestedMessage": "Heartbeat"}),
    ("TriggerMessage", {"requestedMessage": "BootNotification"}),
    ("RemoteStartTransaction", {"idTag": "TAG", "connectorId": 1}),
    ("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}),
    ("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}),
    ("ChangeAvailability", {"connectorId": 1, "type": "Operative"}),
    ("GetCompositeSchedule", {"connectorId": 1, "duration": 600}),
    ("ClearCache", {}),
]
