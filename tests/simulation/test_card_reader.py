"""The reader between access rules, charge point and EVSEs: who is asked, who gets what, and when it is withdrawn."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from ocpp16.models import Reservation
from ocpp16.simulation import card_reader


def test_a_token_in_process_is_not_asked_for_twice(make_bench: Any) -> None:
    bench = make_bench(2)
    bench.charge_point.holds_answers = True
    bench.station.present_id_tag("TAG")
    bench.station.present_id_tag("tag")
    assert bench.charge_point.asked == ["TAG"]
    bench.charge_point.holds_answers = False
    bench.charge_point.step()
    assert bench.take() == [("session_started", 1, "Authorized")]
    bench.station.present_id_tag("tag")  # now it has its connector
    assert bench.charge_point.asked == ["TAG"]


def test_a_refused_token_gets_nothing_and_may_try_again(make_bench: Any) -> None:
    bench = make_bench()
    bench.charge_point.refused.add("TAG")
    bench.station.present_id_tag("TAG")
    bench.station.present_id_tag("TAG")
    assert bench.charge_point.asked == ["TAG", "TAG"]
    assert bench.take() == []


def test_the_log_has_no_id_tag(make_bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bench = make_bench()
    bench.charge_point.refused.add("SECRET-TAG")
    bench.station.present_id_tag("SECRET-TAG")
    bench.station.present_id_tag("OTHER-TAG")
    assert "a card is not accepted" in caplog.text
    assert "TAG" not in caplog.text


def test_a_cancelled_question_frees_the_token(make_bench: Any) -> None:
    bench = make_bench()
    bench.charge_point.holds_answers = True
    bench.station.present_id_tag("TAG")
    bench.charge_point.tasks.pop().close()
    bench.charge_point.holds_answers = False
    bench.station.present_id_tag("TAG")
    assert bench.charge_point.asked == ["TAG", "TAG"]


def test_remote_starts(make_bench: Any) -> None:
    bench = make_bench(2)
    bench.ask(bench.station.provide_token("TAG", [1, 2], True))
    assert bench.charge_point.asked == []
    assert bench.take() == [("session_started", 1, "Authorized")]
    bench.ask(bench.station.provide_token("OTHER", [1, 2], False))
    assert bench.charge_point.asked == ["OTHER"]
    assert bench.take() == [("session_started", 2, "Authorized")]


def test_a_remote_start_takes_the_next_connector_while_its_tag_charges(make_bench: Any) -> None:
    bench = make_bench(2)
    for _ in range(2):
        bench.ask(bench.station.provide_token("TAG", [1, 2], True))
        bench.station.plug_in(1)
        bench.advance(1)
    starts = [fact for fact in bench.take() if fact[0] in ("transaction_started", "transaction_stopped")]
    assert starts == [("transaction_started", 1, "TAG", 0.0)]
    assert bench.station.evse(2).id_tag == "TAG"


def start(bench: Any, id_tag: str, connector_id: int = 1) -> None:
    bench.station.plug_in(connector_id, draw_for=100_000)
    bench.advance(1)
    bench.station.present_id_tag(id_tag, [connector_id])
    assert bench.take()[-1] == ("transaction_started", connector_id, id_tag, 0.0)


def test_a_card_with_the_parent_of_a_running_transaction_stops_it(make_bench: Any) -> None:
    bench = make_bench()
    bench.charge_point.parents.update(CHILD="FAMILY", OTHER="family", STRANGER="x")
    start(bench, "CHILD")
    bench.station.present_id_tag("STRANGER")
    assert bench.take() == []
    bench.station.present_id_tag("OTHER")
    assert bench.charge_point.details[0]["id_tag_end"] == "OTHER"
    assert bench.take() == [("transaction_stopped", 1, "Local", 0.0)]


def test_the_parent_of_the_start_confirmation_counts(make_bench: Any) -> None:
    bench = make_bench()
    bench.charge_point.parents.update(CHILD="FORMER")
    start(bench, "CHILD")
    bench.charge_point.transaction(1).parent_id_tag = "LATTER"
    bench.station.present_id_tag("FORMER")
    assert bench.take() == []
    bench.station.present_id_tag("latter")
    assert bench.take() == [("transaction_stopped", 1, "Local", 0.0)]


def test_starting_or_stopping_first(make_bench: Any) -> None:
    for starts_first, expected in ((True, ("session_started", 2, "Authorized")),
                                   (False, ("transaction_stopped", 1, "Local", 0.0))):  # fmt: skip
        bench = make_bench(2, authorization_before_stopping=starts_first)
        bench.charge_point.parents.update(CHILD="FAMILY", OTHER="FAMILY")
        start(bench, "CHILD")
        bench.station.present_id_tag("OTHER")
        assert bench.take() == [expected]


def test_user_input_waits_for_a_plug(make_bench: Any) -> None:
    bench = make_bench(3, selection="UserInput")
    bench.station.present_id_tag("TAG", [1, 2])
    bench.station.present_id_tag("TAG", [1, 2])
    assert bench.charge_point.asked == ["TAG"]
    assert bench.take() == []
    bench.station.plug_in(3, plug_after=1)
    bench.station.plug_in(2, plug_after=2)
    bench.advance(1)
    assert bench.take() == [("session_started", 3, "EVConnected")]
    bench.advance(1)
    assert bench.take() == [("session_started", 2, "EVConnected"), ("transaction_started", 2, "TAG", 0.0)]


def test_a_waiting_tag_is_withdrawn(make_bench: Any) -> None:
    bench = make_bench(2, connection_timeout=10, selection="UserInput")
    bench.station.present_id_tag("TAG")
    bench.advance(10)
    bench.station.plug_in(1)
    bench.advance(1)
    assert bench.take() == [("session_started", 1, "EVConnected")]
    bench.station.present_id_tag("TAG")
    assert bench.charge_point.asked == ["TAG", "TAG"]


def test_a_match_uses_the_reservation_up(make_bench: Any) -> None:
    bench = make_bench()
    kept = bench.charge_point.for_station.reservations
    kept.of[1] = Reservation(42, 1, "TAG", None, datetime(2030, 1, 1, tzinfo=UTC))
    bench.station.present_id_tag("OTHER")
    assert bench.charge_point.asked == []
    bench.station.present_id_tag("tag")
    bench.take()
    bench.station.plug_in(1)
    bench.advance(1)
    assert bench.charge_point.details[0]["reservation_id"] == 42
    assert bench.take() == [("transaction_started", 1, "tag", 0.0)]
    assert kept.all() == ()


def test_the_earliest_plugged_in_gets_it(make_bench: Any) -> None:
    bench = make_bench(3)
    for connector_id, plug_after in ((1, 3), (2, 1), (3, 2)):
        bench.station.plug_in(connector_id, plug_after=plug_after)
    bench.advance(3)
    bench.take()
    for connector_id, id_tag in ((2, "A"), (3, "B"), (1, "C")):
        bench.station.present_id_tag(id_tag)
        assert bench.take() == [("transaction_started", connector_id, id_tag, 0.0)]


def test_tags_that_wait_for_ever_are_bounded(make_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_reader, "MOST_WAITING", 3)
    bench = make_bench(2, connection_timeout=0, selection="UserInput")
    for number in range(5):
        bench.station.present_id_tag(f"TAG{number}")
    for number in (1, 2):
        bench.station.plug_in(number, plug_after=0)
        bench.advance(0)
    started = [fact[1:3] for fact in bench.take() if fact[0] == "transaction_started"]
    assert started == [(1, "TAG2"), (2, "TAG3")], "the oldest gave up"


def test_a_tag_goes_on_waiting_past_a_connector_that_is_kept_for_another(make_bench: Any) -> None:
    bench = make_bench(2, selection="UserInput")
    bench.charge_point.for_station.reservations.of[2] = Reservation(
        42, 2, "KEPT", None, datetime(2030, 1, 1, tzinfo=UTC)
    )
    for id_tag in ("FIRST", "KEPT"):
        bench.station.present_id_tag(id_tag)
    for number in (2, 1):
        bench.station.plug_in(number, plug_after=0)
        bench.advance(0)
    started = [fact[1:3] for fact in bench.take() if fact[0] == "transaction_started"]
    assert started == [(2, "KEPT"), (1, "FIRST")]
