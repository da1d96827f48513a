"""A trace of a load test: frames of some charge points in one file, as JSON lines of the OCPP trace format 1.1.

Rules of this file:
1. What is written has no secrets.
2. The file has a largest size. When it is reached nothing more is written, and how much is missing is told.
3. A disk that fails ends the trace, not the test.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path
from random import Random
from typing import Final

from ocpp16.faults import sentence
from ocpp16.message_log.json_lines import JsonLines
from ocpp16.message_log.record import Reader

LARGEST: Final = 256 * 1024 * 1024
"""Bytes, where nobody says another."""


class TraceFile:
    """Parameters: `wall` tells seconds since 1970, `monotonic` seconds; `largest` size in bytes. Begun anew where there
    is one. Raises OSError.
    """

    def __init__(
        self, path: Path, wall: Callable[[], float], monotonic: Callable[[], float], largest: int = LARGEST
    ) -> None:
        self._file: BufferedWriter | None = path.open("wb")
        self._wall = wall
        self._monotonic = monotonic
        self._left = largest
        self._readers: dict[str, tuple[Reader, JsonLines]] = {}
        self._sequences: Counter[str] = Counter()
        """Of each charge point by itself: a gap says that its connection began anew, or that something is missing."""
        self.missing: int = 0
        """Frames that were not written."""
        self.failure: str = ""
        """Why the disk did not take them."""

    def connected(self, charge_point: str) -> None:
        """What follows is on another connection."""
        self._sequences[charge_point] += 1

    def take(self, charge_point: str, direction: str, text: str) -> None:
        """Write one frame."""
        if self._file is None:
            self.missing += 1
            return
        known = self._readers.get(charge_point)
        if known is None:
            known = self._readers[charge_point] = (Reader(), JsonLines(charge_point))
        reader, form = known
        self._sequences[charge_point] += 1
        row = form.row(
            reader.read(self._sequences[charge_point], round(self._wall() * 1e6), self._monotonic(), direction, text)
        )
        self._left -= len(row)
        if self._left < 0:
            self.missing += 1
            self.close()
            return
        try:
            self._file.write(row)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.missing += 1
        self.failure = sentence(error)
        if self._file is not None:
            with suppress(OSError):
                self._file.raw.close()  # what it still holds would fail again
            self._file = None

    def close(self) -> None:
        """Nothing more is written."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                self._fail(error)
            self._file = None

    def notes(self) -> list[str]:
        """What a reader should know, in sentences."""
        if self.failure:
            return [f"the trace could not be written: {self.failure}; {self.missing} frames are missing"]
        if self.missing:
            return [f"the trace has its largest size: {self.missing} later frames are missing"]
        return []


def sampled(ids: Sequence[str], most: int, seed: int) -> list[str]:
    """Those charge points of which frames are traced: all, or `most` of them by chance."""
    if most >= len(ids):
        return list(ids)
    return Random(f"{seed} trace").sample(list(ids), most)  # noqa: S311 - repeatable, not secret


def part_of(trace: Path, number: int) -> Path:
    """Where process `number` writes its part: a name that nobody has given to anything else."""
    return trace.with_name(f".{trace.name}.{number}.part")


def joined(parts: Sequence[Path], whole: Path) -> None:
    """The traces of several processes, one after another, as one file; they are removed. Blocks. Raises OSError."""
    with whole.open("wb") as file:
        for part in parts:
            if part.exists():
                with part.open("rb") as read:
                    while chunk := read.read(1024 * 1024):
                        file.write(chunk)
    for part in parts:
        part.unlink(missing_ok=True)
