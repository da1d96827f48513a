"""The story of meters that sign: it is told to the end, and it notices what is not signed, or not by this meter."""

import pytest
import trio
import trio.testing

from ocpp16.charge_point.open import open_charge_point
from ocpp16.cli.demo import configuration
from ocpp16.cli.stories import eichrecht
from ocpp16.cli.stories.eichrecht import Eichrecht
from ocpp16.observer import ObserverEvent
from ocpp16.simulation import Operation, SimulatedStation
from ocpp16.simulation.signing_meter import SigningMeters
from ocpp16.testing import CentralSystem


class Listening:
    """An observer that only hands on to a story."""

    story: Eichrecht

    async def notify(self, event: ObserverEvent) -> None:
        self.story.notice(event)


async def told(connectors: int, station: SimulatedStation | None = None) -> tuple[list[str], list[str], str]:
    """Over a memory stream, on the clock of the test: sentences, problems and the result. `station`: in place of that
    of the story."""
    sentences: list[str] = []
    listening = Listening()
    async with CentralSystem() as csms:
        with Eichrecht(csms, sentences.append, patience=300.0) as story:
            listening.story = story
            station = station or story.station()
            keys = configuration(9, connectors, story.keys())
            async with open_charge_point(
                keys, station, connector=csms.connector, observer=listening, anchor=1.8e9, seed=1
            ) as charge_point:
                station.attach(charge_point)
                operation = Operation(station, charge_point)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(operation.run)
                    await story.run(charge_point, station)
                    nursery.cancel_scope.cancel()
                await operation.stop()
            return sentences, story.problems(connectors), story.result(connectors)


async def test_all_goes_well(autojump_clock: trio.testing.MockClock) -> None:
    sentences, problems, result = await told(2)
    assert problems == []
    assert len([sentence for sentence in sentences if "and verified: OCMF|{" in sentence]) == 4
    found = "with one digit of the energy changed: the signature is not that of this text by this key"
    for connector in (1, 2):
        assert f"connector {connector}: {found}" in sentences
        [said] = [it for it in sentences if it.startswith(f"connector {connector}: 0 Wh to ")]
        assert f"Wh for CARD-{connector}, page T2 of meter SIM" in said
    energies = [int(part.removesuffix(" Wh")) for part in result.removeprefix("verified ").split(" + ")]
    assert len(energies) == 2
    assert all(energy > 200 for energy in energies)


async def test_meters_that_do_not_sign_are_noticed(autojump_clock: trio.testing.MockClock) -> None:
    _, problems, _ = await told(1, SimulatedStation(meter_interval=0))
    assert problems == ["connector 1: there is no public key of its meter", "connector 1 went nowhere"]


def _key_of_another(self: SigningMeters, connector_id: int) -> str:
    return self._key(connector_id + 1).public_der.hex()


async def test_a_key_of_another_meter_is_noticed(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SigningMeters, "public_key", _key_of_another)
    _, problems, _ = await told(1)
    assert problems == [
        "connector 1: the signature is not that of this text by this key",
        "connector 1: no energy was verified",
    ]


async def test_a_begin_that_is_not_told_at_once_is_noticed(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Eichrecht, "keys", lambda self: {})
    _, problems, _ = await told(1)
    assert problems[0] == "connector 1: the begin was not told at once"


async def test_a_signature_that_fits_everything_is_noticed(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eichrecht, "verify", lambda read, public_key: None)
    _, problems, _ = await told(1)
    assert problems == ["connector 1: a changed digit was not found"]
