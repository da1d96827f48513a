"""The page of a session: what concerns it and nothing else, and its name at the end."""

import json
from pathlib import Path
from typing import Any

import pytest

from ocpp16.message_log import scribe
from ocpp16.message_log.log_file import LogFile
from ocpp16.message_log.options import Options
from ocpp16.message_log.scribe import Scribe
from ocpp16.message_log.session_log import LINGER

SECOND = 1_000_000


class Told:
    """A scribe that is told frames."""

    def __init__(self, *, is_raw: bool = False) -> None:
        self.scribe = Scribe("cp", None, Options(frozenset({"session_logging"}), is_raw, None), 0, lambda: None)
        self.sequence = 0

    def frame(self, direction: str, *frame: Any, at: int = 0, of: tuple[int, str] | None = None) -> None:
        self.sequence += 1
        self.scribe.frame(self.sequence, at, 0.0, direction, json.dumps(frame), of)
        self.scribe.flush()

    def asked(
        self, unique_id: str, action: str, payload: Any, answer: Any, at: int = 0, of: tuple[int, str] | None = None
    ) -> None:
        """By the charge point, and answered; `of` this connector and session."""
        self.frame("sent", 2, unique_id, action, payload, at=at, of=of)
        self.frame("received", 3, unique_id, answer, at=at)

    def begin(self, folder: Path, connector_id: int, session_id: str = "s") -> None:
        self.scribe.session_started(0, connector_id, session_id, folder)
        self.scribe.flush()

    def stop(self, connector_id: int, at: int = 0) -> None:
        self.scribe.session_stopped(at, connector_id)
        self.scribe.flush()


def test_a_page_has_what_is_about_its_connector_and_its_transaction(tmp_path: Path) -> None:
    told = Told()
    told.begin(tmp_path, 1)
    told.asked("boot", "Heartbeat", {}, {"currentTime": "not of the session"})
    other, mine = {"connectorId": 2, "idTag": "SOMEBODY"}, {"connectorId": 1, "idTag": "ME"}
    told.asked("other", "StartTransaction", other, {"transactionId": 8}, of=(2, "s"))
    told.asked("mine", "StartTransaction", mine, {"transactionId": 7}, of=(1, "s"))
    told.asked("values", "MeterValues", {"connectorId": 1, "transactionId": 7}, {"marked": "values"}, of=(1, "s"))
    told.asked("older", "MeterValues", {"connectorId": 1, "transactionId": 3}, {"marked": "of an older one"})
    told.frame("received", 2, "all", "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"})
    told.asked("main", "MeterValues", {"connectorId": 0, "marked": "main meter"}, {})
    told.frame("received", 2, "remote", "RemoteStopTransaction", {"transactionId": 7})
    told.frame("received", 2, "remote8", "RemoteStopTransaction", {"transactionId": 8, "marked": "of 8"})
    told.asked("stop8", "StopTransaction", {"transactionId": 8}, {"marked": "stopped 8"}, of=(2, "s"))
    told.asked("stop", "StopTransaction", {"transactionId": 7}, {"marked": "stopped"}, of=(1, "s"))
    told.stop(1)
    page = (tmp_path / "ocpp.html").read_text()
    for part in ("ME", "marked&quot;: &quot;values", "ChangeAvailability", "RemoteStopTransaction", "stopped&quot;"):
        assert part in page
    for part in ("SOMEBODY", "Heartbeat", "of an older one", "main meter", "of 8", "stopped 8"):
        assert part not in page
    assert not (tmp_path / "incomplete-ocpp.html").exists()


