"""One of the two WebSockets of a relay: writers take turns, and a peer that is gone without a word is noticed."""

from collections.abc import Callable
from typing import Final, NamedTuple

import trio

from ocpp16.errors import ConnectionClosed
from ocpp16.transport.websocket import WebSocket

WRITE_TIMEOUT: Final = 60.0
"""Seconds in which a peer that reads takes what is written."""
LAST_WRITE: Final = 2.0
"""Seconds for what is being written when the proxy ends: without the rest of it there is no close frame either."""
PONG_TIMEOUT: Final = 30.0
"""Seconds for the answer to a ping."""


class Message(NamedTuple):
    """A text, in a binary message if `is_binary`, which is against OCPP-J, and passes as it came: also where it is no
    text at all, whose bytes are kept as surrogates."""

    text: str
    is_binary: bool

    @property
    def shown(self) -> str:
        """The text as it can be written down: a byte that belongs to none as `\\xff`."""
        if not self.is_binary:
            return self.text
        return self.text.encode(errors="surrogateescape").decode(errors="backslashreplace")


class Side:
    """Parameters: `name` in words; `is_silent` says that nothing may be heard, by a fault of ours.

    last_heard: when the peer said something last, or answered a ping.
    """

    def __init__(self, name: str, websocket: WebSocket, nursery: trio.Nursery, is_silent: Callable[[], bool]) -> None:
        self.name = name
        self.websocket = websocket
        self.last_heard: float = trio.current_time()
        self._is_read = False
        """Is it waited for what it says? Not while the other side takes nothing: nobody hears it then."""
        self._nursery = nursery
        self._is_silent = is_silent
        self._turn = trio.Lock()
        self._writing = trio.CancelScope()
        self._is_writing_soon = False
        self._binary: set[int] = set()
        """Places among the messages that are ready."""
        websocket.on_unsent = self._write_unsent
        websocket.on_pong = websocket.on_ping = self._hear
        websocket.on_binary = self._note_binary
        websocket.keeps_bytes = True

    async def receive(self) -> list[Message]:
        """Raises ConnectionClosed."""
        self._is_read = True
        texts = await self.websocket.receive()
        self._is_read = False
        binary, self._binary = self._binary, set()
        self.last_heard = trio.current_time()
        return [Message(text, place in binary) for place, text in enumerate(texts)]

    async def send(self, message: Message) -> None:
        """Returns when the carrier has it. Raises ConnectionClosed."""
        (self.websocket.send_binary if message.is_binary else self.websocket.send_text)(message.text)
        await self.write()

    async def write(self) -> None:
        """Write what is queued. A peer that takes nothing is given up."""
        async with self._turn:
            # Given up, it ends the connection, for half a frame was written: so whoever ends may say by `hurry`.
            self._writing = trio.CancelScope(shield=True, deadline=trio.current_time() + WRITE_TIMEOUT)
            with self._writing:
                await self.websocket.flush()

    def hurry(self) -> None:
        """What is being written has `LAST_WRITE` seconds yet."""
        self._writing.deadline = min(self._writing.deadline, trio.current_time() + LAST_WRITE)

    async def watch(self, interval: float) -> None:
        """Ping a peer that says nothing for `interval` seconds; give it up when it does not answer either."""
        while self.websocket.is_open:
            due = self.last_heard + interval
            if trio.current_time() < due:
                await trio.sleep_until(due)
                continue
            if self._is_read and not self._is_silent():
                heard = self.last_heard
                try:
                    self.websocket.send_ping()
                except ConnectionClosed:
                    return
                await self.write()
                await trio.sleep_until(trio.current_time() + min(PONG_TIMEOUT, interval))
                if self.last_heard == heard and not self._is_silent():
                    self.websocket.abort(f"it did not answer a ping after {interval:g} s of silence")
                    return
            else:
                await trio.sleep_until(trio.current_time() + interval)

    def _note_binary(self) -> None:
        self._binary.add(self.websocket.ready - 1)

    def _hear(self, payload: bytes) -> None:
        self.last_heard = trio.current_time()

    def _write_unsent(self) -> None:
        if not self._is_writing_soon and not self._turn.locked() and not self.websocket.flush_now():
            self._is_writing_soon = True
            self._nursery.start_soon(self._write_soon)

    async def _write_soon(self) -> None:
        self._is_writing_soon = False
        await self.write()
