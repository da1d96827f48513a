"""Certificates of the tests of transfers, and what is left beside a target."""

import datetime
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import paramiko
import pytest
import trustme
from sftp_file_server import SERVERS_THREAD

from ocpp16.transfer import TransferError

CA = trustme.CA()
EXPIRED = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


async def caught(work: Callable[[], Awaitable[object]], into: list[TransferError]) -> None:
    with pytest.raises(TransferError) as found:
        await work()
    into.append(found.value)


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def content_of(path: str | Path) -> bytes:
    return Path(path).read_bytes()


_known: set[threading.Thread] = set()


def know_threads() -> None:
    """Those that run now are none of what comes."""
    _known.clear()
    _known.update(threading.enumerate())


def threads_of_others() -> list[str]:
    """Transports of paramiko and their timers that run since then, but for those of a server."""
    return [f"{thread!r} {vars(thread)}" for thread in threading.enumerate() if _is_clients(thread)]


def _is_clients(thread: threading.Thread) -> bool:
    if thread in _known:
        return False
    if isinstance(thread, threading.Timer):
        is_servers = SERVERS_THREAD in vars(getattr(thread.function, "__self__", thread))
        return not is_servers and not thread.finished.is_set()  # once that is set, it only has to end
    return isinstance(thread, paramiko.Transport) and thread.name != SERVERS_THREAD


def left_beside(target: Path) -> list[str]:
    """Names of parts and records."""
    return [name for name in names_in(target.parent) if name.startswith(".")]