def test_what_waited_for_a_connection_is_of_the_session_that_it_is_told_of(tmp_path: Path) -> None:
    """Whoever charged here before is told first, and its transaction has no id yet."""
    told = Told()
    told.begin(tmp_path, 1)
    told.asked("old", "StartTransaction", {"connectorId": 1, "idTag": "SOMEBODY"}, {"transactionId": 3}, of=(1, "old"))
    told.asked("lost", "StartTransaction", {"connectorId": 1, "idTag": "SOMEBODY"}, {"transactionId": 4})
    told.asked("values", "MeterValues", {"connectorId": 1, "transactionId": 3}, {"marked": "old values"}, of=(1, "old"))
    told.asked("stop3", "StopTransaction", {"transactionId": 3}, {"marked": "stopped 3"}, of=(1, "old"))
    told.asked("mine", "StartTransaction", {"connectorId": 1, "idTag": "ME"}, {"transactionId": 5}, of=(1, "s"))
    page = (tmp_path / "incomplete-ocpp.html").read_text()
    assert "ME" in page
    for part in ("SOMEBODY", "old values", "stopped 3"):
        assert part not in page


def test_what_is_asked_for_another_driver_is_not_of_the_session(tmp_path: Path) -> None:
    told = Told()
    told.begin(tmp_path, 1)
    told.frame("received", 2, "r1", "ReserveNow", {"connectorId": 1, "idTag": "OTHER", "reservationId": 1})
    told.frame("sent", 3, "r1", {"status": "Occupied"})
    told.frame("received", 2, "r2", "RemoteStartTransaction", {"connectorId": 1, "idTag": "me"})
    told.scribe.transaction_started(1, "s", "ME", None)
    told.frame("received", 2, "r3", "RemoteStartTransaction", {"connectorId": 1, "idTag": "OTHER"})
    told.frame("received", 2, "r4", "ReserveNow", {"connectorId": 0, "idTag": "OTHER", "reservationId": 2})
    told.frame("received", 2, "r5", "ReserveNow", {"connectorId": 1, "idTag": "Me", "reservationId": 3})
    page = (tmp_path / "incomplete-ocpp.html").read_text()
    assert page.count("<b>RemoteStartTransaction</b>") == page.count("<b>ReserveNow</b>") == 1
    for part in ("OTHER", "Occupied"):
        assert part not in page


def test_a_transaction_that_runs_already_is_of_the_session(tmp_path: Path) -> None:
    """As after a restart: its StartTransaction was answered before."""
    told = Told()
    told.begin(tmp_path, 1)
    told.scribe.transaction_started(1, "s", "ME", 7)
    told.scribe.transaction_started(2, "other", "OTHER", 8)
    for number in (7, 8):
        told.frame("received", 2, f"r{number}", "RemoteStopTransaction", {"transactionId": number})
    told.stop(1)
    assert not (tmp_path / "ocpp.html").exists()
    told.asked("stop", "StopTransaction", {"transactionId": 7}, {}, of=(1, "s"))
    page = (tmp_path / "ocpp.html").read_text()
    assert page.count("<b>RemoteStopTransaction</b>") == page.count("<b>StopTransaction</b>") == 1


def test_a_session_without_a_transaction_is_complete_at_its_end(tmp_path: Path) -> None:
    told = Told()
    told.begin(tmp_path, 1)
    assert (tmp_path / "incomplete-ocpp.html").exists()
    told.stop(1)
    assert (tmp_path / "ocpp.html").exists()


def test_the_end_of_the_transaction_is_waited_for(tmp_path: Path) -> None:
    """A car that is pulled out ends transaction and session at once; StopTransaction goes out a moment later."""
    told = Told()
    told.begin(tmp_path, 1)
    told.scribe.transaction_started(1, "s", "ME", 7)
    told.stop(1, at=SECOND)
    told.frame("sent", 2, "stop", "StopTransaction", {"transactionId": 7}, at=2 * SECOND, of=(1, "s"))
    assert not (tmp_path / "ocpp.html").exists()
    told.frame("received", 3, "stop", {}, at=3 * SECOND)
    assert "StopTransactionResponse" in (tmp_path / "ocpp.html").read_text()


@pytest.mark.parametrize("later", [LINGER, -2 * SECOND])
def test_but_not_for_ever_nor_when_the_clock_is_set_back(tmp_path: Path, later: int) -> None:
    told = Told()
    told.begin(tmp_path, 1)
    told.scribe.transaction_started(1, "s", "ME", 7)
    told.stop(1, at=SECOND)
    told.asked("h", "Heartbeat", {}, {}, at=SECOND + LINGER - 1)
    assert not (tmp_path / "ocpp.html").exists()
    told.asked("h", "Heartbeat", {}, {}, at=SECOND + later)
    assert (tmp_path / "ocpp.html").exists()


