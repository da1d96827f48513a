"""Ending one start in order: transactions ended and told, socket closed, everything on disk; each for so long at most.

`StopTimeout` seconds are for the station and the Central System, `FLUSH_TIMEOUT` for socket, disk and all else that
leaving the block brings, together. What was left then is said, and lies on disk as far as the disk took it.
"""

from functools import partial
from math import inf

import trio

from ocpp16.charge_point.life import Life
from ocpp16.charge_point.second_line import SecondLine
from ocpp16.charge_point.turns import Turns
from ocpp16.charge_point.writer import JournalWriter
from ocpp16.configuration.keys import internal
from ocpp16.enums import Reason
from ocpp16.errors import StoreError
from ocpp16.log import FoldingLog
from ocpp16.patience import of_others
from ocpp16.profiles.base import Context
from ocpp16.store.leaving import LAST_MOMENT

FLUSH_TIMEOUT = 10.0
"""Seconds of the world at most that a stop waits for the socket to close and the disk to take what was told."""


def flush_time() -> float:
    """The same in seconds of trio's clock."""
    return of_others(FLUSH_TIMEOUT)


def flush_by(life: Life, writer: JournalWriter, began: float) -> float:
    """trio's time until which the rest may take, of a block that one began to leave at `began`.

    It is that of the stop, also of one that ended before: a disk that had its time does not get it twice. Who abandoned
    the life left no time (-inf).
    """
    if life.flush_by is None or (-inf < life.flush_by < began and writer.is_durable(life.last_told)):
        return trio.current_time() + flush_time()
    return life.flush_by


async def stop_in_order(life: Life, turns: Turns, writer: JournalWriter, second_line: SecondLine) -> None:
    """End `life`. Cancelled, it leaves off where it is."""
    ctx = life.features.ctx
    ctx.transactions.first_new = ctx.transactions.next_key  # what begins from here on is for the next start
    with trio.move_on_after(of_others(ctx.configuration[internal.STOP_TIMEOUT])):
        for transaction in ctx.transactions.all_running():
            ctx.station_side.stop_transaction(transaction, Reason.OTHER)
        while not _has_settled(ctx):
            await turns.until(partial(_has_settled, ctx))
    for feature in reversed(life.features.all):
        second_line.guarded(f"stop of {type(feature).__name__}", feature.stop)
    ctx.station_side.forget()
    deadline = life.flush_by = trio.current_time() + flush_time()
    with trio.CancelScope(deadline=deadline):
        await life.close_connection()
    second_line.guarded("end of the session", lambda: ctx.session.stop(ctx.clock.monotonic()))
    life.abandon()  # a task that shields itself must not take the time of the disk
    with trio.CancelScope(deadline=deadline):
        await _stored(ctx, writer)
    with trio.CancelScope(deadline=max(deadline, trio.current_time() + LAST_MOMENT)):
        await life.end()
    with trio.CancelScope(deadline=deadline):  # and what they told when they ended
        await _stored(ctx, writer)
    for place in life.left():
        ctx.log.error("stopped, but a task was cancelled in vain and goes on: %s", place, about=place)
    life.last_told = writer.last
    is_stored = writer.is_durable(writer.last)
    if ctx.session.outbox.depth or not is_stored:
        fate = "" if writer.keeps_rows else ": what is stored is kept, and sent after the next start"
        ctx.log.warning(
            "stopped with %d messages not delivered%s",
            ctx.session.outbox.depth,
            fate if is_stored else ", and the last changes are not on disk",
        )


async def end_for_good(life: Life, outside: Life | None, writer: JournalWriter, began: float, log: FoldingLog) -> float:
    """End the tasks of the last start, and those outside of all starts. Returns what `flush_by` does."""
    deadline = flush_by(life, writer, began)
    lives = [life] if outside is None else [life, outside]
    with trio.CancelScope(deadline=max(deadline, trio.current_time() + LAST_MOMENT)):
        for one in lives:
            await one.end()
    for place in [place for one in lives for place in one.left()]:
        log.error("the block is left only when this task ends: %s", place, about=place)
    return deadline


async def _stored(ctx: Context, writer: JournalWriter) -> None:
    try:
        await writer.wait_durable(writer.last)
    except StoreError as error:
        if not writer.is_durable(writer.last):
            ctx.log.error("not everything is on disk: %s", error)


def _has_settled(ctx: Context) -> bool:
    """Are its transactions over and everything answered, or is there nobody to answer?"""
    if any(one.key < ctx.transactions.first_new for one in ctx.transactions.all_running()):
        return False
    session = ctx.session
    return not ctx.sender.is_online or (session.outbox.depth == 0 and session.in_flight is None)
