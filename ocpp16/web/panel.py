"""One simulated charge point for any number of pages: what happened, how things stand, and what is to be done.

It is an observer of the charge point, and works it by the same commands as the console. While nobody looks it only
keeps the traffic. While somebody does, it looks at the station when something happened, and once a second; a look is
bounded, also at a station of a thousand connectors: those where something happened come first, the others by turns.
"""

from collections.abc import Iterable
from typing import Any, Final

import orjson
import trio

from ocpp16._version import __version__
from ocpp16.errors import ChargePointStopped, Ocpp16Error
from ocpp16.faults import obey, sentence
from ocpp16.log import FoldingLog
from ocpp16.observer import MessageExchanged, ObserverEvent
from ocpp16.redaction import without_logins
from ocpp16.simulation import CARS, CommandError, Commands
from ocpp16.simulation.events import Events
from ocpp16.texts import shown
from ocpp16.web.curves import Unit, curves
from ocpp16.web.feed import Feed, Page, event
from ocpp16.web.forms import forms, typed
from ocpp16.web.snapshot import Snapshot, without_secrets
from ocpp16.web.traffic import Traffic

INTERVAL: Final = 1.0
"""Real seconds between two looks where nothing happens."""
PAUSE: Final = 0.2
"""Real seconds at least between two looks."""
MOST_LOOKED: Final = 60
"""Connectors that one look is at."""
LAST_WORDS: Final = 1.0
"""Real seconds for pages to take what is told in the end."""
MOST_COMMANDS: Final = 32
"""That are carried out at a time."""

_OF_MESSAGES: Final = frozenset({"queue", "dead_letters"})
"""Commands whose results have payloads of messages."""


