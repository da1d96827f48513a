"""The two ends that a file has here, as carriers see them: what they fetch goes into a `Receiver`, what they send comes
out of a `Source`. Disks are waited for in a thread, so that one that is slow holds up nobody else.
"""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import trio

from ocpp16.texts import shown
from ocpp16.transfer.account import Account
from ocpp16.transfer.failures import TransferError, TransferFailure, local_failure
from ocpp16.transfer.part_file import PartFile

__all__ = ["Receiver", "Source"]

T = TypeVar("T")

_BUFFER: Final = 256 * 1024
"""Bytes that go to or come from the disk at once."""
_PIECE: Final = 16 * 1024
"""Bytes that are sent at once: a slow connection takes them within any sensible idle timeout."""


class _Disk:
    """Runs what waits for a disk, one thing after another, and tells its failures as ours."""

    def __init__(self, path: Path) -> None:
        self._limiter = trio.CapacityLimiter(1)  # threads that others keep busy hold up no transfer
        self._name = shown(path)

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        try:
            return await trio.to_thread.run_sync(partial(work, *arguments), limiter=self._limiter)
        except OSError as error:
            raise local_failure(error, self._name) from None


class Receiver:
    """Takes a file in. `held` bytes of it are here from an earlier attempt, of the version that `validator` names.

    A carrier calls `begin` once it knows what follows, then `write` with each block; when it returns, the file is whole
    if no total was told, or exactly that was written.
    """

    def __init__(self, part: PartFile, disk: _Disk, account: Account) -> None:
        self._part = part
        self._disk = disk
        self._account = account
        self._buffer = bytearray()
        self._is_begun = False

    @classmethod
    async def open(cls, target: Path, fingerprint: str, account: Account) -> "Receiver":
        """Raises TransferError with LOCAL_FILE."""
        disk = _Disk(target)
        return cls(await disk.run(PartFile, target, fingerprint), disk, account)

    @property
    def held(self) -> int:
        """Bytes that are there from an earlier attempt."""
        return self._part.held

    @property
    def validator(self) -> str:
        """ "" if nothing is held."""
        return self._part.validator

    def alive(self) -> None:
        """The server said something: the idle timeout begins anew."""
        self._account.alive()

    async def begin(self, offset: int, total: int | None = None, validator: str = "") -> None:
        """What is written from now on begins at `offset`, which is `held` or 0.

        Parameters: `total` bytes of the whole file, where the server says so; `validator` what tells this version of it
        from others, printable ASCII that the carrier understands ("": nothing does, and nothing is kept of an attempt
        that fails). Raises TransferError with TOO_LARGE or NO_SPACE, ValueError for another offset.
        """
        if offset not in (0, self.held):
            raise ValueError(f"offset must be 0 or {self.held}, not {offset}")
        self._account.begin(offset, total)
        self._buffer.clear()
        await self._disk.run(self._part.begin, offset, total, validator)
        self._is_begun = True

    async def write(self, block: bytes | bytearray) -> None:
        """Raises TransferError with TOO_LARGE, NO_SPACE, LOCAL_FILE or PROTOCOL (more than the total)."""
        self._account.moved(len(block))
        self._buffer += block
        if len(self._buffer) >= _BUFFER:
            await self._flush()

    async def _flush(self) -> None:
        block, self._buffer = self._buffer, bytearray()
        await self._disk.run(self._part.write, block)

    async def complete(self) -> None:
        """It is whole, and becomes the target. Raises TransferError."""
        if not self._is_begun:
            raise TransferError(TransferFailure.PROTOCOL, "the server sent no file")
        total = self._account.total
        if total is not None and self._account.done < total:
            raise TransferError(
                TransferFailure.CUT_OFF, f"the connection ended after {self._account.done:,} of {total:,} bytes"
            )
        await self._flush()
        await self._disk.run(self._part.finish)

    async def leave(self, is_kept: bool) -> None:
        """It is not whole; what can be built upon is kept, if wanted. Cancellation does not reach it."""
        with trio.CancelScope(shield=True):
            await self._disk.run(self._leave, is_kept)

    def _leave(self, is_kept: bool) -> None:
        if is_kept and self._buffer:
            try:
                self._part.write(self._buffer)
            except OSError:
                is_kept = False
        self._part.leave(is_kept)


class Source:
    """Gives a file out. It has `size` bytes, as it was when it was opened: what is appended meanwhile is not sent.

    `name` is what it is called there: that of the file, with `_` for what is no printable Unicode.
    """

    def __init__(self, descriptor: int, name: str, size: int, disk: _Disk, account: Account) -> None:
        self._descriptor = descriptor
        # A file may be called what no URL and no command can say.
        self.name: str = "".join(character if character.isprintable() else "_" for character in name)
        self.size = size
        self._disk = disk
        self._account = account
        self._offset = 0
        self._ahead = memoryview(b"")
        self._given = 0

    @classmethod
    async def open(cls, path: Path, account: Account) -> "Source":
        """Raises TransferError with LOCAL_FILE, and with TOO_LARGE."""
        disk = _Disk(path)
        descriptor, size = await disk.run(_opened, path)
        try:
            account.check(size)
        except TransferError:
            os.close(descriptor)
            raise
        return cls(descriptor, path.name, size, disk, account)

    def alive(self) -> None:
        """The server said something: the idle timeout begins anew."""
        self._account.alive()

    async def begin(self, offset: int = 0) -> None:
        """Give it out from `offset` on, from 0 to `size`. To be called before the first `read`, or again."""
        if not 0 <= offset <= self.size:
            raise ValueError(f"offset must be from 0 to {self.size}, not {offset}")
        self._account.begin(offset, self.size)
        self._offset, self._ahead, self._given = offset, memoryview(b""), 0

    async def read(self) -> bytes:
        """The next block, b"" at the end. What was given before counts as sent. Raises TransferError (LOCAL_FILE)."""
        self._account.moved(self._given)
        self._given = 0
        if not self._ahead:
            wanted = min(_BUFFER, self.size - self._offset)
            if not wanted:
                return b""
            block = await self._disk.run(os.pread, self._descriptor, wanted, self._offset)
            if not block:
                raise TransferError(TransferFailure.LOCAL_FILE, f"{shown(self.name)}: became shorter while it was sent")
            self._offset += len(block)
            self._ahead = memoryview(block)
        piece, self._ahead = self._ahead[:_PIECE], self._ahead[_PIECE:]
        self._given = len(piece)
        return bytes(piece)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def _opened(path: Path) -> tuple[int, int]:
    # Without waiting for a writer, should it be a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not os.path.isfile(path):
            raise OSError(0, "it is no regular file")
        return descriptor, found.st_size
    except BaseException:
        os.close(descriptor)
        raise
