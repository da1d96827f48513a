"""The charge point's side of a trace, against a Central System of today.

Rules of this file:
1. Requests are sent in the order of the trace, none before its time and none while another is unanswered.
2. A transaction has the id that the Central System gives it now, wherever the trace had the one of then.
3. What the Central System asks is answered as the trace has it: by the next answer to the same request, else to the
   same action. A request that the trace has at this place is waited for, within bounds.
4. Where the trace has another connection, the present one is closed when it was then, and another one opened.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import trio

from ocpp16.codec import Call, CallError, CallResult, FramingError, parse, serialize
from ocpp16.errors import ConnectionClosed, ConnectionFailed
from ocpp16.replay.outcome import Outcome
from ocpp16.replay.story import Answer, Break, Exchange, Story
from ocpp16.rpc.ids import uuid_ids
from ocpp16.texts import shown
from ocpp16.transport.websocket import WebSocket
from ocpp16.values import finite

ANSWER_TIMEOUT: Final = 30.0
"""Seconds for an answer of the Central System."""
PATIENCE: Final = 5.0
"""Seconds that a request of the Central System is waited for where the trace has one."""
WRITE_TIMEOUT: Final = 30.0
LONGEST_ID: Final = 36
"""Characters of a message id."""


async def play_charge_point(
    story: Story,
    websocket: WebSocket,
    *,
    reconnect: Callable[[], Awaitable[WebSocket]] | None = None,
    speed: float = 1.0,
    keeps_ids: bool = False,
    patience: float = PATIENCE,
    answer_timeout: float = ANSWER_TIMEOUT,
    new_id: Callable[[], str] | None = None,
    outcome: Outcome | None = None,
) -> Outcome:
    """Play it on a connection that is open, and close that in order.

    reconnect: opens another connection, where the trace has several, and raises ConnectionFailed; without it all is
    played on the one. speed: how many times faster than in the trace; 0: without waiting. keeps_ids: send the message
    ids of the trace, not new ones, but for those that no message may have. patience: seconds to wait for a request of
    the Central System. answer_timeout: seconds for an answer, after which it goes on. outcome: is filled and returned,
    for whoever cancels this and wants to know what came of it so far. Raises ValueError for a speed that is none.
    """
    if finite(speed, "speed") < 0:
        raise ValueError(f"speed must be 0 or more, not {speed:g}")
    made_id = new_id or uuid_ids()

    def id_of(one: Exchange) -> str:
        return one.message_id if keeps_ids and 1 <= len(one.message_id) <= LONGEST_ID else made_id()

    playing = _Playing(
        story, patience, answer_timeout, speed, id_of, Outcome(story.identity) if outcome is None else outcome
    )
    with playing.outcome.ends_with():
        if reconnect is None:
            await playing.on(websocket, story.exchanges, None)
        else:
            await _play_connections(playing, story, websocket, reconnect)
    return playing.outcome


async def _play_connections(
    playing: "_Playing", story: Story, websocket: WebSocket, reconnect: Callable[[], Awaitable[WebSocket]]
) -> None:
    for exchanges, broken in story.connections():
        await playing.on(websocket, exchanges, broken)
        if broken is None or playing.outcome.end:
            break
        await playing.until(broken.began)
        try:
            websocket = await reconnect()
        except ConnectionFailed as failed:
            playing.outcome.end = f"it could not connect again: {failed}"
            break
        playing.outcome.connections += 1


class _Playing:
    _websocket: WebSocket
    """The connection there is."""

    def __init__(
        self,
        story: Story,
        patience: float,
        answer_timeout: float,
        speed: float,
        id_of: Callable[[Exchange], str],
        outcome: Outcome,
    ) -> None:
        self.outcome = outcome
        self._speed = speed
        self._id_of = id_of
        self._began = trio.current_time()
        self._is_played = False
        """Is all that the trace has of this connection?"""
        self._has_ended = False
        self._patience = patience
        self._answer_timeout = answer_timeout
        self._asked = deque(one for one in story.exchanges if not one.is_ours)
        """What the Central System has not asked yet."""
        self._transactions: dict[int, int] = {}
        self._waits_for: str | None = None
        self._answer: Answer | None = None
        self._changed = trio.Event()
        self._turn = trio.Lock()

    async def on(self, websocket: WebSocket, exchanges: Sequence[Exchange], broken: Break | None) -> None:
        """All of one connection, until it ends."""
        self._websocket, self._is_played, self._has_ended = websocket, False, False
        try:
            async with trio.open_nursery() as nursery:
                websocket.on_unsent = self.write_soon(nursery)
                nursery.start_soon(self.read)
                await self.play(exchanges)
                self._is_played = True
                if broken is not None and not self.outcome.end:
                    with trio.move_on_at(self._moment(broken.began if broken.ended is None else broken.ended)):
                        while not self._has_ended:
                            await self._changed.wait()
                nursery.cancel_scope.cancel()
        finally:
            websocket.on_unsent = None
            with trio.CancelScope(shield=True):  # bounded inside
                await websocket.aclose()

    def _moment(self, at: float) -> float:
        """trio's time at which it is so late in the trace; at once without a speed."""
        return self._began + at / self._speed if self._speed else trio.current_time()

    async def until(self, at: float) -> None:
        await trio.sleep_until(self._moment(at))

    def write_soon(self, nursery: trio.Nursery) -> Callable[[], None]:
        def write() -> None:
            nursery.start_soon(self._write)

        return write

    async def _write(self) -> None:
        async with self._turn:
            with trio.move_on_after(WRITE_TIMEOUT):  # which ends the connection: half a frame was written
                await self._websocket.flush()

    def _notify(self) -> None:
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    # What is sent

    async def play(self, exchanges: Sequence[Exchange]) -> None:
        for one in exchanges:
            if self._speed:
                await self.until(one.at)
            if self.outcome.end:
                return
            if one.is_ours:
                await self._send(one, self._id_of(one))
            else:
                await self._await_asked(one)

    async def _send(self, one: Exchange, message_id: str) -> None:
        payload = dict(one.payload)
        then = payload.get("transactionId")
        if type(then) is int and then in self._transactions:
            payload["transactionId"] = self._transactions[then]
        self._waits_for, self._answer = message_id, None
        try:
            self._websocket.send_text(serialize(Call(message_id, one.action, payload)))
        except ConnectionClosed as closed:
            self._over(closed)
            return
        self.outcome.played += 1
        await self._write()
        answer = await self._answered()
        self._waits_for = None
        if answer is None:
            if one.answer is not None and not self.outcome.end:
                self.outcome.differ(one.line, one.action, f"no answer within {self._answer_timeout:g} s")
            return
        self.outcome.answered += 1
        if one.answer is not None:
            self._learn(one.answer, answer)
        self.outcome.compare(one.line, one.action, one.answer, answer)

    async def _answered(self) -> Answer | None:
        with trio.move_on_after(self._answer_timeout):
            while self._answer is None and not self.outcome.end:
                await self._changed.wait()
        return self._answer

    def _learn(self, before: Answer, now: Answer) -> None:
        """The ids that a transaction had then, and has now."""
        if isinstance(before.payload, dict) and isinstance(now.payload, dict):
            then, today = before.payload.get("transactionId"), now.payload.get("transactionId")
            if type(then) is int and type(today) is int:
                self._transactions[then] = today

    async def _await_asked(self, one: Exchange) -> None:
        with trio.move_on_after(self._patience) as scope:
            while one in self._asked and not self.outcome.end:
                await self._changed.wait()
        if scope.cancelled_caught:
            self._asked.remove(one)
            self.outcome.differ(one.line, one.action, f"the Central System did not ask it within {self._patience:g} s")

    # What is received

    async def read(self) -> None:
        """Until the connection ends."""
        try:
            while True:
                for text in await self._websocket.receive():
                    self._take(text)
                await self._write()
        except ConnectionClosed as closed:
            self._over(closed)

    def _over(self, closed: ConnectionClosed) -> None:
        self._has_ended = True
        if not self._is_played:  # else it ended in the trace as well
            self.outcome.end = (
                self.outcome.end or f"the connection ended: {closed.code} {shown(closed.reason)}".rstrip()
            )
        self._notify()

    def _take(self, text: str) -> None:
        try:
            frame = parse(text)
        except FramingError as error:
            self.outcome.differ(0, "", f"a text that is no message: {shown(error, 100)}")
            return
        if isinstance(frame, Call):
            self._websocket.send_text(serialize(self._answer_to(frame)))
        elif frame.unique_id == self._waits_for:
            self._answer = Answer(None, frame.code) if isinstance(frame, CallError) else Answer(frame.payload)
        self._notify()

    def _answer_to(self, call: Call) -> CallResult | CallError:
        same = [one for one in self._asked if one.action == call.action]
        found = next((one for one in same if one.payload == call.payload), same[0] if same else None)
        if found is None:
            self.outcome.differ(0, call.action, "the Central System asked it, which the trace does not have here")
            return CallError(call.unique_id, "NotSupported", "not in the trace that is played", {})
        self._asked.remove(found)
        if found.answer is None or found.answer.code:
            return CallError(call.unique_id, "GenericError" if found.answer is None else found.answer.code, "", {})
        return CallResult(call.unique_id, found.answer.payload)
