"""Ending one start in order: transactions ended and told, socket closed, everything on disk; each for so long at most.

`StopTimeout` seconds are for the station and the Central System, `FLUSH_TIMEOUT` for socket and disk together. What was
left then is said, and lies on disk as far as the disk took it.
"""

import trio

from ocpp16.charge_point.life import Life
from ocpp16.charge_point.pump import Pump
from ocpp16.charge_point.second_line import SecondLine
from ocpp16.charge_point.writer import JournalWriter
from ocpp16.enums import Reason
from ocpp16.errors import StoreError
from ocpp16.profiles.base import Context, log
from ocpp16.state.keys import internal

FLUSH_TIMEOUT = 10.0
"""Seconds at most that a stop waits for the socket to close and the disk to take what was told."""


async def stop_in_order(life: Life, pump: Pump, writer: JournalWriter, second_line: SecondLine) -> None:
    """End `life`. Cancelled, it leaves off where it is."""
    ctx = life.features.ctx
    with trio.move_on_after(ctx.configuration[internal.STOP_TIMEOUT]):
        for transaction in ctx.transactions.all_running():
            ctx.stop_transaction(transaction, Reason.OTHER)
        await _settled(ctx, pump)
    for feature in reversed(life.features.all):
        second_line.guarded(f"stop of {type(feature).__name__}", feature.stop)
    ctx.station_side.forget()
    deadline = trio.current_time() + FLUSH_TIMEOUT
    with trio.CancelScope(deadline=deadline):
        await life.close_connection()
    second_line.guarded("end of the session", lambda: ctx.session.stop(ctx.clock.monotonic()))
    await life.end()
    is_stored = False
    with trio.CancelScope(deadline=deadline):
        try:
            await writer.wait_durable(writer.last)
            is_stored = True
        except StoreError as error:
            ctx.log.error("not everything is on disk: %s", error)
    if ctx.session.outbox.depth or not is_stored:
        log.warning(
            "%s: stopped with %d messages not delivered%s",
            ctx.charge_point_id,
            ctx.session.outbox.depth,
            "" if is_stored else ", and the last changes are not on disk",
        )


async def _settled(ctx: Context, pump: Pump) -> None:
    """Wait until transactions are over and everything is answered, or there is nobody to answer."""
    settled = trio.Event()

    def look() -> None:
        if _has_settled(ctx):
            settled.set()

    pump.on_turn = look
    pump.kick()
    try:
        await settled.wait()
    finally:
        pump.on_turn = None


def _has_settled(ctx: Context) -> bool:
    if ctx.transactions.all_running():
        return False
    session = ctx.session
    return not ctx.is_online or (session.outbox.depth == 0 and session.in_flight is None)
