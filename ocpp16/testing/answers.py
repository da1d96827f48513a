"""What a Central System answers: the usual, and the types for what a script wants instead.

Synchronous and without a clock of its own. A request that comes again with the same content is the same event, so it
gets the same transaction id: the first answer may have been lost.
"""

from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from ocpp16.codec import ValidationError, format_datetime, validate
from ocpp16.enums import ErrorCode, RegistrationStatus
from ocpp16.testing.contract_answers import plug_and_charge_answer
from ocpp16.testing.recording import ReceivedCall
from ocpp16.values import member

__all__ = ["Answer", "CallErrorAnswer", "ScriptedAnswer", "StandardAnswers", "plain", "readable"]

Payload = Mapping[str, Any]
FOLDED_TRANSACTIONS = 10_000  # how many StartTransaction requests are remembered to recognise a repeat


@dataclass(frozen=True, slots=True)
class CallErrorAnswer:
    """Answer with a CALLERROR."""

    code: str
    """As NotSupported; it is not checked."""
    description: str = ""
    """In words, may be ""."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """An object of JSON."""


Answer = Payload | CallErrorAnswer | None
"""A confirmation payload, a CALLERROR, or None: no answer at all."""

ScriptedAnswer = Answer | Callable[[dict[str, Any], ReceivedCall], "Answer | Awaitable[Answer]"]
"""What may stand in `CentralSystem.answers`; a function may be async, and then other calls are answered meanwhile."""


def plain(scripted: Any) -> Any:
    """A mapping as a dict; what is none as it is, for nothing checks scripted answers."""
    try:
        return dict(scripted) if isinstance(scripted, Mapping) else scripted
    except Exception:
        return scripted


def readable(call: ReceivedCall) -> ReceivedCall | CallErrorAnswer:
    """A CALL with its payload mended as far as that can be, or what is answered where it cannot: a script is asked for
    its answer whatever was sent."""
    payload = deepcopy(call.payload)
    try:
        validate(call.action, "request", payload, tolerant=True)
    except ValidationError as error:
        return CallErrorAnswer(error.code, str(error))
    return replace(call, payload=payload)


class StandardAnswers:
    """Accepts everything that a Core charge point asks.

    Parameters: `now` microseconds since 1970, for currentTime; `interval` seconds, for BootNotification.
    `registration` is the status the next BootNotification gets; `transactions` maps the content of each
    StartTransaction (identity, connectorId, idTag, timestamp, meterStart) to its id.
    """

    def __init__(self, now: Callable[[], int], interval: int, first_transaction_id: int = 1) -> None:
        self.now = now
        self.interval = interval
        self.transactions: dict[tuple[Any, ...], int] = {}
        self._next_transaction_id = first_transaction_id
        self._boot_refusals: list[tuple[str, int]] = []
        self._table: dict[str, Callable[[ReceivedCall], Answer]] = {
            "BootNotification": self._boot,
            "Heartbeat": lambda call: {"currentTime": format_datetime(self.now())},
            "Authorize": lambda call: {"idTagInfo": {"status": "Accepted"}},
            "StartTransaction": self._start_transaction,
            "StopTransaction": lambda call: {"idTagInfo": {"status": "Accepted"}} if "idTag" in call.payload else {},
            "DataTransfer": lambda call: plug_and_charge_answer(call) or {"status": "Accepted"},
            "SignCertificate": lambda call: {"status": "Accepted"},
        }
        for action in (
            "MeterValues",
            "StatusNotification",
            "FirmwareStatusNotification",
            "DiagnosticsStatusNotification",
            "LogStatusNotification",
            "SecurityEventNotification",
            "SignedFirmwareStatusNotification",
        ):
            self._table[action] = lambda call: {}

    def __call__(self, call: ReceivedCall) -> Answer:
        """The answer to one CALL."""
        answer = self._table.get(call.action)
        return CallErrorAnswer(ErrorCode.NOT_IMPLEMENTED, "unknown action") if answer is None else answer(call)

    def refuse_boot(self, status: str, times: int, interval: int) -> None:
        """Give the next `times` BootNotifications this status and interval. Raises ValueError for what is no status."""
        self._boot_refusals += [(str(member(RegistrationStatus, status, "status")), interval)] * times

    def _boot(self, call: ReceivedCall) -> Answer:
        status, interval = self._boot_refusals.pop(0) if self._boot_refusals else ("Accepted", self.interval)
        return {"status": status, "currentTime": format_datetime(self.now()), "interval": interval}

    def _start_transaction(self, call: ReceivedCall) -> Answer:
        members = ("connectorId", "idTag", "timestamp", "meterStart")
        content = (call.identity, *(call.payload.get(member) for member in members))
        transaction_id = self.transactions.get(content)
        if transaction_id is None:
            transaction_id = self._next_transaction_id
            self._next_transaction_id += 1
            if len(self.transactions) >= FOLDED_TRANSACTIONS:
                del self.transactions[next(iter(self.transactions))]
            self.transactions[content] = transaction_id
        return {"transactionId": transaction_id, "idTagInfo": {"status": "Accepted"}}
