"""Which messages of a trace are of which transaction."""

from typing import Any

from ocpp16.lint.signed_transactions import SignedTransactions, Transaction
from ocpp16.lint.trace import Frame

START = {"connectorId": 1, "idTag": "TAG", "meterStart": 5, "timestamp": "2026-01-01T00:00:00Z"}


class Told:
    """Frames of one charge point, read one after another."""

    def __init__(self) -> None:
        self.transactions = SignedTransactions()
        self.complete: list[Transaction] = []
        self._line = 0

    def call(self, message_id: str, action: str, **payload: Any) -> None:
        self._read("cp-to-csms", "CALL", message_id, action, payload)

    def answer(self, message_id: str, transaction_id: Any) -> None:
        payload = {"transactionId": transaction_id, "idTagInfo": {"status": "Accepted"}}
        self._read("csms-to-cp", "CALLRESULT", message_id, "", payload)

    def _read(self, direction: str, kind: str, message_id: str, action: str, payload: Any) -> None:
        self._line += 1
        frame = Frame(self._line, "cp", direction, kind, message_id, action, payload, "")
        self.complete += self.transactions.read(frame)

    def meter(self, text: str, **members: Any) -> None:
        self.call("m", "MeterValues", connectorId=1, meterValue=signed(text), **members)


def signed(text: str) -> list[dict[str, Any]]:
    return [{"timestamp": "t", "sampledValue": [{"value": "1"}, {"value": text, "format": "SignedData"}]}]


def texts(transaction: Transaction) -> list[str]:
    return [value.text for value in transaction.values]


def test_values_before_and_after_the_id_is_known() -> None:
    told = Told()
    told.call("1", "StartTransaction", **START)
    told.meter("a")
    told.answer("1", 7)
    told.meter("b", transactionId=7)
    told.meter("of nobody")
    told.call("2", "StopTransaction", transactionId=7, meterStop=9, timestamp="e", transactionData=signed("c"))
    (one,) = told.complete
    assert (one.transaction_id, one.connector_id, one.id_tag, one.meter_start, one.meter_stop) == (7, 1, "TAG", 5, 9)
    assert texts(one) == ["a", "b", "c"]
    assert told.transactions.unfinished() == []


def test_repeats_are_one_transaction() -> None:
    told = Told()
    told.call("1", "StartTransaction", **START)
    told.call("2", "StartTransaction", **START)
    told.answer("2", 7)
    told.call("3", "StartTransaction", **START)
    told.answer("3", 8)
    for number in ("4", "5"):
        told.call(number, "StopTransaction", transactionId=8, meterStop=9, timestamp="e")
    assert [one.transaction_id for one in told.complete] == [8]


def test_the_next_on_the_connector_ends_one_whose_id_was_never_told() -> None:
    told = Told()
    told.call("1", "StartTransaction", **START)
    told.meter("a")
    told.call("2", "StartTransaction", **{**START, "timestamp": "2026-01-01T01:00:00Z"})
    told.answer("2", 8)
    told.meter("b", transactionId=8)
    assert [texts(one) for one in told.complete] == [["a"]]
    assert [texts(one) for one in told.transactions.unfinished()] == [["b"]]


def test_what_has_stopped_is_told_once() -> None:
    """Whatever comes of repeats of its begin: no answer at all, or one when it is over."""
    told = Told()
    for message_id in ("1", "2", "3"):
        told.call(message_id, "StartTransaction", **START)
    told.answer("3", 7)
    told.call("4", "StartTransaction", **START)
    told.call("5", "StopTransaction", transactionId=7, meterStop=9, timestamp="e")
    told.answer("1", 7)
    assert [one.transaction_id for one in told.complete] == [7]
    assert told.transactions.unfinished() == []


def test_one_whose_begin_is_not_in_the_trace() -> None:
    told = Told()
    told.call("1", "StopTransaction", transactionId=3, meterStop=9, timestamp="e", transactionData=signed("c"))
    (one,) = told.complete
    assert (one.has_start, one.is_stopped, one.meter_start, texts(one)) == (False, True, None, ["c"])


def test_what_comes_after_the_end_is_of_none() -> None:
    told = Told()
    told.call("1", "StartTransaction", **START)
    told.answer("1", 7)
    told.call("2", "StopTransaction", transactionId=7, meterStop=9, timestamp="e", transactionData=signed("c"))
    told.meter("late", transactionId=7)
    assert told.transactions.unfinished() == []
    assert [texts(one) for one in told.complete] == [["c"]]
    told.call("3", "StartTransaction", **START)
    told.answer("3", 7)
    told.meter("of another, which has its id", transactionId=7)
    assert [texts(one) for one in told.transactions.unfinished()] == [["of another, which has its id"]]


def test_whatever_the_members_are() -> None:
    told = Told()
    values: tuple[Any, ...] = (None, "1", True, 1.5, [], {})
    for value in values:
        told.call("1", "StartTransaction", connectorId=value, idTag=value, timestamp=value, meterStart=value)
        told.answer("1", value)
        told.call("2", "MeterValues", connectorId=value, transactionId=value, meterValue=value)
        told.call("2", "MeterValues", connectorId=1, transactionId=5, meterValue=[value, {"sampledValue": [value]}])
        told.call("3", "StopTransaction", transactionId=value, transactionData=value)
    assert told.complete == []
