"""A write-ahead log as it lies on the disk, read without SQLite ("WAL-mode File Format", and the sections named here).

Rules of this file:
1. Nothing here raises for what a file holds, and nothing is written.
2. A frame counts if its salt is that of the log and its checksum follows from all before it (4.1): what SQLite itself
   would find when it opens the log after a power cut.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_LOG_HEADER = 32
_FRAME_HEADER = 24
_MAGIC = 0x377F0682
"""The lowest bit says how the checksums read the log: 0 as little-endian, 1 as big-endian words."""
_INDEX = struct.Struct("=3I2BH2I2I")
"""Of the index (2.1), in the byte order of the machine: format, unused, changes, whether it is made, byte order of the
checksums, size of a page, frames, pages, checksum of the last frame."""
_INDEX_FORMAT = 3_007_000
_TAKEN_IN = 96
"""Where the index says how many frames are in the database already (2.2)."""

_Sums = tuple[int, int]


class Frame(NamedTuple):
    page: int
    pages_then: int
    """Pages of the database after the commit that this frame ends; 0 if it ends none."""
    place: int
    """Where the content of the page begins in the log."""
    sums: _Sums


def page_size(log: int | None) -> int | None:
    """That of the log's pages; None if it is no log."""
    header = read(log, 0, _LOG_HEADER)
    if len(header) < _LOG_HEADER:
        return None
    magic, _, size = struct.unpack(">3I", header[:12])
    is_sound = magic & ~1 == _MAGIC and 512 <= size <= 65536 and not size & (size - 1)
    return size if is_sound and _sums(header[:24], _words(magic), (0, 0)) == struct.unpack(">2I", header[24:]) else None


def frames(log: int | None) -> Iterator[Frame]:
    """The frames of an open log that count, in their order."""
    size = page_size(log)
    if size is None:
        return
    header = read(log, 0, _LOG_HEADER)
    words, salt = _words(int.from_bytes(header[:4], "big")), header[16:24]
    sums, place = struct.unpack(">2I", header[24:]), _LOG_HEADER
    while True:
        frame = read(log, place, _FRAME_HEADER + size)
        if len(frame) < _FRAME_HEADER + size:
            return
        sums = _sums(frame[_FRAME_HEADER:], words, _sums(frame[:8], words, sums))
        if frame[8:16] != salt or sums != struct.unpack(">2I", frame[16:24]):
            return
        page, pages_then = struct.unpack(">2I", frame[:8])
        yield Frame(page, pages_then, place + _FRAME_HEADER, sums)
        place += _FRAME_HEADER + size


def has_all(log: Path, index: int | None) -> bool:
    """Whether the log holds what its index, the shared memory of those who have the database open, says.

    True as well where the index says nothing, and where all of the log is in the database already.
    """
    head = read(index, 0, _TAKEN_IN + 4)
    if len(head) < _TAKEN_IN + 4:
        return True
    form, _, _, is_made, _, _, count, _, *sums = _INDEX.unpack_from(head)
    if form != _INDEX_FORMAT or not is_made or struct.unpack_from("=I", head, _TAKEN_IN)[0] >= count:
        return True
    descriptor = opened(log)
    try:
        last = next((frame for number, frame in enumerate(frames(descriptor), 1) if number == count), None)
        return last is not None and list(last.sums) == sums
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_empty(path: Path) -> bool:
    """Whether nothing is in a file, or there is none. Raises OSError if that cannot be said."""
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return True


def log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def is_orphaned(path: Path) -> bool:
    """Whether a log lies beside a database that is empty or gone: SQLite would delete it unread. Raises OSError."""
    return is_empty(path) and not is_empty(log_of(path))


def can_be_read(descriptor: int) -> bool:
    """Whether all of an open file can be read."""
    place = 0
    try:
        while block := os.pread(descriptor, 65536, place):
            place += len(block)
    except OSError:
        return False
    return True


def opened(path: Path) -> int | None:
    """A descriptor to read a file with; None if there is none."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None


def read(descriptor: int | None, offset: int, length: int) -> bytes:
    """What is there, less than `length` where the file ends or cannot be read."""
    if descriptor is None:
        return b""
    try:
        return os.pread(descriptor, length, offset)
    except OSError:
        return b""


def _words(magic: int) -> str:
    return ">" if magic & 1 else "<"


def _sums(content: bytes, words: str, sums: _Sums) -> _Sums:
    first, second = sums
    values = iter(struct.unpack(f"{words}{len(content) // 4}I", content))
    for one, other in zip(values, values, strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second
