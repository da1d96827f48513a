"""Who owns a store and for how long; and what happens when the disk does not answer."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from patience import PATIENCE

from ocpp16.errors import StoreError
from ocpp16.store import owner as opening
from ocpp16.store.base import ChargePointChanges, Put
from ocpp16.store.fallback import FallbackStore, open_or_fall_back
from ocpp16.store.files import FileKeeper
from ocpp16.store.memory import MemoryStore
from ocpp16.store.open import open_store, shared_journal
from ocpp16.store.opening import Unavailable
from ocpp16.store.overlay import TextFileWrite
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import settings


def setting(key: str) -> Put:
    return settings.put(settings.SettingRow(key, 1))


def keys(path: Path, who: str = "cp") -> list[object]:
    store = SqliteStore.open(path)
    found: list[object] = [row[0] for row in store.load(who, settings.TABLE)]
    store.close()
    return found


@pytest.mark.parametrize("inline", [True, False])
async def test_opened_served_and_closed(tmp_path: Path, inline: bool) -> None:
    async with open_store(tmp_path / "new" / "db", inline=inline) as journal:
        await journal.wait_durable(journal.append("cp", setting("a")))
        assert await journal.load("cp", settings.TABLE) == [("a", "1")]
        journal.append("cp", setting("b"))
    assert (journal.has_ended, journal.left(), journal.outage) == (True, 0, "")
    assert keys(tmp_path / "new" / "db") == ["a", "b"]


async def test_what_the_block_raises_is_raised_as_it_is(tmp_path: Path) -> None:
    class Own(Exception):
        pass

    async def fail() -> None:
        async with open_store(tmp_path / "db") as journal:
            journal.append("cp", setting("a"))
            raise Own

    with pytest.raises(Own):
        await fail()
    assert keys(tmp_path / "db") == ["a"]
    with pytest.raises(Own):
        async with shared_journal(MemoryStore()):
            raise Own


async def test_cancelled_block_is_flushed_and_closed(tmp_path: Path) -> None:
    with trio.CancelScope() as scope:
        async with open_store(tmp_path / "db") as journal:
            journal.append("cp", setting("a"))
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert keys(tmp_path / "db") == ["a"]


async def test_leaving_in_order_has_the_disk_until_the_end(tmp_path: Path) -> None:
    """Cancelled from outside, the block may still store what it does when it leaves."""
    with trio.CancelScope() as scope:
        async with open_store(tmp_path / "db") as journal:
            try:
                scope.cancel()
                await trio.lowlevel.checkpoint()
            finally:
                with trio.CancelScope(shield=True):
                    await journal.wait_durable(journal.append("cp", setting("a")))
    assert keys(tmp_path / "db") == ["a"]


async def test_errors_of_opening(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="synchronous is one of"):
        async with open_store(tmp_path / "db", synchronous="OFF"):
            pass
    async with open_store(tmp_path / "db"):
        with pytest.raises(StoreError, match="process has it"):
            async with open_store(tmp_path / "db"):
                pass


class Watched(MemoryStore):
    is_closed = False

    def close(self) -> None:
        self.is_closed = True
        super().close()


async def test_lent_store_has_one_journal_and_stays_open(autojump_clock: trio.testing.MockClock) -> None:
    store = Watched(is_volatile=False)
    async with shared_journal(store) as first:
        async with shared_journal(store) as second:
            assert second is first
            second.append("b", setting("x"))
            await first.wait_durable(first.append("a", setting("x")))
        await first.wait_durable(first.append("a", setting("y")))
    assert (first.has_ended, first.left(), store.is_closed) == (True, 0, False)
    async with shared_journal(store) as again:
        await again.wait_durable(again.append("a", setting("z")))
    assert [len(store.load(who, settings.TABLE)) for who in "ab"] == [3, 1]
    assert not store.is_closed


async def test_thousands_share_one_journal(autojump_clock: trio.testing.MockClock) -> None:
    """A commit looks at nobody whose changes it does not hold."""
    store, kicks = Watched(is_volatile=False), dict[int, int]()
    async with trio.open_nursery() as nursery, shared_journal(store) as journal:
        for n in range(2000):
            journal.subscribe(lambda n=n: kicks.update({n: kicks.get(n, 0) + 1}), f"cp{n}")  # type: ignore[misc]
            journal.watch(f"cp{n}")
            nursery.start_soon(journal.run)
        await trio.testing.wait_all_tasks_blocked()
        for n in (7, 8):
            await journal.wait_durable(journal.append(f"cp{n}", setting("x")))
        assert kicks == {7: 1, 8: 1}
        nursery.cancel_scope.cancel()
    assert journal.left() == 0


class Failing(Watched):
    reason = ""

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self.reason:
            raise StoreError(self.reason)
        return super().apply(batches)


async def test_leaving_on_a_full_disk_is_bounded_and_what_is_left_is_taken_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    store = Failing(is_volatile=False)
    store.reason = "disk full"
    async with shared_journal(store, flush_timeout=7.0) as journal:
        journal.append("a", setting("x"))
        began = trio.current_time()
    assert trio.current_time() - began == pytest.approx(7, abs=0.5)
    assert (journal.left(), journal.outage) == (1, "disk full")
    store.reason = ""
    async with shared_journal(store) as again:
        assert again is journal
        await again.wait_durable(1)
    assert journal.left() == 0


# A disk that does not answer, or not yet


class Hanging:
    """Stands for a function that hangs in the disk until `may_end` is set."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.may_end = threading.Event()

    def hang(self) -> None:
        self.began.set()
        assert self.may_end.wait(PATIENCE)

    async def outlast(self, clock: Any, *times: float) -> None:
        """When it hangs, let the times pass for which others wait."""
        await trio.to_thread.run_sync(self.began.wait)
        for seconds in times:
            await clock.advance_when_all_wait(seconds)


