"""Frames, ids, and who answers whom."""

import pytest
from told import Told

from ocpp16.lint import Linter, connected

BEAT = '[2,"{}","Heartbeat",{{}}]'
ANSWER = '[3,"{}",{{"currentTime":"2026-01-01T01:00:00Z"}}]'


def test_question_and_answer() -> None:
    told = Told()
    for number in range(5):
        assert told.charge_point(BEAT.format(number)) == []
        assert told.central_system(ANSWER.format(number)) == []
    assert told.end() == []


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "{}",
        "[]",
        "[5]",
        '[2,"1"]',
        '[2,1,"Heartbeat",{}]',
        '[2,"1","Heartbeat",[]]',
        f'[3,"{"a" * 37}",{{}}]',
        '[4,"1","GenericError"]',
        "[" * 10_000,
    ],
)
def test_what_is_no_message(text: str) -> None:
    told = Told()
    assert told.charge_point(text)[0] == "frame"
    finding = told.found[0]
    assert (finding.line, finding.charge_point, finding.side, finding.severity) == (1, "cp", "charge point", "error")


def test_an_error_to_what_cannot_be_read() -> None:
    told = Told("answers-nothing")
    told.charge_point("no JSON")
    assert told.central_system('[4,"xyz","FormationViolation","",{}]') == []
    assert told.central_system('[4,"-1","FormationViolation","",{}]') == []
    assert told.central_system('[4,"xyz","FormationViolation","",{}]') == [], "the trace may begin here"
    assert told.central_system('[4,"xyz","FormationViolation","",{}]') == ["answers-nothing"]


@pytest.mark.parametrize("has_time", [True, False])
def test_a_second_call_before_the_answer(has_time: bool) -> None:
    told = Told("one-call", has_time=has_time)
    told.charge_point(BEAT.format(1))
    assert told.charge_point(BEAT.format(2)) == [], "the first may have been lost with its connection"
    assert told.central_system(ANSWER.format(1)) == ["one-call"]
    assert "Heartbeat is sent while Heartbeat of line 1 has no answer yet" in told.found[0].text
    assert told.found[0].line == 2


@pytest.mark.parametrize(("after", "rule"), [(1, "one-call"), (30, "late-answer")])
def test_the_same_call_again_before_the_answer(after: int, rule: str) -> None:
    """Where nobody tells of connections: at once, nobody has given up waiting; later it is sent once more."""
    told = Told("one-call", "late-answer")
    told.central_system('[2,"1","TriggerMessage",{"requestedMessage":"Heartbeat"}]')
    assert told.central_system('[2,"2","TriggerMessage",{"requestedMessage":"Heartbeat"}]', after=after) == []
    assert told.charge_point('[3,"1",{"status":"Accepted"}]') == [rule]
    assert told.charge_point('[3,"2",{"status":"Accepted"}]') == []


def test_a_second_call_where_connections_are_known() -> None:
    told = Told("one-call")
    told.connected()
    told.charge_point(BEAT.format(1))
    assert told.charge_point(BEAT.format(2)) == ["one-call"]
    told.disconnected()
    told.connected()
    assert told.charge_point(BEAT.format(3)) == []
    assert told.charge_point(BEAT.format(4), after=6) == [], "it gave up"
    assert told.central_system('[2,"4","ClearCache",{}]') == [], "the other side asks at the same time"


def test_ids() -> None:
    told = Told("id-reused")
    told.connected()
    told.charge_point(BEAT.format(1))
    assert told.central_system('[2,"1","ClearCache",{}]') == [], "each side has its own"
    told.central_system(ANSWER.format(1))
    assert told.charge_point(BEAT.format(1)) == ["id-reused"]
    told.connected()
    assert told.charge_point(BEAT.format(1)) == []


def test_ids_where_nobody_tells_of_connections() -> None:
    told = Told("id-reused")
    told.charge_point(BEAT.format(1))
    assert told.charge_point(BEAT.format(1)) == [], "the same frame, sent again"
    told.central_system(ANSWER.format(1))
    assert told.charge_point(BEAT.format(1), after=60) == [], "on another connection, for all that is known"
    told.central_system(ANSWER.format(1))
    assert told.charge_point(BEAT.format(1)) == ["id-reused"]


