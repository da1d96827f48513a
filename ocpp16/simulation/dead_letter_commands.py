"""Handlers of the commands about dead letters: messages of transactions that were given up after their attempts."""

from typing import TYPE_CHECKING, Any

from ocpp16.codec import format_datetime
from ocpp16.state.clock import to_micros

if TYPE_CHECKING:
    from ocpp16.simulation.commands import Commands


async def dead_letters(on: "Commands") -> list[dict[str, Any]]:
    """Each with the number by which it can be sent again or discarded."""
    return [
        {
            "sequence": letter.sequence,
            "action": letter.action,
            "payload": letter.payload,
            "reason": letter.reason,
            "attempts": letter.attempts,
            "given_up_at": format_datetime(to_micros(letter.given_up_at), 0),
        }
        for letter in await on.charge_point.dead_letters()
    ]


async def resend(on: "Commands", sequences: list[int] | None) -> int:
    on.require_running()
    return await on.charge_point.dead_letters.resend(sequences)


async def discard(on: "Commands", sequences: list[int] | None) -> int:
    return await on.charge_point.dead_letters.discard(sequences)
