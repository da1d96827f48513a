"""The JSON lines face of the commands: one object a line in, answers and events one a line out.

    → {"id": 7, "do": "plug_in", "connector": 1, "current": 16}
    ← {"id": 7, "ok": true, "result": null}
    ← {"event": "status", "connector": 1, "status": "Preparing", "error_code": "NoError"}

Rules of this file:
1. Every line that is not blank gets exactly one answer, with its `id` if that could be read; a bad one changes nothing.
2. Lines are served in order; only the answers of deferred commands come later, while others are served.
3. A line is never held longer than `LONGEST_LINE`, however long the other side makes it.
"""

import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator
from typing import Any

import orjson
import trio

from ocpp16.errors import Ocpp16Error
from ocpp16.observer import ObserverEvent
from ocpp16.simulation.command import CommandError
from ocpp16.simulation.commands import Commands, find
from ocpp16.simulation.events import Events

log = logging.getLogger("ocpp16.simulation")

LONGEST_LINE = 1_000_000
"""Bytes."""

Sink = Callable[[bytes], Awaitable[Any] | None]
"""Takes one whole line, newline included, and has it written when it returns (or when its awaitable is done)."""


class ControlInterface:
    """Serves commands to whoever writes lines, and is an `Observer` that tells them what happens.

    `sink` gets every line that goes out, one at a time. Made before the charge point, whose observer it is; the
    commands come with `serve`.
    """

    __slots__ = ("_events", "_one_at_a_time", "_sink")

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._events = Events()
        self._one_at_a_time = trio.Lock()

    async def serve(self, commands: Commands, source: AsyncIterable[bytes]) -> None:
        """Serve the lines of `source` (chunks of bytes, cut anywhere) to its end, and answer all of them."""
        lines = _Lines()
        async with trio.open_nursery() as nursery:
            async for chunk in source:
                for line in lines.feed(chunk):
                    await self._serve_line(commands, line, nursery)
            for line in lines.end():
                await self._serve_line(commands, line, nursery)

    async def notify(self, event: ObserverEvent) -> None:
        """`Observer`: print what the charge point tells."""
        for record in self._events.records(event):
            await self._write(record)

    async def emit(self, event: str, **members: Any) -> None:
        """Print an event that is not the charge point's."""
        await self._write({"event": event, **members})

    async def exit(self, reason: str) -> None:
        """The last line: why the program ends."""
        await self.emit("exit", reason=reason)

    async def _serve_line(self, commands: Commands, line: "bytes | CommandError", nursery: trio.Nursery) -> None:
        request_id = None
        try:
            request = _read(line)
            request_id = request.pop("id", None)
            name = request.pop("do", None)
            if not isinstance(name, str):
                raise CommandError("unreadable", "the line has no command: it needs a text as its member do")
            if find(name).is_deferred:
                nursery.start_soon(self._answer, commands, request_id, name, request)
                await trio.lowlevel.checkpoint()  # tasks that start together begin in any order: this one begins first
                return
        except CommandError as error:
            await self._write_error(request_id, error)
        else:
            await self._answer(commands, request_id, name, request)

    async def _answer(self, commands: Commands, request_id: Any, name: str, arguments: dict[str, Any]) -> None:
        try:
            result = await commands.run(name, arguments)
        except CommandError as error:
            await self._write_error(request_id, error)
        except Ocpp16Error as error:
            await self._write_error(request_id, CommandError("refused", str(error)))
        else:
            await self._write({"id": request_id, "ok": True, "result": result})

    async def _write_error(self, request_id: Any, error: CommandError) -> None:
        await self._write({"id": request_id, "ok": False, "code": error.code, "error": str(error)})

    async def _write(self, record: dict[str, Any]) -> None:
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        async with self._one_at_a_time:
            written = self._sink(line)
            if written is not None:
                await written


def _read(line: "bytes | CommandError") -> dict[str, Any]:
    if isinstance(line, CommandError):
        raise line
    try:
        request = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise CommandError("unreadable", f"the line is not JSON: {error.msg}") from None
    if not isinstance(request, dict):
        raise CommandError("unreadable", "the line is not a JSON object")
    return request


class _Lines:
    """Cuts chunks into lines; a line that is too long becomes an error, and the rest of it is skipped."""

    __slots__ = ("_is_skipping", "_kept", "_parts")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._kept = 0
        self._is_skipping = False

    def feed(self, chunk: bytes) -> Iterator[bytes | CommandError]:
        """The lines that `chunk` completes."""
        *complete, rest = bytes(chunk).split(b"\n")
        for end in complete:
            yield from self._take(end)
            yield from self.end()
        yield from self._take(rest)

    def end(self) -> Iterator[bytes]:
        """The line collected so far is complete, unless it is blank or was too long."""
        line = b"".join(self._parts)
        was_skipping, self._is_skipping = self._is_skipping, False
        self._forget()
        if not was_skipping and line.strip():
            yield line

    def _take(self, part: bytes) -> Iterator[CommandError]:
        if self._is_skipping or not part:
            return
        self._parts.append(part)
        self._kept += len(part)
        if self._kept > LONGEST_LINE:
            self._forget()
            self._is_skipping = True
            yield CommandError("unreadable", f"the line is longer than {LONGEST_LINE} bytes")

    def _forget(self) -> None:
        self._parts.clear()
        self._kept = 0
