"""Whoever stood before the charge point when the trace was made: cards and cables of a simulated station.

What a charge point did of itself is read from what it said: Preparing is a cable, Authorize a card, and so on. What the
Central System had done (remote starts and stops, resets) is left to whoever plays that side.
"""

from math import inf
from typing import Any, Final, Protocol, TypeGuard

import trio

from ocpp16.replay.story import Exchange, Story

MOST_CONNECTORS: Final = 1_000
"""Of a charge point; what a trace says of more is not done."""


class Driven(Protocol):
    """A station as `ocpp16.simulation.SimulatedStation`."""

    def plug_in(self, connector_id: int, *, plug_after: float, draw_for: float) -> None: ...
    def unplug(self, connector_id: int) -> None: ...
    def present_id_tag(self, id_tag: str, connectors: "tuple[int, ...]") -> None: ...


class Driver:
    """Parameters: `speed`: how many times faster than in the trace."""

    def __init__(self, story: Story, station: Driven, speed: float) -> None:
        self._story = story
        self._station = station
        self._speed = speed
        self._plugged: set[int] = set()
        self._transactions: dict[int, int] = {}

    async def drive(self) -> None:
        """Until the end of the story."""
        began = trio.current_time()
        requests = [one for one in self._story.exchanges if one.is_ours]
        for one in requests:
            await trio.sleep_until(began + one.at / self._speed)
            act = getattr(self, _ACTS.get(one.action, ""), None)
            if act is not None:
                act(one)

    def _status(self, one: Exchange) -> None:
        connector, status = one.payload.get("connectorId"), one.payload.get("status")
        if not _is_connector(connector):
            return
        if status == "Preparing":
            self._plug_in(connector)
        elif status == "Available" and connector in self._plugged:
            self._plugged.discard(connector)
            self._station.unplug(connector)

    def _authorize(self, one: Exchange) -> None:
        tag = one.payload.get("idTag")
        if isinstance(tag, str) and 1 <= len(tag) <= 20:
            self._station.present_id_tag(tag, ())

    def _start(self, one: Exchange) -> None:
        connector = one.payload.get("connectorId")
        if not _is_connector(connector):
            return
        if one.answer is not None and isinstance(one.answer.payload, dict):
            given = one.answer.payload.get("transactionId")
            if type(given) is int:
                self._transactions[given] = connector
        self._plug_in(connector)

    def _stop(self, one: Exchange) -> None:
        ended = one.payload.get("transactionId")
        connector = self._transactions.get(ended, 0) if type(ended) is int else 0
        reason = one.payload.get("reason", "Local")
        if reason == "Local":
            self._authorize(one)
        elif reason == "EVDisconnected" and connector in self._plugged:
            self._plugged.discard(connector)
            self._station.unplug(connector)

    def _plug_in(self, connector: int) -> None:
        if connector not in self._plugged:
            self._plugged.add(connector)
            self._station.plug_in(connector, plug_after=0.0, draw_for=inf)


_ACTS = {
    "StatusNotification": "_status",
    "Authorize": "_authorize",
    "StartTransaction": "_start",
    "StopTransaction": "_stop",
}
"""Request → what the driver does then."""


def connectors_of(story: Story) -> int:
    """How many connectors a charge point needs that is to do the same; at least one."""
    named = (one.payload.get("connectorId") for one in story.exchanges)
    numbers: list[int] = [1, *filter(_is_connector, named)]
    return max(numbers)


def _is_connector(number: Any) -> TypeGuard[int]:
    """Is it one that the driven station has? What a trace says of others was of another kind of charge point."""
    return type(number) is int and 1 <= number <= MOST_CONNECTORS