def test_answers_to_nothing() -> None:
    told = Told("answers-nothing", "answered-twice", "error-to-answer")
    assert told.central_system(ANSWER.format(0)) == [], "asked before the trace began"
    assert told.central_system(ANSWER.format(0)) == ["answers-nothing"]
    told.charge_point(BEAT.format(1))
    told.central_system(ANSWER.format(1))
    assert told.central_system(ANSWER.format(1)) == ["answered-twice"]
    assert told.central_system(ANSWER.format(2)) == ["answers-nothing"]
    assert told.charge_point('[4,"1","GenericError","",{}]') == ["error-to-answer"]
    assert told.found[-1].side == "charge point"


def test_late_and_never() -> None:
    told = Told("late-answer", "unanswered")
    told.connected()
    told.charge_point(BEAT.format(1))
    assert told.central_system(ANSWER.format(1), after=30) == []
    told.charge_point(BEAT.format(2))
    assert told.central_system(ANSWER.format(2), after=31) == ["late-answer"]
    told.charge_point(BEAT.format(3))
    assert told.charge_point(BEAT.format(4), after=61) == [], "nothing was heard since: nobody knows yet"
    assert told.central_system(ANSWER.format(3)) == ["late-answer"]
    assert told.charge_point(BEAT.format(5), after=61) == ["unanswered"], "it was heard since the fourth"
    assert (told.found[-1].line, told.found[-1].side) == (7, "central system")
    assert told.end() == [], "there is time yet"


@pytest.mark.parametrize("end", ["told", "a new one", "the end", "heard"])
def test_who_is_cut_off_answers_nothing(end: str) -> None:
    """Half of a connection may stay open: whoever says nothing any more is not known to be there."""
    told = Told("unanswered")
    told.connected()
    told.boots()
    for number in range(4):
        assert told.charge_point(BEAT.format(number), after=300) == []
    if end == "told":
        told.disconnected()
    elif end == "a new one":
        told.connected()
    elif end == "heard":
        told.central_system('[2,"1","ClearCache",{}]')
    told.end()
    count = {"the end": 3, "heard": 3}.get(end, 0)
    assert [finding.text for finding in told.found] == ["Heartbeat of the charge point was never answered"] * count


def test_who_is_mute_on_every_connection_is_not_cut_off() -> None:
    told = Told("unanswered")
    for _ in range(4):
        assert told.found == [], "it may have been cut off"
        told.connected()
        for _ in range(3):
            told.asks("BootNotification", after=70, chargePointVendor="V", chargePointModel="M")
    assert [(finding.rule, finding.side) for finding in told.found] == [("unanswered", "central system")]


def test_a_call_of_which_nobody_knows_how_long_it_waits_hides_no_other() -> None:
    """As after the clock was set by which the trace was written."""
    told = Told("unanswered")
    told.connected()
    told.has_time = False
    told.charge_point(BEAT.format(1))
    told.has_time = True
    told.charge_point(BEAT.format(2))
    told.charge_point(BEAT.format(3), after=61)
    assert told.central_system(ANSWER.format(3)) == ["unanswered"]
    assert told.found[0].line == 3


def test_never_where_nobody_tells_of_connections() -> None:
    """It may have been lost with its connection; not so if nobody ever answers it."""
    told = Told("unanswered")
    for number in range(3):
        assert told.charge_point(f'[2,"d{number}","DataTransfer",{{"vendorId":"{number}"}}]', after=100) == []
        told.charge_point(BEAT.format(number))
        told.central_system(ANSWER.format(number))
    assert told.charge_point(BEAT.format(9), after=100) == ["unanswered"]
    assert told.found[0].text == "DataTransfer of the charge point was never answered"


def test_what_was_lost_with_its_connection_has_no_answer() -> None:
    told = Told("unanswered", "late-answer")
    told.connected()
    told.charge_point(BEAT.format(1))
    told.disconnected()
    told.connected(after=100)
    assert told.charge_point(BEAT.format(2)) == []
    assert told.central_system(ANSWER.format(1)) == ["late-answer"]


def test_the_end_of_a_connection_that_was_replaced_is_not_that_of_the_new_one() -> None:
    """The network was gone; the Central System sees the end of the old connection when the new one is there."""
    told = Told("late-answer", "unanswered", "silence", "one-call")
    told.connected()
    told.boots()
    told.connected(after=100)
    told.charge_point(BEAT.format(1))
    told.disconnected()
    assert told.central_system(ANSWER.format(1)) == []
    told.charge_point(BEAT.format(2))
    assert told.charge_point(BEAT.format(3)) == ["one-call"]
    _others_go_on(told)
    assert sorted(told.end()) == ["silence", "unanswered", "unanswered"]


