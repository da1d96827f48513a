"""What meters signed, judged out of a trace: what is true is good, each thing that is wrong is found by its rule."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ocpp16.lint.trace import Trace, TraceError
from ocpp16.lint.verdict import Judgement, Verdict, judged
from ocpp16.metering.ocmf_text import MeterIdentity, UserAssignment, WrittenReading, payload
from ocpp16.metering.signature import ALGORITHMS, SigningKey

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY, OTHER = SigningKey(4711), SigningKey(815)


class Session:
    """A transaction that is written down; what is to be wrong about it is said by the arguments."""

    def __init__(self, key: SigningKey = KEY, *, meter: str = "M1", id_tag: str = "CARD") -> None:
        self.key = key
        self.meter = meter
        self.id_tag = id_tag

    def signed(self, page: int, *readings: tuple[int, str, str], status: str = "G", meter: str = "") -> str:
        """Readings: seconds since the begin, TX, kWh."""
        written = [
            WrittenReading(BEGAN + timedelta(seconds=seconds), "S", kind, Decimal(energy), status=status)
            if status != "G"
            else WrittenReading(BEGAN + timedelta(seconds=seconds), "S", kind, Decimal(energy))
            for seconds, kind, energy in readings
        ]
        identity = MeterIdentity(meter or self.meter, "V", "M", "1")
        user = UserAssignment(self.id_tag, "ISO14443", "VERIFIED", ("RFID_PLAIN",))
        return self.key.ocmf(payload(f"T{page}", identity, user, written))


def sampled(text: str, context: str, seconds: int) -> dict[str, Any]:
    return {
        "timestamp": f"{BEGAN + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}Z",
        "sampledValue": [{"value": text, "context": context, "format": "SignedData"}],
    }


class Written:
    """A trace of one charge point."""

    def __init__(self, identity: str = "cp1") -> None:
        self.identity = identity
        self.lines: list[dict[str, Any]] = []

    def add(self, kind: str, action: str, body: Any, *, by_us: bool = True, message_id: str = "") -> None:
        self.lines.append(
            {
                "schemaVersion": "1.1",
                "timestamp": "2026-01-01T12:00:00Z",
                "transport": "json",
                "chargePointId": self.identity,
                "direction": "cp-to-csms" if by_us else "csms-to-cp",
                "messageType": kind,
                "messageId": message_id or f"{len(self.lines)}",
                "action": action,
                "payload": body,
            }
        )

    def publish(self, key: SigningKey = KEY, connector: int = 1) -> None:
        row = {"key": f"MeterPublicKey{connector}", "readonly": True, "value": key.public_der.hex()}
        self.add("CALLRESULT", "GetConfiguration", {"configurationKey": [row]})

    def start(self, number: int = 7, *, id_tag: str = "CARD", meter_start: int = 1000, connector: int = 1) -> None:
        started = {"connectorId": connector, "idTag": id_tag, "meterStart": meter_start, "timestamp": f"{number}"}
        self.add("CALL", "StartTransaction", started, message_id=f"start {number}")
        confirmed = {"transactionId": number, "idTagInfo": {"status": "Accepted"}}
        self.add("CALLRESULT", "StartTransaction", confirmed, by_us=False, message_id=f"start {number}")

    def meter(self, text: str, context: str, seconds: int, number: int = 7) -> None:
        self.add(
            "CALL",
            "MeterValues",
            {"connectorId": 1, "transactionId": number, "meterValue": [sampled(text, context, seconds)]},
        )

    def stop(self, *data: dict[str, Any], number: int = 7, meter_stop: int = 3500) -> None:
        stopped: dict[str, Any] = {
            "transactionId": number,
            "meterStop": meter_stop,
            "timestamp": "x",
            "reason": "Local",
        }
        self.add("CALL", "StopTransaction", {**stopped, "transactionData": list(data)})

    def write(self, path: Path) -> Path:
        path.write_text("".join(json.dumps(line) + "\n" for line in self.lines))
        return path


Judge = Callable[..., list[Verdict]]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    def made(written: Written, *given: bytes) -> list[Verdict]:
        return list(judged(Trace(written.write(tmp_path / "trace.jsonl")), given))

    return made


def complete(session: Session, written: Written, *, end: str = "3.5", page: int = 2, **stop: Any) -> None:
    """As libocpp sends it: begin and end in transactionData."""
    begin = session.signed(1, (0, "B", "1"))
    written.start(id_tag=session.id_tag)
    written.stop(
        sampled(begin, "Transaction.Begin", 0),
        sampled(session.signed(page, (0, "B", "1"), (600, "E", end)), "Transaction.End", 600),
        **stop,
    )


def told(verdicts: list[Verdict]) -> dict[str, str]:
    """The findings of the only transaction: rule → text."""
    (verdict,) = verdicts
    return {finding.rule: finding.text for finding in verdict.findings}


@pytest.mark.parametrize("is_published", [True, False])
def test_a_true_one_is_good(judge: Judge, is_published: bool) -> None:
    written = Written()
    complete(Session(), written)
    if is_published:
        written.publish()  # after all, as whoever asks does
    (verdict,) = judge(written, *(() if is_published else (OTHER.public_der, KEY.public_der)))
    assert (verdict.judgement, verdict.findings) == (Judgement.GOOD, [])
    assert verdict.proved_by == ("MeterPublicKey" if is_published else "the key given")
    found = verdict.as_json()
    assert [Decimal(found[name]) for name in ("begin_wh", "end_wh")] == [Decimal(1000), Decimal(3500)]
    assert (found["transaction_id"], found["id_tag"], found["signed_values"]) == (7, "CARD", 2)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_of_every_curve(judge: Judge, algorithm: str) -> None:
    key = SigningKey(99, algorithm)
    written = Written()
    complete(Session(key), written)
    written.publish(key)
    assert [verdict.judgement for verdict in judge(written)] == [Judgement.GOOD]


def test_the_same_text_twice_is_one_value_and_those_in_between_may_come_first(judge: Judge) -> None:
    session, written = Session(), Written()
    begin, end = session.signed(1, (0, "B", "1")), session.signed(3, (0, "B", "1"), (600, "E", "3.5"))
    written.start()
    written.meter(session.signed(2, (300, "C", "2")), "Sample.Periodic", 300)
    written.meter(begin, "Transaction.Begin", 0)
    written.stop(sampled(begin, "Transaction.Begin", 0), sampled(end, "Transaction.End", 600))
    written.publish()
    (verdict,) = judge(written)
    assert (verdict.judgement, len(verdict.examination.values)) == (Judgement.GOOD, 3), verdict.findings


def wrong_key(written: Written) -> None:
    complete(Session(OTHER), written)


def no_begin(written: Written) -> None:
    written.start()
    written.stop(sampled(Session().signed(2, (600, "E", "3.5")), "Transaction.End", 600))


def no_end(written: Written) -> None:
    written.start()
    written.stop(sampled(Session().signed(1, (0, "B", "1")), "Transaction.Begin", 0))


def two_meters(written: Written) -> None:
    session = Session()
    written.start()
    written.stop(
        sampled(session.signed(1, (0, "B", "1")), "Transaction.Begin", 0),
        sampled(session.signed(2, (600, "E", "3.5"), meter="M2"), "Transaction.End", 600),
    )


def a_page_twice(written: Written) -> None:
    complete(Session(), written, page=1)


def a_page_out_of_turn(written: Written) -> None:
    session = Session()
    written.start()
    written.stop(
        sampled(session.signed(5, (0, "B", "1")), "Transaction.Begin", 0),
        sampled(session.signed(4, (600, "E", "3.5")), "Transaction.End", 600),
    )


def back_in_time(written: Written) -> None:
    session = Session()
    written.start()
    written.stop(
        sampled(session.signed(1, (0, "B", "1")), "Transaction.Begin", 0),
        sampled(session.signed(2, (700, "C", "3.5"), (600, "E", "3.5")), "Transaction.End", 600),
    )


def a_register_that_falls(written: Written) -> None:
    complete(Session(), written, end="0.5", meter_stop=500)


def billed_more(written: Written) -> None:
    complete(Session(), written, meter_stop=4500)


def somebody_else(written: Written) -> None:
    session = Session()
    written.start(id_tag="OTHER")
    written.stop(
        sampled(session.signed(1, (0, "B", "1")), "Transaction.Begin", 0),
        sampled(session.signed(2, (600, "E", "3.5")), "Transaction.End", 600),
    )


def no_ocmf(written: Written) -> None:
    complete(Session(), written)
    written.meter("OCMF|{}|{}", "Sample.Periodic", 300)
    written.lines.insert(-2, written.lines.pop())


@pytest.mark.parametrize(
    ("write", "rule", "said"),
    [
        (wrong_key, "signature", "is not that of this text by this key"),
        (no_begin, "begin and end", "no signed reading of the begin"),
        (no_end, "begin and end", "no signed reading of the end"),
        (two_meters, "one meter", "signed by 2 meters: M1, M2"),
        (a_page_twice, "pages", "page T1 is that of line 3 (Transaction.Begin), too"),
        (a_page_out_of_turn, "pages", "page T5 is older than page T4"),
        (back_in_time, "times", "go back in time"),
        (a_register_that_falls, "energy", "the register falls from 1000 to 500 Wh"),
        (billed_more, "registers", "meterStop is 4500 Wh, and 3500 Wh was signed"),
        (somebody_else, "who", "signed for CARD, and started by OTHER"),
        (no_ocmf, "readable", "payload"),
    ],
)
def test_what_is_wrong_is_found_by_its_rule(
    judge: Judge, write: Callable[[Written], None], rule: str, said: str
) -> None:
    written = Written()
    write(written)
    written.publish()
    found = told(judge(written))
    assert list(found) == [rule], found
    assert said in found[rule]


def test_each_byte_of_a_signed_text_counts(judge: Judge) -> None:
    """Whichever is changed, the transaction is bad: by its signature, or since it cannot be read any more."""
    text = Session().signed(1, (0, "B", "1"))
    payload_end = text.rindex("|")
    for place in range(5, payload_end):
        changed = text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :]
        written = Written()
        written.publish()
        written.start()
        written.meter(changed, "Transaction.Begin", 0)
        (verdict,) = judge(written)
        assert verdict.judgement is Judgement.BAD, changed


def test_no_key_is_no_proof(judge: Judge) -> None:
    written = Written()
    complete(Session(), written)
    assert "no public key is known" in told(judge(written))["signature"]
    written.publish(connector=2)
    assert "no public key is known" in told(judge(written))["signature"]


def test_nothing_signed_and_not_ended(judge: Judge) -> None:
    written = Written()
    written.start(1)
    written.stop(number=1)
    written.start(2)
    written.meter(Session().signed(1, (0, "B", "1")), "Transaction.Begin", 0, number=2)
    written.publish()
    first, second = judge(written)
    assert first.judgement is Judgement.UNSIGNED
    assert (second.judgement, second.examination.transaction.is_stopped) == (Judgement.GOOD, False)


def test_many_charge_points_in_one_trace(judge: Judge) -> None:
    """Each with its own key: that of another proves nothing."""
    mine, other = Written("cp1"), Written("cp2")
    complete(Session(KEY), mine)
    complete(Session(OTHER), other)
    mine.publish(KEY)
    other.publish(OTHER)
    mine.lines = [line for pair in zip(mine.lines, other.lines, strict=True) for line in pair]
    assert [verdict.judgement for verdict in judge(mine)] == [Judgement.GOOD] * 2
    mine.lines = [
        line | {"chargePointId": "cp1" if line["action"] == "GetConfiguration" else line["chargePointId"]}
        for line in mine.lines
    ]
    assert [verdict.judgement for verdict in judge(mine)] == [Judgement.GOOD, Judgement.BAD]


@pytest.mark.parametrize("is_packed", [False, True])
def test_damaged_lines_are_told_and_the_rest_is_read(tmp_path: Path, is_packed: bool) -> None:
    written = Written()
    complete(Session(), written)
    written.publish()
    lines = [json.dumps(line) for line in written.lines]
    text = "\n".join(
        [*lines[:2], "no json", '{"direction": 5}', "", "[1]", *lines[2:], '{"schemaVersion": "1.1", "dire']
    )
    path = tmp_path / "trace"
    path.write_bytes(gzip.compress(text.encode()) if is_packed else text.encode())
    trace = Trace(path)
    assert [verdict.judgement for verdict in judged(trace)] == [Judgement.GOOD]
    assert trace.wrong == ["line 3: no JSON", "line 4: no record of a trace", "line 6: no record of a trace"]


def test_a_packed_trace_that_is_cut_is_told(tmp_path: Path) -> None:
    path = tmp_path / "trace.gz"
    path.write_bytes(gzip.compress(b"x" * 100_000)[:60])
    with pytest.raises(TraceError, match="cannot be read"):
        list(judged(Trace(path)))