async def test_opening_that_hangs_is_an_outage_that_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, still_clock: Any, nursery: trio.Nursery
) -> None:
    hanging = Hanging()
    path, told = tmp_path / "db", trio.Event()

    def slow(*arguments: object) -> object:
        hanging.hang()
        return open_or_fall_back(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(opening, "open_or_fall_back", slow)
    nursery.start_soon(hanging.outlast, still_clock, 60)
    async with open_store(path, reopen_interval=30.0) as journal:
        assert "no answer from the disk within 60 s" in journal.outage
        reasons: list[str] = []
        journal.watch("cp", on_failing=reasons.append, on_recovered=told.set)
        await journal.wait_durable(journal.append("cp", setting("a")))
        assert reasons == [journal.outage]
        hanging.may_end.set()
        await still_clock.advance_when_all_wait(30)
        await told.wait()
        assert journal.outage == ""
        await journal.wait_durable(journal.append("cp", setting("b")))
    assert keys(path) == ["a", "b"]


async def test_opened_when_nobody_waits_any_more_is_used_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, still_clock: Any, nursery: trio.Nursery
) -> None:
    hanging = Hanging()

    def slow(*arguments: object) -> object:
        hanging.hang()
        return open_or_fall_back(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(opening, "open_or_fall_back", slow)
    nursery.start_soon(hanging.outlast, still_clock, 60)
    async with open_store(tmp_path / "db") as journal:
        await journal.wait_durable(journal.append("cp", setting("a")))
        hanging.may_end.set()
    assert keys(tmp_path / "db") == ["a"]


@pytest.mark.parametrize("place", ["apply", "close"])
async def test_leaving_does_not_wait_for_a_thread_that_hangs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    still_clock: Any,
    nursery: trio.Nursery,
    place: str,
) -> None:
    hanging, original = Hanging(), getattr(SqliteStore, place)

    def slow(self: SqliteStore, *arguments: object) -> object:
        hanging.hang()
        return original(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, place, slow)
        async with open_store(tmp_path / "db", flush_timeout=7) as journal:
            journal.append("cp", setting("a"))
            if place == "apply":
                await trio.to_thread.run_sync(hanging.began.wait)
            nursery.start_soon(hanging.outlast, still_clock, 7, 7)
    if place == "close":
        assert "a thread hangs in it; it is left to the end of the process" in caplog.text
    else:
        assert journal.left() == 1
    hanging.may_end.set()


async def test_outage_at_the_start_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    path, told, attempts = tmp_path / "db", list[str](), list[float]()
    async with open_store(path) as journal:
        await journal.wait_durable(journal.append("cp", setting("before")))
    locked = SqliteStore.locked

    def full(*arguments: object) -> SqliteStore:
        attempts.append(trio.current_time())
        raise Unavailable("disk full")

    monkeypatch.setattr(SqliteStore, "locked", full)
    async with open_store(path, reopen_interval=30.0) as journal:
        assert isinstance(journal.store, FallbackStore)
        journal.watch("cp", on_failing=told.append, on_recovered=lambda: told.append("recovered"))
        assert await journal.load("cp", settings.TABLE) == [("before", "1")]
        await journal.wait_durable(journal.append("cp", setting("during")))
        await trio.sleep(100)
        assert [round(at) for at in attempts] == [0, 30, 60, 90]
        assert (told, journal.outage) == (["disk full"], "disk full")
        monkeypatch.setattr(SqliteStore, "locked", locked)
        await trio.sleep(30)
        assert (told, journal.outage) == (["disk full", "recovered"], "")
        await journal.wait_durable(journal.append("cp", setting("later")))
    assert keys(path) == ["before", "during", "later"]


FULL_DISK = """
import resource, sys
import trio
from ocpp16.store.open import open_store
from ocpp16.store.tables import settings

def setting(key):
    return settings.put(settings.SettingRow(key, 1))

async def main():
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with open_store(sys.argv[1]) as journal:
        await journal.wait_durable(journal.append("cp", setting("before")))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    recovered = trio.Event()
    async with open_store(sys.argv[1], reopen_interval=0.05) as journal:
        journal.watch(on_recovered=recovered.set)
        outage, found = journal.outage, await journal.load("cp", settings.TABLE)
        await journal.wait_durable(journal.append("cp", setting("during"), settings.delete("before")))
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await recovered.wait()
        print(outage, found, journal.outage, flush=True)
        sys.stdin.read()

trio.run(main)
"""


@pytest.mark.world
def test_a_real_full_disk_and_a_kill_after_it(tmp_path: Path) -> None:
    path = tmp_path / "db"
    child = subprocess.Popen(
        [sys.executable, "-c", FULL_DISK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        line = child.stdout.readline()
        child.kill()
    assert line == f"{path} cannot be opened: disk I/O error [('before', '1')] \n"
    assert keys(path) == ["during"]


async def test_without_a_thread_it_is_done_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine at its limit of threads ends nothing: opening, commits, files, loading and closing go on."""

    def none_left(*arguments: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(trio.lowlevel, "start_thread_soon", none_left)
    applied: list[str] = []
    async with open_store(tmp_path / "db", inline=False) as journal, trio.open_nursery() as nursery:
        files = FileKeeper()
        nursery.start_soon(files.run)
        await journal.wait_durable(journal.append("a", setting("key")))
        assert len(await journal.load("a", settings.TABLE)) == 1
        write = TextFileWrite(tmp_path / "file", b"text", 0o644, keeps_previous=False)
        await files.propose([write], apply=lambda: applied.append("file"), restore=list).wait(10)
        nursery.cancel_scope.cancel()
    assert applied == ["file"]
    SqliteStore.open(tmp_path / "db").close()
