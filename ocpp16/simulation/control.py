"""The JSON lines face of the commands: one object a line in, answers and events one a line out.

    → {"id": 7, "do": "plug_in", "connector": 1, "current": 16}
    ← {"id": 7, "ok": true, "result": null}
    ← {"event": "status", "time": "2026-01-01T00:00:00.000Z", "connector": 1, "status": "Preparing", …}

Rules of this file:
1. Every line that is not blank gets exactly one answer, with its `id` if that could be read; a bad one changes nothing.
   An id comes back exactly as it was written, or the answer is an error without it.
2. Lines are served in order; only the answers of deferred commands come later, while others are served.
3. What waits is bounded in bytes: a line is never held longer than `LONGEST_LINE`, at most `MOST_DEFERRED` commands are
   deferred, and while nobody takes the lines that go out no others are read. Events then wait in the charge point's
   own bounded queue; what it lost is told (`events_dropped`).
4. Nothing that is asked or told ends the program: what cannot be written as JSON is written as the nearest that can.
"""

import json
from codecs import BOM_UTF8
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import trio

from ocpp16.errors import Ocpp16Error
from ocpp16.observer import ObserverEvent
from ocpp16.simulation.command import CommandError
from ocpp16.simulation.commands import Commands
from ocpp16.simulation.events import Events

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint

LONGEST_LINE = 1_000_000
"""Bytes."""
DEEPEST_ID = 100
"""Lists and objects within each other."""
MOST_DEFERRED = 100
"""Commands whose answers are waited for at once."""
LAST_LINE = 5.0
"""Seconds that the last line waits for somebody to take it."""

Sink = Callable[[bytes], Awaitable[Any] | None]
"""Takes one whole line, newline included, and has it written when it returns (or when its awaitable is done)."""


class Commanded(Protocol):
    """What commands are for: `Commands` of one station, or more than that."""

    def is_deferred(self, name: str) -> bool:
        """Whether the answer of this command may take long. Raises CommandError if there is none of the name."""
        ...

    async def run(self, name: str, arguments: dict[str, Any]) -> Any:
        """Carry out a command; see `Commands.run`."""
        ...

    def reason(self, name: str, arguments: dict[str, Any], result: Any) -> str:
        """Why a command was refused; see `Commands.reason`."""
        ...


class ControlInterface:
    """Serves commands to whoever writes lines, and is an `Observer` that tells them what happens.

    `sink` gets every line that goes out, one at a time. Made before the charge point, whose observer it is; the
    commands come with `serve`, the clock of the events with `follow` or `serve`.
    """

    __slots__ = ("_deferred", "_events", "_one_at_a_time", "_sink")

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._events = Events()
        self._one_at_a_time = trio.Lock()
        self._deferred = 0

    def follow(self, charge_point: "ChargePoint") -> None:
        """Whose events are told; its clock gives their times."""
        self._events.follow(charge_point)

    async def serve(self, commands: Commanded, source: AsyncIterable[bytes]) -> None:
        """Serve the lines of `source` (chunks of bytes, cut anywhere) to its end, and answer all of them."""
        if isinstance(commands, Commands):
            self.follow(commands.charge_point)
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
            await self.write(record)

    async def emit(self, event: str, **members: Any) -> None:
        """Print an event that is not the charge point's."""
        await self.write(self._events.record(event, **members))

    async def exit(self, reason: str) -> None:
        """The last line: why the program ends. Given up if nobody takes it in time."""
        with trio.move_on_after(LAST_LINE):
            await self.emit("exit", reason=reason)

    async def _serve_line(self, commands: Commanded, line: "bytes | CommandError", nursery: trio.Nursery) -> None:
        request_id = None
        try:
            request = _read(line)
            request_id = _id(request.pop("id", None), line)
            name = request.pop("do", None)
            if not isinstance(name, str):
                raise CommandError("unreadable", "the line has no command: it needs a text as its member do")
            if commands.is_deferred(name):
                if self._deferred >= MOST_DEFERRED:
                    raise CommandError("refused", f"{MOST_DEFERRED} commands wait for their answers already")
                self._deferred += 1
                nursery.start_soon(self._answer_later, commands, request_id, name, request)
                await trio.lowlevel.checkpoint()  # tasks that start together begin in any order: this one begins first
                return
        except CommandError as error:
            await self._write_error(request_id, error)
        else:
            await self._answer(commands, request_id, name, request)

    async def _answer_later(self, commands: Commanded, request_id: Any, name: str, arguments: dict[str, Any]) -> None:
        try:
            await self._answer(commands, request_id, name, arguments)
        finally:
            self._deferred -= 1

    async def _answer(self, commands: Commanded, request_id: Any, name: str, arguments: dict[str, Any]) -> None:
        try:
            result = await commands.run(name, arguments)
        except CommandError as error:
            await self._write_error(request_id, error)
        except Ocpp16Error as error:
            await self._write_error(request_id, CommandError("refused", str(error)))
        else:
            reason = commands.reason(name, arguments, result)
            why = {"reason": reason} if reason else {}
            await self.write({"id": request_id, "ok": True, "result": result, **why})

    async def _write_error(self, request_id: Any, error: CommandError) -> None:
        await self.write({"id": request_id, "ok": False, "code": error.code, "error": str(error)})

    async def write(self, record: dict[str, Any]) -> None:
        """Print any record."""
        line = _written(record)
        async with self._one_at_a_time:
            written = self._sink(line)
            if written is not None:
                await written


