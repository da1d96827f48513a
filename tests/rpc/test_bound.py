"""What is sent of a message: made once, of the text that it has anyway."""

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from ocpp16.rpc.pending import Entry, Lane, Payload

if TYPE_CHECKING:
    from tests.rpc.conftest import Line

TEXTS = ['{"connectorId":1,"meterValue":[]}', '{"vendorId":"Süd"}', "{}"]


def of_text(text: str | bytes) -> Entry:
    return Entry("DataTransfer", None, Lane.NORMAL, 1, text=text)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("member", [b"", b'"transactionId":7'])
@pytest.mark.parametrize("kind", [str, bytes])
def test_it_is_the_text_and_what_comes_last_in_it(text: str, member: bytes, kind: type) -> None:
    entry = of_text(text if kind is str else text.encode())
    assert (entry.is_bound, entry.bound) == (False, None)
    entry.bind(entry.text(), member)
    expected = orjson.loads(text) | (orjson.loads(b"{%b}" % member) if member else {})
    bound = entry.bound
    assert bound is not None
    assert orjson.loads(bound) == expected
    assert orjson.loads(entry.call("id-1")) == [2, "id-1", "DataTransfer", expected]
    entry.bind(None)
    assert (entry.is_bound, entry.bound) == (False, None)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_that_is_shared_is_not_copied_by_who_reads_it(text: str) -> None:
    entry = of_text(text)
    entry.bind(entry.text())
    entry.call("id-1")
    assert entry.payload == orjson.loads(text)
    assert entry.text() is text


def test_who_asks_what_would_be_sent_does_not_decide_it(line: "Line", monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction id, or the clock, may be known by the time when it is."""
    line.put("StopTransaction")
    (entry,) = line.session.outbox.waiting_of()
    line.ledger.known_id = 1
    assert line.session.bound(entry)["transactionId"] == 1
    line.ledger.known_id = 2
    assert line.take() == ["StopTransaction"]
    assert line.sent[-1].payload["transactionId"] == 2
    line.ledger.known_id = 3
    assert line.session.bound(entry)["transactionId"] == 2, "what was sent stays"


def test_what_is_corrected_is_sent_each_time(line: "Line", monkeypatch: pytest.MonkeyPatch) -> None:
    later = "2026-01-01T00:00:00Z"

    def corrected(entry: Entry) -> Payload | None:
        return {**entry.payload, "timestamp": later}

    monkeypatch.setattr(line.ledger, "corrected", corrected)
    line.put("StartTransaction")
    line.take()
    assert line.sent[-1].payload["timestamp"] == later
    monkeypatch.undo()
    line.now = line.session.deadline(0)
    line.session.on_time(line.now)
    line.now = line.session.deadline(0)
    assert line.take() == ["StartTransaction"]
    assert line.sent[-1].payload["timestamp"] == later


def test_it_is_what_a_dead_letter_holds() -> None:
    entry: Any = of_text('{"a":1}')
    entry.bind('{"a":2}', b'"b":3')
    assert orjson.loads(entry.bound) == {"a": 2, "b": 3}
    assert entry.payload == {"a": 1}
