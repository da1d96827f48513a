"""Lines that a server says while it works: told at once, printed by a task, and of floods only a part."""

from datetime import datetime
from typing import Final

import trio

from ocpp16.cli.message_lines import LONGEST_LINE
from ocpp16.cli.standard_streams import StandardOutput
from ocpp16.texts import shown

LONGEST_QUEUE: Final = 10_000
"""Lines that may wait to be printed."""
LAST_LINES: Final = 1.0
"""Seconds that the end waits for them."""


class Said:
    """Has lines printed, with the time. If nobody reads them fast enough some are left out, and how many is said."""

    __slots__ = ("_left_out", "_send")

    def __init__(self, send: trio.MemorySendChannel[str]) -> None:
        self._send = send
        self._left_out = 0

    def __call__(self, line: str) -> None:
        missed = f"… {self._left_out:,} more lines, too many to be printed\n" if self._left_out else ""
        try:
            self._send.send_nowait(f"{missed}{datetime.now():%H:%M:%S} {shown(line, LONGEST_LINE)}\n")
            self._left_out = 0
        except trio.WouldBlock:
            self._left_out += 1


async def print_lines(receive: trio.MemoryReceiveChannel[str], output: StandardOutput) -> None:
    async for line in receive:
        await output.write(line.encode("utf-8", "replace"))
