"""What a trace tells of each transaction: its start, its end, and what the meter signed of it.

Rules of this file:
1. A transaction is that of a StartTransaction, named by the id of its answer; a repeat of the same request is the same
   transaction. One whose start is not in the trace is known by the id that its other messages carry.
2. MeterValues without a transaction id, as they are sent while nobody knows it, are of the transaction that runs on
   their connector.
3. It is complete with its StopTransaction, and forgotten then; MeterValues that come later are of no transaction. What
   is kept is what runs, and of more than `MOST_RUNNING` of those, which no traffic has that ends its transactions, the
   latest.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ocpp16.lint.bounds import forget_oldest
from ocpp16.lint.frame import FROM_CHARGE_POINT, Frame

MOST_VALUES: Final = 10_000
"""Signed values of a transaction; what is beyond is counted."""
MOST_RUNNING: Final = 100_000
_MOST_ASKED: Final = 10_000
_MOST_CLOSED: Final = 10_000
"""Ids of which it is known that they have stopped."""


@dataclass(frozen=True, slots=True)
class SignedValue:
    """A sampled value with format SignedData: where it is, and its text as it is."""

    line: int
    action: str
    context: str
    timestamp: str
    text: str


@dataclass(slots=True)
class Transaction:
    """As far as the trace tells it; None, or "", is what it does not tell. Energies are in Wh."""

    charge_point: str
    line: int
    connector_id: int | None = None
    transaction_id: int | None = None
    id_tag: str = ""
    started_at: str = ""
    meter_start: int | None = None
    stopped_at: str = ""
    meter_stop: int | None = None
    reason: str = ""
    has_start: bool = False
    is_stopped: bool = False
    values: list[SignedValue] = field(default_factory=list)
    left_out: int = 0
    """Signed values beyond `MOST_VALUES`."""


class SignedTransactions:
    """Reads frames, gives complete transactions. `read` each frame, then take the rest by `unfinished`."""

    def __init__(self) -> None:
        self._asked: OrderedDict[tuple[str, str], Transaction] = OrderedDict()
        """Charge point and message id of StartTransaction → the transaction."""
        self._running: dict[tuple[str, int], Transaction] = {}
        """Charge point and connector → the latest one that was started there."""
        self._by_id: dict[tuple[str, int], Transaction] = {}
        self._waiting: dict[tuple[str, int | None, str, str], Transaction] = {}
        """What a StartTransaction says → the transaction, until its id is known."""
        self._closed: OrderedDict[tuple[str, int], str] = OrderedDict()
        """Charge point and id of what has stopped → when it did, as its StopTransaction says."""

    def read(self, frame: Frame) -> Iterator[Transaction]:
        """Take in the next frame; gives the transactions that are complete with it."""
        if not isinstance(frame.payload, dict):
            return
        if frame.kind == "CALLRESULT" and frame.direction != FROM_CHARGE_POINT:
            self._answered(frame)
        elif frame.kind == "CALL" and frame.direction == FROM_CHARGE_POINT:
            if frame.action == "StartTransaction":
                yield from self._started(frame)
            elif frame.action == "MeterValues":
                self._metered(frame)
            elif frame.action == "StopTransaction":
                yield from self._stopped(frame)

    def unfinished(self) -> list[Transaction]:
        """Those whose StopTransaction is not in the trace, in the order of their begin."""
        found = {id(one): one for one in (*self._by_id.values(), *self._waiting.values(), *self._running.values())}
        return sorted(found.values(), key=lambda one: one.line)

    def _started(self, frame: Frame) -> Iterator[Transaction]:
        payload, charge_point = frame.payload, frame.charge_point
        connector_id = _whole(payload.get("connectorId"))
        said = (charge_point, connector_id, _text(payload.get("idTag")), _text(payload.get("timestamp")))
        transaction = self._waiting.get(said)
        if transaction is None:
            known = None if connector_id is None else self._running.get((charge_point, connector_id))
            if known is not None and (known.id_tag, known.started_at) == said[2:]:
                transaction = known  # a repeat whose first answer did not arrive
            else:
                transaction = Transaction(
                    charge_point,
                    frame.line,
                    connector_id,
                    id_tag=said[2],
                    started_at=said[3],
                    meter_start=_whole(payload.get("meterStart")),
                    has_start=True,
                )
                if known is not None and known.transaction_id is None:
                    self._waiting.pop(_said(known), None)  # its id was never told, and its connector has another
                    yield known
            self._waiting[said] = transaction
        if connector_id is not None:
            self._running[charge_point, connector_id] = transaction
        self._asked[charge_point, frame.message_id] = transaction
        self._bound()
        while len(self._asked) > _MOST_ASKED:
            self._asked.popitem(last=False)

    def _answered(self, frame: Frame) -> None:
        transaction = self._asked.pop((frame.charge_point, frame.message_id), None)
        transaction_id = _whole(frame.payload.get("transactionId"))
        if transaction is None or transaction_id is None or transaction.is_stopped:
            return
        self._waiting.pop(_said(transaction), None)
        transaction.transaction_id = transaction_id
        self._by_id[frame.charge_point, transaction_id] = transaction
        self._bound()

    def _metered(self, frame: Frame) -> None:
        payload = frame.payload
        transaction_id, connector_id = _whole(payload.get("transactionId")), _whole(payload.get("connectorId"))
        values = list(_signed(frame, payload.get("meterValue")))
        if transaction_id is None:
            transaction = None
            if connector_id is not None:
                transaction = self._running.get((frame.charge_point, connector_id))
            if transaction is None or transaction.transaction_id is not None:
                return  # of no transaction
        else:
            key = frame.charge_point, transaction_id
            if key in self._closed and key not in self._by_id:
                return  # too late
            transaction = self._known(frame, transaction_id)
            transaction.connector_id = transaction.connector_id or connector_id
        _take(transaction, values)

    def _stopped(self, frame: Frame) -> Iterator[Transaction]:
        payload, charge_point = frame.payload, frame.charge_point
        transaction_id = _whole(payload.get("transactionId"))
        if transaction_id is None:
            return
        key, stopped_at = (charge_point, transaction_id), _text(payload.get("timestamp"))
        if self._closed.get(key) == stopped_at:
            return
        self._closed[key] = stopped_at
        while len(self._closed) > _MOST_CLOSED:
            self._closed.popitem(last=False)
        transaction = self._known(frame, transaction_id)
        transaction.is_stopped = True
        transaction.stopped_at, transaction.reason = stopped_at, _text(payload.get("reason"))
        transaction.meter_stop = _whole(payload.get("meterStop"))
        _take(transaction, _signed(frame, payload.get("transactionData")))
        self._by_id.pop(key, None)
        self._waiting.pop(_said(transaction), None)  # a repeat of its begin that nobody answered
        connector_id = transaction.connector_id
        if connector_id is not None and self._running.get((charge_point, connector_id)) is transaction:
            del self._running[charge_point, connector_id]
        yield transaction

    def _known(self, frame: Frame, transaction_id: int) -> Transaction:
        known = self._by_id.get((frame.charge_point, transaction_id))
        if known is None:
            known = Transaction(frame.charge_point, frame.line, transaction_id=transaction_id)
            self._by_id[frame.charge_point, transaction_id] = known
            self._bound()
        return known

    def _bound(self) -> None:
        forget_oldest(self._running, MOST_RUNNING)
        forget_oldest(self._by_id, MOST_RUNNING)
        forget_oldest(self._waiting, MOST_RUNNING)


def _said(transaction: Transaction) -> tuple[str, int | None, str, str]:
    return transaction.charge_point, transaction.connector_id, transaction.id_tag, transaction.started_at


def _take(transaction: Transaction, values: Iterable[SignedValue]) -> None:
    for value in values:
        if len(transaction.values) < MOST_VALUES:
            transaction.values.append(value)
        else:
            transaction.left_out += 1


def _signed(frame: Frame, meter_values: Any) -> Iterator[SignedValue]:
    for meter_value in meter_values if isinstance(meter_values, list) else ():
        if not isinstance(meter_value, dict) or not isinstance(meter_value.get("sampledValue"), list):
            continue
        for sampled in meter_value["sampledValue"]:
            # The note writes it in small letters once.
            if isinstance(sampled, dict) and _text(sampled.get("format")).lower() == "signeddata":
                yield SignedValue(
                    frame.line,
                    frame.action,
                    _text(sampled.get("context")),
                    _text(meter_value.get("timestamp")),
                    _text(sampled.get("value")),
                )


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
