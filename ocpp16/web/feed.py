"""What pages are told: named parts of a state, the latest value of each, and rows in their order.

Rules of this file:
1. Telling never waits, and a page that is slow costs no more than `MOST_ROWS` rows and `MOST_BYTES` bytes, which all
   pages share. A part that changes again before it was sent is sent once, as it is then.
2. Rows that were not taken in time are dropped, all that waited at once; the page is told how many, and then the
   whole state anew.
3. A page that comes back says which row it had last, and gets what is kept from there on.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from secrets import token_hex
from typing import Any, Final

import orjson
import trio

MOST_ROWS: Final = 1_000
"""That wait for one page."""
MOST_BYTES: Final = 8 * 1024 * 1024
"""Of rows that wait for one page."""
MOST_AT_ONCE: Final = 200
"""Rows in one push."""
MOST_PUSHED: Final = 1024 * 1024
"""Bytes of rows in one push, but for one row that is larger by itself."""
FIRST_ROWS: Final = 500
"""That a page gets when it comes."""


class Row:
    """One row, as JSON; `number` grows by one with each."""

    __slots__ = ("data", "number")

    def __init__(self, number: int, data: bytes) -> None:
        self.number: int = number
        self.data: bytes = data


class Feed:
    """Parameters: `most_kept`, `most_bytes`: rows that are kept for pages that come later."""

    __slots__ = ("_bytes", "_kept", "_most_bytes", "_most_kept", "_parts", "instance", "last", "pages")

    def __init__(self, most_kept: int = 5_000, most_bytes: int = 32 * 1024 * 1024) -> None:
        self.instance: str = token_hex(8)
        """Another one after each start of the program: numbers of rows begin anew."""
        self.last: int = 0
        """Number of the last row."""
        self.pages: set[Page] = set()
        self._parts: dict[str, bytes] = {}
        self._kept: deque[Row] = deque()
        self._bytes = 0
        self._most_kept = most_kept
        self._most_bytes = most_bytes

    # Told

    def put(self, name: str, value: Any) -> None:
        """A part of the state is so from now on. What JSON cannot say is no part: raises TypeError."""
        data = orjson.dumps(value)
        if self._parts.get(name) != data:
            self._parts[name] = data
            for page in self.pages:
                page.change(name)

    def part(self, name: str) -> bytes | None:
        """As JSON."""
        return self._parts.get(name)

    def add(self, data: bytes) -> int:
        """A row more: a JSON object without its number, which is returned. The oldest rows make room for it."""
        self.last += 1
        row = Row(self.last, b'{"n":%d,%b' % (self.last, data[1:]))
        self._kept.append(row)
        self._bytes += len(row.data)
        while len(self._kept) > self._most_kept or (self._bytes > self._most_bytes and len(self._kept) > 1):
            self._bytes -= len(self._kept.popleft().data)
        for page in self.pages:
            page.add(row)
        return self.last

    @property
    def oldest(self) -> int:
        """Number of the oldest row that is kept; one more than the last if there is none."""
        return self._kept[0].number if self._kept else self.last + 1

    # Looked at

    @property
    def parts(self) -> dict[str, Any]:
        """All of the state, to be made JSON."""
        return {name: orjson.Fragment(data) for name, data in self._parts.items()}

    def latest(self, after: int, most: int) -> list[Row]:
        """The latest `most` rows that came after that number, in order; no more than may wait for a page."""
        found: list[Row] = []
        size = 0
        for row in reversed(self._kept):
            size += len(row.data)
            if row.number <= after or len(found) >= most or (found and size > MOST_BYTES):
                break
            found.append(row)
        return found[::-1]

    def rows(self, after: int, most: int) -> list[Row]:
        """The next `most` rows behind that number, of those that are kept: who goes on behind the last one of them
        misses none."""
        begin = max(after + 1 - self.oldest, 0)
        return list(islice(self._kept, begin, begin + most))

    def open(self, instance: str = "", after: int = 0) -> "Page":
        """A page that looks from now on; `instance` and `after` are what it knows from before."""
        after = min(after, self.last) if instance == self.instance else 0
        page = Page(self, after)
        self.pages.add(page)
        return page


class Page:
    """One page that looks. It gets all of the state and the latest rows first; to be closed in the end."""

    __slots__ = ("_bytes", "_changed", "_feed", "_is_sent", "_missed", "_rows", "_wakeup")

    def __init__(self, feed: Feed, after: int) -> None:
        self._feed = feed
        self._wakeup = trio.Event()
        self._changed = dict.fromkeys(feed.parts)
        self._rows: deque[Row] = deque()
        self._bytes = self._missed = 0
        self._is_sent = False
        first = feed.latest(after, FIRST_ROWS)
        for row in first:
            self.add(row)
        if after and first and first[0].number > after + 1:
            self._missed += first[0].number - after - 1

    def change(self, name: str) -> None:
        """A part is another one now."""
        self._changed[name] = None
        self._wakeup.set()

    def add(self, row: Row) -> None:
        """A row more."""
        self._rows.append(row)
        self._bytes += len(row.data)
        if len(self._rows) > MOST_ROWS or (self._bytes > MOST_BYTES and len(self._rows) > 1):
            self._missed += len(self._rows) - 1
            self._rows.clear()
            self._rows.append(row)
            self._bytes = len(row.data)
            self._changed = dict.fromkeys(self._feed.parts)
        self._wakeup.set()

    @property
    def waiting(self) -> int:
        """Rows that it has not taken yet."""
        return len(self._rows)

    async def next(self) -> bytes:
        """What is to be sent next, in the form of server-sent events; waits until there is something. Who asks again
        has sent what was before."""
        self._is_sent = True
        while not (self._changed or self._rows):
            self._wakeup = trio.Event()
            await self._wakeup.wait()
        self._is_sent = False
        return b"".join(self._events())

    @property
    def is_told(self) -> bool:
        """Was all there is sent to it?"""
        return self._is_sent and not (self._changed or self._rows)

    def close(self) -> None:
        self._feed.pages.discard(self)

    def _events(self) -> Iterator[bytes]:
        if self._missed:
            yield event("missed", {"count": self._missed})
            self._missed = 0
        changed, self._changed = self._changed, {}
        parts = {name: orjson.Fragment(data) for name in changed if (data := self._feed.part(name)) is not None}
        if parts:
            yield event("parts", parts)
        rows: list[bytes] = []
        size = 0
        while self._rows and len(rows) < MOST_AT_ONCE and (not rows or size + len(self._rows[0].data) <= MOST_PUSHED):
            row = self._rows.popleft()
            self._bytes -= len(row.data)
            size += len(row.data)
            rows.append(row.data)
        if rows:
            yield b"event: rows\ndata: [%b]\n\n" % b",".join(rows)


def event(name: str, value: Any) -> bytes:
    """One server-sent event; JSON of orjson has no line ends."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(value))