def test_at_the_end_of_all_a_session_that_is_over_gets_its_name_and_a_running_one_does_not(tmp_path: Path) -> None:
    told = Told()
    for connector_id in (1, 2):
        told.begin(tmp_path / str(connector_id), connector_id)
        told.scribe.transaction_started(connector_id, "s", "ME", connector_id)
    told.stop(1)
    told.scribe.end(0)
    told.scribe.flush()
    assert [path.name for path in (tmp_path / "1").iterdir()] == ["ocpp.html"]
    assert [path.name for path in (tmp_path / "2").iterdir()] == ["incomplete-ocpp.html"]


def test_another_session_on_the_connector_ends_the_one_before(tmp_path: Path) -> None:
    told = Told()
    told.begin(tmp_path / "a", 1, "a")
    told.begin(tmp_path / "a", 1, "a")  # told twice
    told.begin(tmp_path / "b", 1, "b")
    told.frame("sent", 2, "x", "StatusNotification", {"connectorId": 1})
    assert "StatusNotification" not in (tmp_path / "a" / "ocpp.html").read_text()
    assert "StatusNotification" in (tmp_path / "b" / "incomplete-ocpp.html").read_text()


def test_the_raw_page_has_frames_as_they_were(tmp_path: Path) -> None:
    told = Told(is_raw=True)
    told.begin(tmp_path, 1)
    told.frame("sent", 2, "x", "StatusNotification", {"connectorId": 1})
    told.stop(1)
    assert (
        "[2, &quot;x&quot;, &quot;StatusNotification&quot;, {&quot;connectorId&quot;: 1}]"
        in (tmp_path / "ocpp_raw.html").read_text()
    )


def test_a_folder_that_cannot_be_had_is_said_and_holds_up_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = Told()
    told.scribe.session_started(0, 1, "s", tmp_path / "file" / "folder")
    with pytest.raises(OSError):
        told.scribe.flush()
    told.begin(tmp_path / "2", 2)
    with pytest.raises(OSError):
        told.stop(1)
    told.stop(2)
    assert (tmp_path / "2" / "ocpp.html").exists()


def test_a_disk_that_is_full_when_a_session_ends_costs_rows_and_not_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(is_raw=True)
    told.begin(tmp_path, 1)
    told.begin(tmp_path / "other", 2)
    told.frame("received", 2, "c1", "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"})
    with monkeypatch.context() as full:

        def write(self: LogFile, rows: list[bytes], at: int) -> int:
            raise OSError(28, "No space left on device")

        full.setattr(LogFile, "write", write)
        told.sequence += 1
        answer = json.dumps([3, "c1", {"status": "Accepted"}])
        told.scribe.frame(told.sequence, 0, 0.0, "sent", answer)
        told.scribe.session_stopped(0, 1)
        told.scribe.session_stopped(0, 2)
        told.scribe.end(0)
        with pytest.raises(OSError, match="No space"):
            told.scribe.flush()
    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["ocpp.html", "ocpp_raw.html"]
    assert sorted(path.name for path in (tmp_path / "other").iterdir()) == ["ocpp.html", "ocpp_raw.html"]


def test_a_page_that_cannot_be_named_keeps_no_session_from_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe, "SESSIONS_LIMIT", 1)
    told = Told()
    told.begin(tmp_path / "first", 1)
    (tmp_path / "first" / "incomplete-ocpp.html").unlink()
    told.scribe.session_started(0, 2, "s", tmp_path / "second")
    with pytest.raises(FileNotFoundError):
        told.scribe.flush()
    told.frame("received", 2, "c1", "ChangeAvailability", {"connectorId": 2, "type": "Inoperative"})
    assert "ChangeAvailability" in (tmp_path / "second" / "incomplete-ocpp.html").read_text()
