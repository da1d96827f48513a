"""What of a link waits: for bytes of the peer until its end, and for the peer to take ours.

A link decides, and is told what was read; this is its way to a task. In a block of many charge points one task waits
for the sockets of all (`transport.readiness`), and that of the charge point only for the end.
"""

import trio

from ocpp16.charge_point.link import Link
from ocpp16.charge_point.shared_reader import SharedReader
from ocpp16.patience import of_others
from ocpp16.transport.readiness import Readiness

WRITE_TIMEOUT = 10.0
"""Seconds after which a write of which nothing gets through means a broken connection (libocpp)."""


async def read(link: Link, readiness: Readiness | None = None) -> None:
    """Hand in what arrives until the connection ends. Raises ConnectionClosed with the cause, or a fault of ours."""
    websocket = link.websocket
    try:
        if readiness is not None and websocket.socket is not None:
            await _read_with_others(link, readiness)
        while True:
            link.take_in(await websocket.receive())
    finally:
        link.ended()


async def flush(link: Link) -> None:
    """Write the rest; a write that gets stuck ends the connection. One that only takes long does not."""

    def taken() -> None:
        limit.deadline = trio.current_time() + of_others(WRITE_TIMEOUT)

    try:
        with trio.move_on_after(of_others(WRITE_TIMEOUT)) as limit:
            await link.websocket.flush(taken)
        if limit.cancelled_caught:
            link.websocket.abort(f"a write did not get through within {WRITE_TIMEOUT:g} s")
    finally:
        link.flushed()


async def _read_with_others(link: Link, readiness: Readiness) -> None:
    """Until the connection ends, which raises as `read`; returns if the socket is not watched."""
    websocket = link.websocket
    assert websocket.socket is not None
    reader = SharedReader(link, readiness)
    number = websocket.socket.fileno()
    websocket.on_end = reader.ended
    try:
        readiness.watch(number, reader, is_ready=websocket.waits)
        reader.task = trio.lowlevel.current_task()
        if websocket.is_ended:
            await trio.lowlevel.checkpoint()
        else:
            await trio.lowlevel.wait_task_rescheduled(reader.abort)
    except (OSError, ValueError):
        return
    finally:
        reader.task = None
        websocket.on_end = None
        readiness.forget(number, reader)
    while reader.end is None and websocket.is_ended:  # by others than the peer: what came before that counts
        reader.readable()
    if reader.end is not None:
        raise reader.end
