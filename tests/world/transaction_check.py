"""Did the Central System see every transaction begin and end once, in order, with its readings inside?

`check` is a pure function over what one Central System received from one charge point, in order, and over what the
station is known to have told. It folds repeats as a Central System must: the same request again, with another message
id, because its answer was lost, or was not on disk yet when the power went. Repeats keep the order too: whoever goes
back to an earlier message of a transaction sends all that followed it once more before anything new.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Payload = dict[str, Any]

TRANSACTION_ACTIONS = frozenset({"StartTransaction", "StopTransaction", "MeterValues"})
_REGISTER = "Energy.Active.Import.Register"


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the charge point; `transaction_id` is what a StartTransaction was, or would be, answered with."""

    action: str
    payload: Payload
    transaction_id: int | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """What the station told of one transaction, to be found again. Every transaction has an id tag of its own."""

    connector_id: int
    id_tag: str
    has_ended: bool


@dataclass(slots=True)
class _Known:
    """One transaction as the Central System knows it."""

    transaction_id: int
    start: Payload
    register: float
    latest: datetime
    stop: Payload | None = None


@dataclass(slots=True)
class _Books:
    """What a Central System keeps, and what it wonders about."""

    known: dict[int, _Known] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def running_on(self, connector_id: int) -> _Known | None:
        for one in self.known.values():
            if one.start["connectorId"] == connector_id and one.stop is None:
                return one
        return None

    def start(self, transaction_id: int, payload: Payload) -> None:
        other = self.running_on(payload["connectorId"])
        if other is not None:
            self.problems.append(
                f"transaction {transaction_id} begins on connector {payload['connectorId']} "
                f"while {other.transaction_id} runs there"
            )
        if transaction_id in self.known:
            self.problems.append(f"transaction {transaction_id} begins a second time")
            return
        began = _time(payload["timestamp"])
        self.known[transaction_id] = _Known(transaction_id, payload, payload["meterStart"], began)

    def reading(self, payload: Payload) -> None:
        transaction_id = payload.get("transactionId")
        if transaction_id is None:
            if any(_context(value) != "Sample.Clock" for value in payload["meterValue"]):
                self.problems.append(f"readings of connector {payload['connectorId']} belong to no transaction")
            return
        one = self._running(transaction_id, "readings")
        if one is not None:
            if payload["connectorId"] != one.start["connectorId"]:
                self.problems.append(f"readings of transaction {transaction_id} come from another connector")
            self._values(one, payload["meterValue"])

    def stop(self, payload: Payload) -> None:
        one = self._running(payload["transactionId"], "the end")
        if one is None:
            return
        ended = _time(payload["timestamp"])
        if ended < one.latest:
            self.problems.append(f"transaction {one.transaction_id} ends before what was told of it")
        if payload["meterStop"] < one.register:
            self.problems.append(f"transaction {one.transaction_id} ends with less energy than was told of it")
        for value in payload.get("transactionData", ()):
            if not _time(one.start["timestamp"]) <= _time(value["timestamp"]) <= ended:
                self.problems.append(f"data of transaction {one.transaction_id} lie outside of it")
        one.stop = payload

    def _running(self, transaction_id: int, what: str) -> _Known | None:
        one = self.known.get(transaction_id)
        if one is None:
            self.problems.append(f"{what} of transaction {transaction_id}, which never began")
        elif one.stop is not None:
            self.problems.append(f"{what} of transaction {transaction_id} after its end")
            return None
        return one

    def _values(self, one: _Known, values: Sequence[Payload]) -> None:
        for value in values:
            at = _time(value["timestamp"])
            if at < one.latest:
                self.problems.append(f"a reading of transaction {one.transaction_id} is older than what was told")
            one.latest = max(one.latest, at)
            for register in _registers(value):
                if register < one.register:
                    self.problems.append(f"the register of transaction {one.transaction_id} runs backwards")
                one.register = max(one.register, register)


def check(requests: Sequence[Request], facts: Sequence[Fact] = ()) -> list[str]:
    """Everything that is wrong, as sentences; empty if all is well. `requests` may hold other actions too."""
    books = _Books()
    places: dict[str, int] = {}
    here = -1
    for request in requests:
        if request.action not in TRANSACTION_ACTIONS:
            continue
        content = f"{request.action} {sorted(request.payload.items())}"
        is_repeat = content in places
        place = places.setdefault(content, len(places))
        if place > here + 1:
            books.problems.append(f"{request.action} comes before what it follows was repeated: {request.payload}")
        here = place
        if is_repeat:
            continue
        if request.action == "StartTransaction":
            assert request.transaction_id is not None
            books.start(request.transaction_id, request.payload)
        elif request.action == "MeterValues":
            books.reading(request.payload)
        else:
            books.stop(request.payload)
    for one in books.known.values():
        if one.stop is None:
            books.problems.append(f"transaction {one.transaction_id} never ended")
    return books.problems + _missing(books, facts)


def _missing(books: _Books, facts: Sequence[Fact]) -> list[str]:
    problems = []
    seen: dict[tuple[int, str], list[_Known]] = {}
    for one in books.known.values():
        seen.setdefault((one.start["connectorId"], one.start["idTag"]), []).append(one)
    for (connector_id, id_tag), found in seen.items():
        if len(found) > 1:
            problems.append(f"the one transaction of {id_tag} on connector {connector_id} came {len(found)} times")
    for fact in facts:
        found = seen.get((fact.connector_id, fact.id_tag), [])
        if not found:
            problems.append(f"the transaction of {fact.id_tag} on connector {fact.connector_id} is lost")
        elif fact.has_ended and found[0].stop is None:
            problems.append(f"the end of the transaction of {fact.id_tag} is lost")
    return problems


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _registers(value: Payload) -> list[int]:
    """What the meter showed, in whole Wh, all phases together."""
    return [
        round(float(sample["value"]))
        for sample in value["sampledValue"]
        if "phase" not in sample and sample.get("measurand", _REGISTER) == _REGISTER
    ]


def _context(value: Payload) -> str:
    return str(value["sampledValue"][0].get("context", "Sample.Periodic"))