class Panel:
    """Parameters: `speed`, how many times faster than in reality time passes on trio's clock."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self.feed: Feed = Feed()
        self._traffic: Traffic | None = None
        self._events = Events()
        self._log = FoldingLog("web", trio.current_time)
        self._commands: Commands | None = None
        self._snapshot: Snapshot | None = None
        self._happened = trio.Event()
        self._is_looked_at = trio.Event()
        self._dirty: dict[int, None] = {}
        self._next = 1
        """Connector whose turn it is."""
        self._running = 0

    def follow(self, commands: Commands) -> None:
        """What is shown and worked from now on: before the charge point starts, and again where another one has taken
        its place. What was kept for the trace is of the one before."""
        self._commands = commands
        self._snapshot = Snapshot(commands)
        self._traffic = Traffic(self.feed.add, commands.charge_point.configuration.secret_names)
        self._events.follow(commands.charge_point)

    async def notify(self, event: ObserverEvent) -> None:
        """`Observer`: never waits."""
        self.note(event)

    def note(self, event: ObserverEvent) -> None:
        """The same, for whoever hands events on."""
        if self._commands is None or self._traffic is None:
            return
        if not isinstance(event, MessageExchanged):
            now = self._commands.charge_point.for_station.clock.now()
            for record in self._events.records(event):
                self._traffic.event(now, record)
        number = getattr(event, "connector_id", None)
        if type(number) is int and number > 0:
            self._dirty[number] = None
        self._happened.set()

    def frame(self, charge_point: str, direction: str, text: str) -> None:
        """`FrameListener`: never waits."""
        if self._commands is not None and self._traffic is not None:
            clock = self._commands.charge_point.for_station.clock
            self._traffic.frame(clock.now(), clock.monotonic(), direction, text)
            self._happened.set()

    def link(self, charge_point: str, is_connected: bool, reason: str) -> None:
        """`LinkListener`: never waits."""
        if is_connected and self._traffic is not None:
            self._traffic.link()

    def end(self, reason: str) -> None:
        """The program begins to end: pages say so, and why."""
        self.feed.put("ending", shown(reason))

    async def finish(self) -> None:
        """It ends now: waits until pages were told how things stand, but no longer than `LAST_WORDS`."""
        await self._look()
        await finish([self.feed], self.speed)

    # State

    async def run(self) -> None:
        """Look when it is time to, until cancelled."""
        while True:
            if not self.feed.pages:
                self._is_looked_at = trio.Event()
                await self._is_looked_at.wait()
            self._happened = trio.Event()
            await self._look()
            await trio.sleep(PAUSE * self.speed)
            with trio.move_on_after((INTERVAL - PAUSE) * self.speed):
                await self._happened.wait()

    async def _look(self, *, is_whole: bool = False) -> None:
        if self._snapshot is None or self._commands is None:
            return
        try:
            now = self._commands.charge_point.for_station.clock.now()
            self.feed.put("clock", {"at": now // 1000, "speed": self.speed})
            parts = await self._snapshot.look(self._chosen(self._snapshot.number_of_connectors, is_whole=is_whole))
            for name, value in parts.items():
                self.feed.put(name, value)
        except ChargePointStopped:
            pass  # its block is left: another one takes its place, or the program ends
        except BaseException as error:  # this is beside what the program is there for
            obey(error)
            self._log.error("the state cannot be told: %s", sentence(error), error=error)

    def _chosen(self, count: int, *, is_whole: bool) -> list[int]:
        if is_whole or count <= MOST_LOOKED:
            self._dirty.clear()
            return list(range(1, count + 1))
        chosen = dict.fromkeys(list(self._dirty)[:MOST_LOOKED])
        for number in chosen:
            del self._dirty[number]
        while len(chosen) < MOST_LOOKED:
            chosen[self._next] = None
            self._next = self._next % count + 1
        return [number for number in chosen if number <= count]

    async def open(self, instance: str = "", after: int = 0) -> tuple[bytes, Page]:
        """A page comes: the first thing it is told, and what follows. Close the page in the end."""
        if not self.feed.pages:
            await self._look(is_whole=self.feed.part("clock") is None)
        page = self.feed.open(instance, after)
        self._is_looked_at.set()
        return event("hello", self.hello()), page

    def hello(self) -> dict[str, Any]:
        """What does not change while the program runs. `kept` is the oldest row that can be had."""
        return {
            "instance": self.feed.instance,
            "kind": "charge_point",
            "version": __version__,
            "kept": self.feed.oldest,
            "commands": forms(),
            "cars": list(CARS),
        }

    async def state(self) -> dict[str, Any]:
        """All of it at once, for programs."""
        await self._look(is_whole=True)
        return {**self.hello(), "last": self.feed.last, "parts": self.feed.parts}

    # Asked

    async def do(self, request: Any) -> dict[str, Any]:
        """Carry out a command: `do` is its name, `arguments` are as JSON has them, or `words` as they are typed. The
        answer has the form of those of the control interface.
        """
        self._running += 1
        try:
            return {"ok": True, **await self._done(request)}
        except CommandError as error:
            return {"ok": False, "code": error.code, "error": str(error)}
        except Ocpp16Error as error:
            return {"ok": False, "code": "refused", "error": without_logins(str(error))}
        finally:
            self._running -= 1
            self._happened.set()

    async def _done(self, request: Any) -> dict[str, Any]:
        if self._commands is None:
            raise CommandError("refused", "the charge point is not open yet")
        if self._running > MOST_COMMANDS:
            raise CommandError("refused", f"{MOST_COMMANDS} commands wait for their answers already")
        if not isinstance(request, dict) or not isinstance(request.get("do"), str):
            raise CommandError("unreadable", "a command is an object with a text as its member do")
        name, arguments, words = request["do"], request.get("arguments", {}), request.get("words", {})
        if not isinstance(arguments, dict) or not isinstance(words, dict):
            raise CommandError("unreadable", "arguments and words are objects")
        given = {**arguments, **typed(name, words)}
        result = await self._commands.run(name, given)
        reason = self._commands.reason(name, given, result)
        told: dict[str, Any] = {"result": harmless(name, result)}
        return {**told, "reason": reason} if reason else told

    def trace(self) -> bytes:
        """The messages that are kept, as a trace."""
        return b"" if self._traffic is None else b"".join(self._traffic.trace(self.identity))

    @property
    def identity(self) -> str:
        return "" if self._snapshot is None else self._snapshot.identity

    def curves(self, connector: int, duration: int, unit: Unit) -> dict[str, Any]:
        """A picture of a composite schedule. Raises ValueError, FeatureNotBuilt and ChargePointStopped."""
        if self._commands is None:
            raise ValueError("the charge point is not open yet")
        return curves(self._commands.charge_point, connector, duration, unit)


async def finish(feeds: Iterable[Feed], speed: float) -> None:
    """Wait until all pages were told all there is, no longer than `LAST_WORDS`."""
    pages = [page for feed in feeds for page in feed.pages]
    with trio.move_on_after(LAST_WORDS * speed):
        while not all(page.is_told for page in pages):  # noqa: ASYNC110 - at the very end, once
            await trio.sleep(0.01 * speed)


def harmless(name: str, result: Any) -> Any:
    """A result without secrets, as JSON can say it."""
    if name in _OF_MESSAGES:
        if isinstance(result, dict):
            result = {**result, "messages": list(map(without_secrets, result["messages"]))}
        else:
            result = list(map(without_secrets, result))
    text = orjson.dumps(result, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    return orjson.Fragment(without_logins(text))
