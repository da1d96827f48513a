"""Sessions that are logged by themselves: a page of each, in a folder of its own."""

from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.configuration.keys import internal
from ocpp16.enums import Reason, SessionStartedReason
from ocpp16.store.memory import MemoryStore


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_session_has_a_page_also_without_a_folder_for_all(open_bench: Any, tmp_path: Path) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point
        charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED, str(tmp_path / "s1"))
        bench.begin()
        await trio.sleep(1)
        assert names(tmp_path / "s1") == ["incomplete-ocpp.html"]
        charge_point.on_transaction_stopped(1, "s1", Reason.EV_DISCONNECTED, 2000)
        charge_point.on_session_stopped(1, "s1")
        await trio.sleep(1)
        assert names(tmp_path / "s1") == ["ocpp.html"]
    page = (tmp_path / "s1" / "ocpp.html").read_text()
    for name in ("StartTransaction", "StartTransactionResponse", "StopTransaction", "StopTransactionResponse"):
        assert f"<b>{name}</b>" in page
    assert "Heartbeat" not in page


async def test_a_page_has_messages_where_a_listener_is_told_frames_too(open_bench: Any, tmp_path: Path) -> None:
    """On the connection that there is, and on the next."""
    heard: list[str] = []
    async with open_bench(frames=lambda identity, direction, text: heard.append(text)) as bench:
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED, tmp_path)
        bench.begin()
        await trio.sleep(1)
        assert "<b>StartTransactionResponse</b>" in (tmp_path / "incomplete-ocpp.html").read_text()
        bench.charge_point.connection.reconnect()
        await trio.sleep(1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.EV_DISCONNECTED, 2000)
        await trio.sleep(1)
        assert "<b>StopTransactionResponse</b>" in (tmp_path / "incomplete-ocpp.html").read_text()
    for action in ("StartTransaction", "StopTransaction"):
        assert sum(action in text for text in heard) == 1


async def test_a_session_may_begin_before_the_start(open_bench: Any, tmp_path: Path) -> None:
    async with open_bench(start=False) as bench:
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED, tmp_path)
        bench.begin()
        await bench.charge_point.start()
        await trio.sleep(1)
        await bench.csms.close("cp001")
        await trio.sleep(5)
    page = (tmp_path / "incomplete-ocpp.html").read_text()
    assert "<b>StartTransactionResponse</b>" in page
    assert page.count("<b>Connected</b>") == 2


async def test_a_session_goes_on_over_a_restart(open_bench: Any, tmp_path: Path) -> None:
    async with open_bench() as bench:
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED, tmp_path)
        bench.begin()
        await trio.sleep(1)
        await bench.charge_point.stop()
        assert await bench.charge_point.restart()
        await trio.sleep(1)
    page = (tmp_path / "incomplete-ocpp.html").read_text()
    assert "Disconnected: stopped" in page
    assert "<b>StopTransaction" in page


async def test_and_also_where_the_restart_changes_what_is_logged(
    open_bench: Any, make_config: Any, tmp_path: Path
) -> None:
    async with open_bench() as bench:
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED, tmp_path)
        bench.begin()
        await trio.sleep(1)
        await bench.charge_point.stop()
        bench.charge_point._runtime.configuration.set(internal.LOG_MESSAGES_RAW, True)
        await bench.charge_point.restart()
        bench.begin()
        await trio.sleep(1)
    page = (tmp_path / "incomplete-ocpp.html").read_text()
    assert page.count("<b>StartTransactionResponse</b>") == 2
    assert (tmp_path / "incomplete-ocpp_raw.html").exists()


async def test_a_page_has_nothing_of_who_charged_there_before(open_bench: Any, tmp_path: Path) -> None:
    """Offline: what is told of the one before comes when the other one's page is written."""
    async with open_bench() as bench:
        charge_point = bench.charge_point
        bench.csms.is_reachable = False
        charge_point.connection.drop()
        await trio.sleep(1)
        bench.begin(session_id="s1", id_tag="SOMEBODY")
        charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        charge_point.on_session_stopped(1, "s1")
        charge_point.on_session_started(1, "s2", SessionStartedReason.EV_CONNECTED, tmp_path)
        bench.begin(session_id="s2", id_tag="ME", meter_start=1500)
        bench.csms.is_reachable = True
        await trio.sleep(60)
        assert len(bench.sent("StopTransaction")) == 1
    page = (tmp_path / "incomplete-ocpp.html").read_text()
    assert "ME" in page
    assert page.count("<b>StartTransactionResponse</b>") == 1
    assert "SOMEBODY" not in page


async def test_a_session_that_goes_on_after_a_power_cut_has_its_end_in_its_page(
    open_bench: Any, tmp_path: Path
) -> None:
    store = MemoryStore(is_volatile=False)
    async with open_bench(store=store) as bench:
        bench.begin()
        await trio.sleep(1)
        bench.charge_point.abandon()
    async with open_bench(store=store, start=False) as bench:
        await bench.charge_point.start(resuming_session_ids=["s1"])
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED, tmp_path)
        await trio.sleep(1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.EV_DISCONNECTED, 2000)
        bench.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(1)
    assert "<b>StopTransactionResponse</b>" in (tmp_path / "ocpp.html").read_text()


async def test_the_next_session_ends_a_page_also_without_one_of_its_own(open_bench: Any, tmp_path: Path) -> None:
    async with open_bench() as bench:
        for session in ("s1", "s1", "s2"):
            assert not (tmp_path / "ocpp.html").exists()
            path = tmp_path if not bench.sent("StatusNotification")[3:] else None
            bench.charge_point.on_session_started(1, session, SessionStartedReason.EV_CONNECTED, path)
            await trio.sleep(1)
        assert (tmp_path / "ocpp.html").exists()


async def test_a_session_is_logged_only_where_the_key_says_so(
    open_bench: Any, make_config: Any, tmp_path: Path
) -> None:
    document = make_config(Internal__LogMessagesFormat=["log"])
    async with open_bench(document=document) as bench:
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED, tmp_path / "s1")
        await trio.sleep(1)
        assert bench.charge_point._runtime.traffic.trace is None
    assert names(tmp_path) == []


async def test_a_path_that_cannot_be_is_refused_before_anything_changes(open_bench: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with open_bench() as bench:
        before = len(bench.sent())
        for path in (5, "", "\0", tmp_path / "file", tmp_path / "file" / "folder", b"x"):
            with pytest.raises(ValueError, match=r"^session_logging_path"):
                bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED, path)
        await trio.sleep(1)
        assert len(bench.sent()) == before
