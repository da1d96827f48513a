"""What can be typed at the Central System: a table from word to the call that it makes, and `call` for any other.

The call and its answer are seen in the traffic that is printed. Here is said what goes wrong, and what of an answer is
cut there.
"""

import shlex
from collections.abc import Callable, Mapping
from time import time
from typing import Any, NamedTuple

import orjson
import trio

from ocpp16.cli.message_lines import LONGEST_VALUE
from ocpp16.codec import format_datetime
from ocpp16.errors import CallFailed, ConnectionClosed, ValidationError
from ocpp16.spelling import did_you_mean
from ocpp16.testing import CentralSystem
from ocpp16.texts import shown

Payload = dict[str, Any]

CALL = "call CHARGE_POINT ACTION [JSON]"
WAIT = "wait SECONDS"


def _number(word: str, name: str) -> int:
    """Raises ValueError that names the argument."""
    try:
        return int(word)
    except ValueError:
        raise ValueError(f"{name} must be a number, not {word}") from None


def _connector(words: list[str]) -> Payload:
    """The connector that the first of these words names, if there is one."""
    return {"connectorId": _number(words[0], "CONNECTOR")} if words else {}


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()


class Order(NamedTuple):
    """One row: the words after the identity, how many are needed, the action, and its payload from the words."""

    usage: str
    needed: int
    action: str
    payload: Callable[[list[str]], Payload]


ORDERS: Mapping[str, Order] = {
    "remote_start": Order(
        "ID_TAG [CONNECTOR]",
        1,
        "RemoteStartTransaction",
        lambda words: {"idTag": words[0], **_connector(words[1:])},
    ),
    "remote_stop": Order(
        "TRANSACTION", 1, "RemoteStopTransaction", lambda words: {"transactionId": _number(words[0], "TRANSACTION")}
    ),
    "reset": Order("[Soft|Hard]", 0, "Reset", lambda words: {"type": words[0] if words else "Soft"}),
    "unlock": Order("CONNECTOR", 1, "UnlockConnector", _connector),
    "trigger": Order(
        "MESSAGE [CONNECTOR]",
        1,
        "TriggerMessage",
        lambda words: {"requestedMessage": words[0], **_connector(words[1:])},
    ),
    "availability": Order(
        "CONNECTOR Operative|Inoperative",
        2,
        "ChangeAvailability",
        lambda words: {**_connector(words), "type": words[1]},
    ),
    "reserve": Order(
        "CONNECTOR ID_TAG [SECONDS [RESERVATION]]",
        2,
        "ReserveNow",
        lambda words: {
            **_connector(words),
            "idTag": words[1],
            "expiryDate": format_datetime(round((time() + _number((words[2:3] or ["3600"])[0], "SECONDS")) * 1e6), 3),
            "reservationId": _number((words[3:4] or ["1"])[0], "RESERVATION"),
        },
    ),
    "cancel_reservation": Order(
        "RESERVATION", 1, "CancelReservation", lambda words: {"reservationId": _number(words[0], "RESERVATION")}
    ),
    "get_configuration": Order("[KEY …]", 0, "GetConfiguration", lambda words: {"key": words} if words else {}),
    "change_configuration": Order(
        "KEY VALUE", 2, "ChangeConfiguration", lambda words: {"key": words[0], "value": words[1]}
    ),
    "clear_cache": Order("", 0, "ClearCache", lambda words: {}),
}


class Orders:
    """Carries out typed lines; `say` prints."""

    def __init__(self, central: CentralSystem, say: Callable[[str], None]) -> None:
        self._central = central
        self._say = say

    async def pause(self, line: str) -> bool:
        """Let time pass if that is what the line asks for, before what comes after it is obeyed."""
        word, _, seconds = line.strip().partition(" ")
        if word != "wait":
            return False
        try:
            await trio.sleep(float(seconds))
        except ValueError:
            self._say("error: wait needs a number of seconds, 0 or more")
        return True

    async def obey(self, line: str) -> None:
        """Carry out one line and wait for the answer; whatever is wrong with either is said."""
        try:
            if line.split(maxsplit=1)[:1] == ["call"]:
                await self._call(line)
            elif words := shlex.split(line, comments=True):
                await self._obey(words[0].replace("-", "_"), words[1:])
        except (
            ArithmeticError,
            ValueError,
            TypeError,
            RecursionError,
            CallFailed,
            ConnectionClosed,
            ValidationError,
        ) as error:
            self._say(f"error: {shown(error)}")

    async def _call(self, line: str) -> None:
        """`call CHARGE_POINT ACTION [JSON]`; the JSON is taken as it is typed."""
        words = line.split(maxsplit=3)
        if len(words) < 3:
            raise ValueError(f"usage: {CALL}")
        payload = orjson.loads(words[3].strip().strip("'")) if words[3:] else {}
        await self._ask(words[1], words[2], payload)

    async def _ask(self, identity: str, action: str, payload: Payload) -> None:
        answer = await self._central.call(identity, action, payload)
        for name, value in answer.items():
            if len(_json(value)) > LONGEST_VALUE:
                for item in value if isinstance(value, list) else [value]:
                    self._say(f"{name}: {_json(item)}")

    async def _obey(self, word: str, rest: list[str]) -> None:
        if word == "help":
            self._help()
        elif word == "charge_points":
            self._say(f"connected: {', '.join(sorted(self._central.connected)) or 'none'}")
        elif word == "close":
            if not rest:
                raise ValueError("close needs the identity of a charge point")
            await self._central.close(rest[0])
        elif word in ORDERS:
            order = ORDERS[word]
            if len(rest) <= order.needed:
                raise ValueError(f"usage: {word} CHARGE_POINT {order.usage}".rstrip())
            await self._ask(rest[0], order.action, order.payload(rest[1:]))
        else:
            known = (*ORDERS, "call", "close", "charge_points", "help", "wait", "quit")
            raise ValueError(f"no command {word}{did_you_mean(word, known)}; help lists them")

    def _help(self) -> None:
        for name, order in ORDERS.items():
            self._say(f"{name} CHARGE_POINT {order.usage}".rstrip())
        for usage in (CALL, "close CHARGE_POINT", "charge_points", WAIT, "quit"):
            self._say(usage)