def test_where_ends_are_not_told_one_may_be_that_of_the_new_connection() -> None:
    """A log of a charge point whose power failed, and which was offline later."""
    told = Told("silence", "unanswered")
    told.connected()
    told.boots()
    told.connected(after=1000)
    told.boots()
    told.charge_point(BEAT.format(1))
    told.disconnected()
    _others_go_on(told)
    assert told.end() == []


def _others_go_on(told: Told) -> None:
    """For 5,000 s."""
    told._linter.take(connected("another", line=99, timestamp=told.now(5000)))


@pytest.mark.parametrize(("status", "found"), [("Rejected", []), ("Pending", ["unanswered"])])
def test_who_is_rejected_answers_nothing(status: str, found: list[str]) -> None:
    told = Told("unanswered")
    told.connected()
    told.boots(status)
    assert told.is_asked("ClearCache") == []
    assert told.charge_point(BEAT.format(1), after=61) == found


@pytest.mark.parametrize("answer", [None, "InternalError"])
def test_who_was_rejected_still_is_while_the_next_boot_has_no_result(answer: str | None) -> None:
    told = Told("unanswered", "asked-rejected")
    told.connected()
    told.boots("Rejected", interval=10)
    told.charge_point('[2,"again","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]', after=20)
    told.is_asked("ClearCache")
    if answer is not None:
        told.central_system(f'[4,"again","{answer}","",{{}}]')
    beat = {"currentTime": "2026-01-01T01:00:00Z"}
    assert told.asks("Heartbeat", beat, after=61) == ([] if answer else ["unanswered"]), "of the boot"
    assert {finding.side for finding in told.found} <= {"central system"}
    assert told.is_asked("ClearCache") == ["asked-rejected"]
    told.boots()
    told.is_asked("ClearCache")
    assert told.asks("Heartbeat", beat, after=61) == ["unanswered"], "it answers again"


def test_a_time_that_comes_late_is_no_wrong_time() -> None:
    """It was right when it was written; nothing that the charge point tells is ahead of it."""
    told = Told("central-time", "future")
    told.connected()
    told.boots()
    told.asks("Heartbeat", {"currentTime": told.now(2)}, after=40)
    told.charge_point('[2,"late","Heartbeat",{}]')
    written = told.now()
    told.central_system(f'[3,"late",{{"currentTime":"{written}"}}]', after=200)
    told.status("Available", timestamp=told.now())
    told.central_system('[2,"1","ClearCache",{}]', after=100)
    assert told.found == []
    told.charge_point('[2,"far","Heartbeat",{}]')
    told.central_system(f'[3,"far",{{"currentTime":"{written}"}}]', after=3)
    told.asks("Heartbeat", {"currentTime": written})
    assert [(finding.rule, finding.side) for finding in told.found] == [("central-time", "central system")]


@pytest.mark.parametrize("is_triggered", [True, False])
def test_a_triggered_boot_that_is_sent_again_is_no_start(is_triggered: bool) -> None:
    told = Told("before-boot")
    told.connected()
    told.boots()
    if is_triggered:
        told.is_asked("TriggerMessage", {"status": "Accepted"}, requestedMessage="BootNotification")
    for _ in range(2):
        told.asks("BootNotification", after=90, chargePointVendor="V", chargePointModel="M")
    told.asks("Heartbeat", {"currentTime": told.now()}, after=40)
    assert [finding.rule for finding in told.found] == ([] if is_triggered else ["before-boot"])
    told.boots()
    told.asks("BootNotification", chargePointVendor="V", chargePointModel="M")
    assert told.asks("Heartbeat", after=40) == ["before-boot"], "this one nobody asked for"


def test_codes() -> None:
    told = Told("error-code")
    for number, code in enumerate(("OccurenceConstraintViolation", "OccurrenceConstraintViolation", "NotSupported")):
        told.charge_point(BEAT.format(number))
        assert told.central_system(f'[4,"{number}","{code}","",{{}}]') == []
    told.charge_point(BEAT.format(9))
    assert told.central_system('[4,"9","FormatViolation","",{}]') == ["error-code"]


def test_rules_are_chosen() -> None:
    with pytest.raises(KeyError, match="there is no rule nonsense"):
        Linter(["nonsense"])
    assert Told("schema").charge_point("no JSON") == []
