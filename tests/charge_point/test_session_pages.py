"""Sessions that are logged by themselves: a page of each, in a folder of its own."""

from pathlib import Path
from typing import Any

import pytest
import trio

from ocpp16.enums import Reason, SessionStartedReason


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
