"""The Central System's side of a trace, for whichever charge points come: ours, or any.

Rules of this file:
1. A request of a charge point is answered as the trace has it: by the next answer to a request that says the same of
   connector, id tag and key, else to the same action; one that the trace has no more of, as the last was; one that it
   never had, as a Central System that accepts everything does, which is a difference. Times are those of now.
2. A request of the Central System is sent when what the charge point asked before it in the trace was asked now, too,
   and as long after that as then; or when that was waited for long enough, which is a difference.
3. Where the charge point came with another connection in the trace, the present one is broken off at that time, unless
   it came with another one by itself; it is waited for, too.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from typing import Any, Final

import trio

from ocpp16.codec import ACTIONS, format_datetime
from ocpp16.enums import ErrorCode
from ocpp16.errors import CallFailed
from ocpp16.faults import sentence
from ocpp16.lint.bounds import forget_oldest
from ocpp16.replay.outcome import Outcome
from ocpp16.replay.story import Answer, Break, Exchange, Story
from ocpp16.testing import CallErrorAnswer, CentralSystem
from ocpp16.testing.recording import ReceivedCall

PATIENCE: Final = 60.0
"""Seconds for what a charge point is to do of itself."""
LAST_REQUESTS: Final = 5.0
"""Seconds by which the last request of a charge point may come sooner or later than in the trace, or not at all."""
CALL_TIMEOUT: Final = 30.0
_TELLING: Final = ("connectorId", "idTag", "key", "vendorId", "messageId", "type")
"""Members by which a request is known again."""
_OF_TIME: Final = frozenset({"Heartbeat", "MeterValues"})
"""Requests that come by a clock: nothing waits for them."""
_BY_CHANCE: Final = _OF_TIME | {"StatusNotification", "SecurityEventNotification"}
"""Requests of which there may be more or fewer than in the trace, or none."""
_MOST_STARTS: Final = 10_000


async def play_central_system(
    stories: Mapping[str, Story],
    csms: CentralSystem,
    *,
    speed: float = 1.0,
    patience: float = PATIENCE,
    outcomes: list[Outcome] | None = None,
) -> list[Outcome]:
    """Answer and ask as in the trace, until all of it was played for each charge point of `stories`.

    csms: a Central System whose block is open; it gets its answers here. The story of an unknown charge point ("") is
    that of whoever comes first. speed: how many times faster than in the trace. patience: seconds to wait for a charge
    point, and for each thing that it is to do of itself. outcomes: a list for them, which are filled from the
    beginning, for whoever cancels this and wants to know what came of it so far; it is returned.
    """
    found: list[Outcome] = [] if outcomes is None else outcomes
    players = [_Player(story, csms, speed, patience) for story in stories.values()]
    found += [player.outcome for player in players]
    stage = _Stage(players)
    for name, action in ACTIONS.items():
        if action.initiator != "CentralSystem":
            csms.answers[name] = partial(stage.answer, csms)
    async with trio.open_nursery() as nursery:
        for player in players:
            nursery.start_soon(player.play)
    return found


class _Stage:
    """Who plays for whom."""

    def __init__(self, players: "list[_Player]") -> None:
        self._players = {player.identity: player for player in players}

    def answer(self, csms: CentralSystem, payload: dict[str, Any], call: ReceivedCall) -> Any:
        player = self._players.get(call.identity)
        if player is None and "" in self._players:
            player = self._players.pop("")
            player.identity = call.identity
            self._players[call.identity] = player
        return _accepted(csms, call) if player is None else player.answer(call)


class _Player:
    def __init__(self, story: Story, csms: CentralSystem, speed: float, patience: float) -> None:
        self.identity = story.identity
        self.outcome = Outcome(story.identity)
        self._story = story
        self._csms = csms
        self._speed = speed
        self._patience = patience
        self._left: dict[str, list[Exchange]] = {}
        self._last: dict[str, Exchange] = {}
        for one in story.exchanges:
            if one.is_ours:
                self._left.setdefault(one.action, []).append(one)
        self._starts: dict[str, Any] = {}
        self._seen: Counter[str] = Counter()
        self._asked_at: dict[str, float] = {}
        """When the charge point asked an action last."""
        self._unknown: set[str] = set()
        self._in_trace = {action: tuple(all_of_it) for action, all_of_it in self._left.items()}
        self._moments: dict[tuple[str, int], float] = {}
        """When the charge point asked an action for the n-th time, as often as in the trace."""
        self._changed = trio.Event()

    # What the charge point asks

    def answer(self, call: ReceivedCall) -> Any:
        self._seen[call.action] += 1
        self._asked_at[call.action] = trio.current_time()
        if self._seen[call.action] <= len(self._in_trace.get(call.action, ())):
            self._moments[call.action, self._seen[call.action]] = trio.current_time()
        changed, self._changed = self._changed, trio.Event()
        changed.set()
        if call.action != "StartTransaction":
            return self._answer(call)
        telling = repr([call.payload.get(name) for name in ("connectorId", "idTag", "timestamp", "meterStart")])
        answer = self._starts.get(telling)
        if answer is None:  # else it was told before, and is the same transaction
            answer = self._answer(call)
            if isinstance(answer, dict):  # no transaction came of what was refused, or not answered
                self._starts[telling] = answer
                forget_oldest(self._starts, _MOST_STARTS)
        return answer

    def _answer(self, call: ReceivedCall) -> Any:
        left = self._left.get(call.action, [])
        found = next((one for one in left if _says_the_same(one.payload, call.payload)), left[0] if left else None)
        if found is not None:
            left.remove(found)
            self._last[call.action] = found
        elif call.action != "StartTransaction":  # another one is another transaction
            found = self._last.get(call.action)
        if found is None:
            if call.action not in self._last and call.action not in self._unknown | _BY_CHANCE:
                self._unknown.add(call.action)
                self.outcome.differ(0, call.action, "the charge point asked it, which the trace does not have")
            return _accepted(self._csms, call)
        if found.answer is None:
            return None
        if found.answer.code:
            return CallErrorAnswer(found.answer.code)
        payload = dict(found.answer.payload)
        if "currentTime" in payload:
            payload["currentTime"] = format_datetime(self._csms.standard_answers.now())
        return payload

    # What the Central System asks

    async def play(self) -> None:
        with self.outcome.ends_with():
            await self._play()

    async def _play(self) -> None:
        if not await self._until(lambda: self.identity in self._csms.connected):
            self.outcome.end = f"it did not connect within {self._patience:g} s"
            return
        began = trio.current_time()
        wanted: Counter[str] = Counter()
        before: Exchange | None = None
        breaks = {one.place: one for one in self._story.breaks}
        present = self._csms.connected.get(self.identity)
        for place, one in enumerate(self._story.exchanges):
            if place in breaks:
                if before is not None:
                    await self._came(before, wanted[before.action])  # what does not come at all is told in the end
                await self._break(breaks[place], present, self._due(before, wanted, began, breaks[place].began))
                present = self._csms.connected.get(self.identity)
                if self.outcome.end:
                    return
            if one.is_ours:
                if one.action not in _OF_TIME:
                    wanted[one.action] += 1
                    before = one
                continue
            if before is not None and not await self._came(before, wanted[before.action]):
                self.outcome.differ(one.line, one.action, f"asked without the {before.action} before it")
            await trio.sleep_until(self._due(before, wanted, began, one.at))
            await self._ask(one)
        for action, count in wanted.items():
            if action in _BY_CHANCE:
                continue
            last = self._story.answers(action, is_ours=True)[-1]
            if not await self._came(last, count):
                seen = self._seen[action]
                self.outcome.differ(last.line, action, f"the charge point asked it {seen} times, {count} in the trace")
        last = self._story.exchanges[-1]
        if last.is_ours and last.action in _BY_CHANCE:
            sure = [one for one in self._story.exchanges if one.is_ours and one.action not in _BY_CHANCE]
            await self._wait_for_the_last(last.action, self._due(sure[-1] if sure else None, wanted, began, last.at))

    async def _wait_for_the_last(self, action: str, due: float) -> None:
        await trio.sleep_until(due)
        with trio.move_on_after(min(LAST_REQUESTS, self._patience)):
            while self._asked_at.get(action, -inf) < due - LAST_REQUESTS:
                await self._changed.wait()

    def _due(self, before: Exchange | None, wanted: "Counter[str]", began: float, at: float) -> float:
        """trio's time that is as long after what the charge point asked before it as in the trace."""
        then, moment = 0.0, began
        if before is not None:
            then = before.at
            moment = self._moments.get((before.action, wanted[before.action]), trio.current_time())
        return moment + (at - then) / self._speed

    async def _break(self, broken: Break, present: object, due: float) -> None:
        """Until the charge point is there with another connection."""
        if broken.ended is not None:
            due -= (broken.began - broken.ended) / self._speed
        await trio.sleep_until(due)
        if present is not None and self._csms.connected.get(self.identity) is present:
            self._csms.abort(self.identity)

        def is_there() -> bool:
            return self._csms.connected.get(self.identity) not in (None, present)

        if await self._until(is_there):
            self.outcome.connections += 1
        else:
            self.outcome.end = f"it did not connect again within {self._patience:g} s"

    async def _came(self, before: Exchange, count: int) -> bool:
        return await self._until(lambda: self._seen[before.action] >= count)

    async def _until(self, is_so: Callable[[], bool]) -> bool:
        with trio.move_on_after(self._patience):
            while not is_so():
                with trio.move_on_after(1.0):  # a connection is not told here
                    await self._changed.wait()
        return bool(is_so())

    async def _ask(self, one: Exchange) -> None:
        self.outcome.played += 1
        try:
            now = Answer(
                await self._csms.call(self.identity, one.action, one.payload, CALL_TIMEOUT, validated=False), ""
            )
        except CallFailed as failed:
            if failed.reason != "callerror":
                self.outcome.differ(one.line, one.action, f"no answer: {failed.reason}")
                return
            now = Answer(None, failed.code)
        self.outcome.answered += 1
        self.outcome.compare(one.line, one.action, one.answer, now)


def _accepted(csms: CentralSystem, call: ReceivedCall) -> Any:
    """What is answered to a request that the trace does not answer; whatever that has in it."""
    try:
        return csms.standard_answers(call)
    except Exception as fault:
        return CallErrorAnswer(ErrorCode.FORMATION_VIOLATION, f"cannot be answered: {sentence(fault)}")


def _says_the_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    return all(before.get(name) == now.get(name) for name in _TELLING)