def _written(record: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a lone surrogate, a number beyond 64 bits: JSON has a way to say it
        plain = {name: _plain(value) for name, value in record.items()}
        return orjson.dumps(plain, option=orjson.OPT_APPEND_NEWLINE)


def _plain(value: Any) -> Any:
    if isinstance(value, orjson.Fragment):
        return value
    try:
        return orjson.Fragment(json.dumps(value, allow_nan=False, default=str))
    except (ValueError, TypeError, RecursionError):
        return str(type(value).__name__)


def _id(value: Any, line: "bytes | CommandError") -> Any:
    """The id to be written into the answer: what stands in `line`, to the digit. Raises CommandError."""
    if value is None or (isinstance(value, str | int) and value != 0):  # 0 may have been written as -0
        return value
    assert isinstance(line, bytes)
    try:
        text, exact = _id_in(line.decode())
    except (ValueError, RecursionError):
        raise CommandError(
            "unreadable", "the id cannot be kept: it is nested too deep, or has too many digits"
        ) from None
    if _depth(exact) > DEEPEST_ID:
        raise CommandError("unreadable", f"the id is nested deeper than {DEEPEST_ID}")
    return orjson.Fragment(text.replace("\r", " "))


def _id_in(text: str) -> tuple[str, Any]:
    """The last member `id` of an object that is known to be JSON, as it is written and as it is read."""
    read = json.JSONDecoder().raw_decode
    found: tuple[str, Any] = ("null", None)
    at = text.index("{") + 1
    while True:
        name, end = read(text, _next(text, at))
        begin = _next(text, text.index(":", end) + 1)
        value, end = read(text, begin)
        if name == "id":
            found = text[begin:end], value
        at = _next(text, end)
        if text[at] == "}":
            return found
        at += 1


def _next(text: str, at: int) -> int:
    """Where the blanks of JSON that begin at `at` end."""
    while text[at] in " \t\r\n":
        at += 1
    return at


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [held for one in level if isinstance(one, list | dict) for held in _held(one)]:
        depth += 1
    return depth


def _held(value: list[Any] | dict[str, Any]) -> list[Any]:
    """What is in it; something, even if nothing is, for an empty one is a level too."""
    return list(value.values() if isinstance(value, dict) else value) or [None]


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
    """Cuts chunks into lines; a line that is too long becomes an error, and the rest of it is skipped.

    A byte order mark at the very beginning is none of the first line.
    """

    __slots__ = ("_is_first", "_is_skipping", "_kept", "_parts")

    def __init__(self) -> None:
        self._is_first = True
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
        if self._is_first:
            line = line.removeprefix(BOM_UTF8)
            self._is_first = False
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
