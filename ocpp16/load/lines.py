"""Lines of JSON over a pipe, in both directions between the processes of a load test."""

from collections import deque
from collections.abc import AsyncIterable
from typing import Any, Final, Self

import orjson
import trio

LONGEST: Final = 64 * 1024 * 1024
"""Bytes: ids of a million charge points."""


class LineError(ValueError):
    """What came is no line of JSON with an object."""


def written(message: object) -> bytes:
    """One line."""
    return orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE)


def parsed(line: bytes) -> dict[str, Any]:
    """Raises LineError."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise LineError(f"no JSON: {error}") from None
    if not isinstance(found, dict):
        raise LineError("no object")
    return found


class Lines:
    """Whole lines of chunks, to be iterated; `begun` came before the first chunk. What has no end is none."""

    def __init__(self, source: AsyncIterable[bytes] | trio.abc.ReceiveStream, begun: bytes = b"") -> None:
        self._chunks = aiter(source)
        *whole, rest = begun.split(b"\n")
        self._whole = deque(whole)
        self._rest = [rest]
        self._size = len(rest)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Raises LineError for a line that is too long."""
        while not self._whole:
            self._take(bytes(await anext(self._chunks)))
        return self._whole.popleft()

    def _take(self, chunk: bytes) -> None:
        first, *others = chunk.split(b"\n")
        self._rest.append(first)
        self._size += len(first)
        if self._size > LONGEST:
            raise LineError(f"a line has more than {LONGEST:,} bytes")
        for following in others:
            self._whole.append(b"".join(self._rest))
            self._rest, self._size = [following], len(following)
