"""The checks of the long run, on made-up stories: what is right passes, and each wrong is named."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from in_force import Subject, list_update, profile_set, profiles_cleared, put
from long_run_files import file_problems, left_over, logged_ids
from long_run_record import Record, last_statuses, transaction_problems

# in_force.py


@pytest.mark.parametrize(
    ("verdicts", "allowed"),
    [
        ({"1": True, "2": True}, {"b"}),
        ({"1": True, "2": False}, {"a"}),
        ({"1": False, "2": False}, {"old"}),
        ({"1": True}, {"a", "b"}),
        ({"2": False}, {"old", "a"}),
        ({}, {"old", "a", "b"}),
    ],
)
def test_what_may_be_in_force(verdicts: dict[str, bool], allowed: set[str]) -> None:
    for value in ("old", "a", "b", "another"):
        subject = Subject("key", "old")
        subject.ask("1", put("a"), "a")
        subject.ask("2", put("b"), "b")
        assert (subject.seen(value, verdicts) is None) == (value in allowed)


def test_what_was_seen_is_where_the_next_story_begins() -> None:
    subject = Subject("key")
    assert subject.seen("whatever", {}) is None
    subject.ask("1", put("a"), "a")
    assert subject.seen("whatever", {}) is None
    wrong = subject.seen("a", {"1": True})
    assert wrong == "key is 'a'; it was one of ['whatever'], then []"


def test_what_nobody_answers_may_have_happened() -> None:
    for value in ("mine", None):
        subject = Subject("reservation", "mine")
        subject.may_have(put(None), "used")
        assert subject.seen(value, {}) is None


def test_updates_of_a_local_list() -> None:
    first = list_update(3, {"A": "Accepted", "B": "Blocked"}, is_full=True)((1, frozenset({("c", "Accepted")})))
    assert first == (3, frozenset({("a", "Accepted"), ("b", "Blocked")}))
    assert list_update(4, {"A": None, "D": "Accepted"}, is_full=False)(first) == (
        4,
        frozenset({("b", "Blocked"), ("d", "Accepted")}),
    )
    assert list_update(5, {}, is_full=True)(first) == (0, frozenset())


def test_charging_profiles_take_the_places_of_others() -> None:
    before = frozenset({(1, 1, "TxDefaultProfile", 0), (2, 1, "TxDefaultProfile", 1), (3, 2, "TxDefaultProfile", 0)})
    new = (2, 1, "TxDefaultProfile", 0)
    after = profile_set(new)(before)
    assert after == {new, (3, 2, "TxDefaultProfile", 0)}
    assert profile_set((9, 0, "TxDefaultProfile", 0))(after) == {(9, 0, "TxDefaultProfile", 0)}
    assert profile_set((9, 0, "TxDefaultProfile", 1))(after) == {*after, (9, 0, "TxDefaultProfile", 1)}
    assert profiles_cleared(3)(after) == {new}
    assert profiles_cleared(purpose="ChargePointMaxProfile")(after) == after
    assert profiles_cleared()(after) == frozenset()


# long_run_record.py


def start(number: int = 1, tag: str = "A", **members: Any) -> list[tuple[str, Any]]:
    payload = {"connectorId": 1, "idTag": tag, "meterStart": 0, "timestamp": "2026-01-01T00:00:00Z", **members}
    return [
        ("received", [2, f"s{number}", "StartTransaction", payload]),
        ("sent", [3, f"s{number}", {"transactionId": number, "idTagInfo": {"status": "Accepted"}}]),
    ]


def reading(second: int, unique_id: str, number: int | None = 1, context: str = "Sample.Periodic") -> tuple[str, Any]:
    value = {
        "timestamp": f"2026-01-01T00:00:{second:02}Z",
        "sampledValue": [{"value": str(second), "context": context}],
    }
    payload: dict[str, Any] = {"connectorId": 1, "meterValue": [value]}
    if number is not None:
        payload["transactionId"] = number
    return ("received", [2, unique_id, "MeterValues", payload])


def stop(number: int = 1) -> tuple[str, Any]:
    payload = {"transactionId": number, "meterStop": 30, "timestamp": "2026-01-01T00:00:30Z"}
    return ("received", [2, f"e{number}", "StopTransaction", payload])


def told(phase: str, tag: str = "A", **members: Any) -> dict[str, Any]:
    return {"event": "transaction", "phase": phase, "session_id": tag, "connector": 1, "id_tag": tag, **members}


def reserved(tag: str, state: str = "made") -> dict[str, Any]:
    return {"event": "reservation", "state": state, "reservation_id": 7, "id_tag": tag}


def problems(story: list[tuple[str, Any]], *events: dict[str, Any]) -> list[str]:
    return Record([{"event": event, "text": json.dumps(frame)} for event, frame in story]).problems(events)


WHOLE = [*start(), reading(10, "m1"), stop()]

RIGHT: dict[str, Any] = {
    "nothing": ([],),
    "a whole transaction": (WHOLE, told("started"), told("confirmed", transaction_id=1), told("stopped")),
    "readings without a transaction": ([reading(1, "m1", None, "Sample.Clock"), reading(2, "m2", None, "Trigger")],),
    "a reading that was set aside": ([*start(), *(reading(10, f"m{n}") for n in range(2)), stop(), reading(10, "m9")],),
    "a triggered reading ahead of others": (
        [
            *start(),
            reading(20, "m1", context="Trigger"),
            reading(10, "m2"),
            stop(),
            reading(9, "m3", context="Trigger"),
        ],
    ),
    "transactions that overtake each other": (
        [*start(2, "B", timestamp="2026-01-01T00:00:30Z"), *WHOLE, ("received", [2, "e2", *stop(2)[1][2:]])],
    ),
    "a call and its answer": ([("sent", [2, "1", "ClearCache", {}]), ("received", [3, "1", {"status": "Accepted"}])],),
    "an owner at a reservation": ([*start(1, "A", reservationId=7), stop()], reserved("a"), reserved("a", "used")),
    "a reservation that is used at another time": ([*start(), stop()], reserved("B"), reserved("B", "used")),
}

WRONG: dict[str, Any] = {
    "a reading after the end": ([*WHOLE, reading(20, "m2")], "readings of transaction 1 after its end"),
    "a triggered reading outside": (
        [*WHOLE, reading(40, "m2", context="Trigger")],
        "a triggered reading outside of transaction 1",
    ),
    "a triggered reading of nobody": (
        [*WHOLE, reading(20, "m2", 7, context="Trigger")],
        "a triggered reading of no transaction",
    ),
    "a lost transaction": ([], "the transaction of A on connector 1 is lost", told("started")),
    "an end that was lost": (start(), "transaction 1 never ended"),
    "readings of nobody": ([reading(1, "m1", None)], "readings belong to no transaction"),
    "an end of nobody": ([stop(-1)], "the end of a transaction without an id"),
    "two ids": (
        WHOLE,
        "A is transaction 1, and the host was told",
        told("started"),
        told("confirmed", transaction_id=2),
    ),
    "a message id twice": ([*WHOLE, reading(10, "m1")], "the message id m1 came 2 times"),
    "two answers": (
        [("sent", [2, "1", "ClearCache", {}]), *[("received", [3, "1", {"status": "Accepted"}])] * 2],
        "ClearCache 1 was answered 2 times",
    ),
    "an answer to nothing": ([("received", [4, "1", "GenericError", "", {}])], "an answer to nothing"),
    "a message that breaks its schema": ([("received", [2, "1", "Heartbeat", {"at": 1}])], "'at' was unexpected"),
    "a reservation of two": (
        [*start(1, "A", reservationId=7), stop(), *start(2, "B", reservationId=7), stop(2)],
        "reservation 7 was used by ['A', 'B']",
    ),
    "a reservation of another": (
        [*start(1, "A", reservationId=7), stop()],
        "reservation 7 of G was used by ['A']",
        reserved("G"),
    ),
    "a reservation that was cancelled": (
        [*start(1, "A", reservationId=7), stop()],
        "reservation 7 was cancelled and used by ['A']",
        reserved("A"),
        reserved("A", "cancelled"),
    ),
    "a reservation that is not named": (
        [*start(), stop()],
        "the transaction of A does not name its reservation 7",
        reserved("A", "used"),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_passes(name: str) -> None:
    story, *events = RIGHT[name]
    assert problems(story, *events) == []


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(name: str) -> None:
    story, said, *events = WRONG[name]
    assert any(said in problem for problem in problems(story, *events))


def test_a_transaction_is_excused_by_a_message_that_came_three_times() -> None:
    frames = [frame for _, frame in [*start(), reading(20, "m1"), reading(10, "m2"), stop()]]
    assert transaction_problems(frames, []) == ["a reading of transaction 1 is older than what was told",
                                                "the register of transaction 1 runs backwards"]  # fmt: skip
    assert transaction_problems([*frames[:-1], frames[2], frames[2], frames[-1]], []) == []


def test_calls_since_the_last_boot() -> None:
    calls = [[2, str(number), action, {}] for number, action in enumerate(("BootNotification", "Heartbeat") * 2)]
    record = Record([{"event": "received", "text": json.dumps(call)} for call in calls])
    assert record.ids_since_boot() == ["2", "3"]


def test_the_last_status_of_each_connector() -> None:
    told = ((1, "Available"), (2, "Available"), (1, "Faulted"))
    calls = [[2, "1", "StatusNotification", {"connectorId": number, "status": status}] for number, status in told]
    assert last_statuses(calls) == {1: "Faulted", 2: "Available"}


# long_run_files.py


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "sessions").mkdir()
    (tmp_path / "stderr.log").write_text("a warning\n")
    write(tmp_path / "logs" / "cp001.jsonl", '{"raw": "[]"}\n{"raw"')
    write(tmp_path / "logs" / "cp001.jsonl.0", '{"raw": "[]"}\n')
    write(tmp_path / "sessions" / "1" / "incomplete-ocpp.html", "")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)


def found(folder: Path) -> list[str]:
    return file_problems(folder, log_size=1000, log_count=2)


def test_files_that_are_right(folder: Path) -> None:
    assert found(folder) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("logs/cp001.jsonl", '{"raw": "[]"\n{"raw": "[]"}\n', "line 1 of cp001.jsonl is no record"),
        ("logs/cp001.jsonl", "[]\n", "is no record of the trace format"),
        ("logs/cp001.jsonl.0", '{"raw"', "ends in the middle of a record"),
        ("logs/cp001.jsonl.1", "", "there are 3 files of cp001.jsonl"),
        ("logs/cp001.html", "<p>", "cp001.html begins with"),
        ("logs/cp001.log", "x" * 80_000, "cp001.log has 80000 bytes"),
        ("stderr.log", "Traceback (most recent call last):", "on standard error: Traceback"),
        ("stderr.log", "12:00:00 ERROR   cp001: failed", "on standard error: 12:00:00 ERROR"),
        ("cp001.db-wal", "x" * (20 << 20), "the database has"),
        ("sessions/2/ocpp.html", "<p>", "ocpp.html begins with"),
    ],
)
def test_files_that_are_wrong(folder: Path, name: str, text: str, said: str) -> None:
    write(folder / name, text)
    assert [said in problem for problem in found(folder)] == [True]


def test_what_is_left_over(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "cp001.db")) as database:
        for table in ("dead_letters", "jobs", "message_queue", "samples", "transactions"):
            database.execute(f"CREATE TABLE {table} (sequence INTEGER)")
        database.execute("INSERT INTO samples VALUES (1), (2)")
        database.commit()
    assert left_over(tmp_path) == ["2 rows of samples are left over"]


def test_ids_that_were_logged(folder: Path) -> None:
    write(folder / "logs" / "cp001.jsonl", '{"raw": "[]"}\n{"messageType": "CALL", "raw": "[2,\\"7\\"]"}\n')
    assert logged_ids(folder) == {"7"}


def test_a_log_that_others_may_read_is_wrong(folder: Path) -> None:
    (folder / "logs" / "cp001.jsonl.0").chmod(0o644)
    assert [problem.partition(" ")[0] for problem in found(folder)] == ["cp001.jsonl.0"]
