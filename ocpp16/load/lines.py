"""Lines of JSON over a pipe, in both directions between the processes of a load test."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, Final

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


async def lines(source: AsyncIterable[bytes] | trio.abc.ReceiveStream, begun: bytes = b"") -> AsyncIterator[bytes]:
    """Whole lines of chunks; `begun` came before. What has no end at the end is none. Raises LineError for one that is
    too long."""
    *whole, rest = begun.split(b"\n")
    for line in whole:
        yield line
    kept = [rest]
    size = len(rest)
    async for chunk in source:
        first, *others = bytes(chunk).split(b"\n")
        kept.append(first)
        size += len(first)
        if size > LONGEST:
            raise LineError(f"a line has more than {LONGEST:,} bytes")
        for following in others:
            yield b"".join(kept)
            kept, size = [following], len(following)
