"""The keeper of files: a change is in the file and in force, or in neither; one file holds up no other."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import trio
import trio.testing
from patience import PATIENCE

from ocpp16.errors import StoreError
from ocpp16.store.files import FileKeeper, FileWrite
from ocpp16.store.overlay import Overlay
from ocpp16.store.proposal import Proposal


def nothing() -> None:
    pass


class Files:
    """Files in a dictionary, with their steps logged and their faults made to order."""

    def __init__(self) -> None:
        self.content: dict[str, object] = {}
        self.log: list[str] = []
        self.faults: dict[str, Exception] = {}
        self.meanwhile: dict[str, Callable[[], object]] = {}

    def step(self, name: str) -> None:
        self.log.append(name)
        if name in self.meanwhile:
            self.meanwhile.pop(name)()
        if name in self.faults:
            raise self.faults[name]


class Write:
    def __init__(self, files: Files, name: str, content: object) -> None:
        self.target = Path("/etc") / name
        self._files, self._name, self._content = files, name, content

    def prepare(self) -> None:
        self._files.step(f"prepare {self._name}")

    def finish(self) -> None:
        self._files.step(f"finish {self._name}")
        self._files.content[self._name] = self._content

    def drop(self) -> None:
        self._files.log.append(f"drop {self._name}")


class Setting:
    """A state in memory, kept in the files "f" and "g" as a whole."""

    def __init__(self, *, inline: bool = True) -> None:
        self.files = Files()
        self.told: list[str] = []
        self.keeper = FileKeeper(
            inline=inline,
            retry_delays=(1.0,),
            flush_timeout=5.0,
            on_failing=lambda reason: self.told.append(f"failing: {reason}"),
            on_recovered=lambda: self.told.append("recovered"),
            on_internal_error=lambda place, error: self.told.append(f"{place}: {error}"),
        )
        self.memory: dict[str, dict[str, int]] = {"f": {}, "g": {}}

    def ask(self, *names: str, key: str = "a", value: int = 1, error: Exception | None = None) -> Proposal:
        new = {name: {**self.memory[name], key: value} for name in names}

        def apply() -> None:
            if error is not None:
                raise error
            for name in names:
                self.memory[name][key] = value

        return self.keeper.propose(self.writes(new), apply=apply, restore=lambda: self.writes(self.memory))

    def writes(self, content: dict[str, dict[str, int]]) -> Sequence[FileWrite]:
        return [Write(self.files, name, dict(values)) for name, values in content.items()]

    @property
    def agrees(self) -> bool:
        return all(self.files.content.get(name, {}) == values for name, values in self.memory.items())


@pytest.fixture
def it() -> Setting:
    return Setting()


async def test_written_and_then_in_force(it: Setting, nursery: trio.Nursery) -> None:
    proposal = it.ask("f", "g")
    assert (it.files.log, proposal.is_settled) == ([], False)
    nursery.start_soon(it.keeper.run)
    await proposal.wait(1)
    assert it.files.log == ["prepare f", "prepare g", "finish f", "finish g"]
    assert it.memory == {"f": {"a": 1}, "g": {"a": 1}}
    assert it.agrees


@pytest.mark.parametrize(
    ("fault", "log"),
    [
        ("prepare f", ["prepare f", "drop f"]),
        ("prepare g", ["prepare f", "prepare g", "drop f", "drop g"]),
    ],
)
async def test_file_that_cannot_be_prepared_refuses_at_once(
    it: Setting, nursery: trio.Nursery, fault: str, log: list[str]
) -> None:
    it.files.faults[fault] = OSError(28, "No space left on device")
    nursery.start_soon(it.keeper.run)
    with pytest.raises(StoreError, match=rf"^/etc/{fault[-1]} cannot be written: No space left on device$"):
        await it.ask("f", "g").wait(1000)
    assert it.files.log == log
    it.files.faults.clear()
    assert (it.memory, it.files.content) == ({"f": {}, "g": {}}, {})
    await it.ask("f").wait(1)
    assert it.agrees


async def test_a_file_that_cannot_be_written_is_told_once_and_so_is_its_recovery(
    it: Setting, nursery: trio.Nursery
) -> None:
    nursery.start_soon(it.keeper.run)
    it.files.faults["prepare f"] = OSError(28, "No space left on device")
    for _ in range(3):
        with pytest.raises(StoreError):
            await it.ask("f").wait(1)
    await it.ask("g").wait(1)  # another file says nothing of this one
    assert it.told == ["failing: /etc/f cannot be written: No space left on device"]
    it.files.faults.clear()
    for _ in range(2):
        await it.ask("f").wait(1)
    assert it.told[1:] == ["recovered"]


async def test_who_fails_at_being_told_does_not_end_the_keeper(nursery: trio.Nursery) -> None:
    def fails(*reason: str) -> None:
        raise RuntimeError("boom")

    it, failures = Setting(), list[str]()
    it.keeper = FileKeeper(
        inline=True,
        on_failing=fails,
        on_recovered=fails,
        on_internal_error=lambda place, error: failures.append(f"{place}: {error}"),
    )
    nursery.start_soon(it.keeper.run)
    it.files.faults["prepare f"] = OSError(28, "No space left on device")
    with pytest.raises(StoreError):
        await it.ask("f").wait(1)
    it.files.faults.clear()
    await it.ask("f").wait(1)
    assert it.agrees
    assert failures == ["report of a file: boom"] * 2


@pytest.mark.parametrize("fault", ["finish f", "finish g"])
async def test_what_was_left_half_done_is_written_again_until_it_is(
    it: Setting, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock, fault: str
) -> None:
    it.files.faults[fault] = OSError(5, "Input/output error")
    nursery.start_soon(it.keeper.run)
    with pytest.raises(StoreError, match="Input/output error"):
        await it.ask("f", "g").wait(1000)
    it.files.faults["prepare f"] = OSError(5, "Input/output error")
    await trio.sleep(2.5)
    it.files.faults.clear()
    await trio.sleep(1)
    assert it.files.content == {"f": {}, "g": {}}
    length = len(it.files.log)
    await trio.sleep(100)
    assert len(it.files.log) == length


@pytest.mark.parametrize(
    ("step", "log"),
    [
        ("prepare f", ["prepare f", "prepare g", "drop f", "drop g"]),
        ("prepare g", ["prepare f", "prepare g", "drop f", "drop g"]),
    ],
)
async def test_withdrawn_while_it_is_prepared_leaves_nothing(
    it: Setting, nursery: trio.Nursery, step: str, log: list[str]
) -> None:
    proposal = it.ask("f", "g")
    it.files.meanwhile[step] = proposal.withdraw
    nursery.start_soon(it.keeper.run)
    await trio.testing.wait_all_tasks_blocked()
    assert (it.files.log, it.files.content) == (log, {})


@pytest.mark.parametrize("step", ["finish f", "finish g"])
async def test_withdrawn_while_it_gets_its_name_is_put_right(it: Setting, nursery: trio.Nursery, step: str) -> None:
    proposal = it.ask("f", "g")
    it.files.meanwhile[step] = proposal.withdraw
    nursery.start_soon(it.keeper.run)
    await trio.testing.wait_all_tasks_blocked()
    assert it.memory == {"f": {}, "g": {}}
    assert it.agrees


async def test_withdrawn_in_the_queue_is_not_begun(it: Setting, nursery: trio.Nursery) -> None:
    first, second = it.ask("f"), it.ask("f", value=2)
    second.withdraw()
    nursery.start_soon(it.keeper.run)
    await first.wait(1)
    await trio.testing.wait_all_tasks_blocked()
    assert it.files.log == ["prepare f", "finish f"]


async def test_proposals_made_from_the_same_memory_lose_nothing(it: Setting, nursery: trio.Nursery) -> None:
    first, second = it.ask("f", key="a"), it.ask("f", key="b")
    nursery.start_soon(it.keeper.run)
    for proposal in (first, second):
        await proposal.wait(1)
    await trio.testing.wait_all_tasks_blocked()
    assert it.memory["f"] == {"a": 1, "b": 1}
    assert it.agrees


async def test_apply_that_raises_is_told_and_put_right(it: Setting, nursery: trio.Nursery) -> None:
    nursery.start_soon(it.keeper.run)
    with pytest.raises(RuntimeError, match="half way"):
        await it.ask("f", error=RuntimeError("half way")).wait(1)
    await trio.testing.wait_all_tasks_blocked()
    assert it.told == ["apply: half way"]
    assert it.files.content["f"] == {}


async def test_restore_that_raises_is_told(it: Setting, nursery: trio.Nursery) -> None:
    def restore() -> Sequence[FileWrite]:
        raise RuntimeError("no idea")

    it.files.faults["finish f"] = OSError(5, "Input/output error")
    proposal = it.keeper.propose([Write(it.files, "f", 1)], apply=nothing, restore=restore)
    nursery.start_soon(it.keeper.run)
    with pytest.raises(StoreError):
        await proposal.wait(1)
    await trio.testing.wait_all_tasks_blocked()
    assert it.told == ["failing: /etc/f cannot be written: Input/output error", "restore: no idea"]


async def test_fault_of_a_write_is_a_refusal(it: Setting, nursery: trio.Nursery) -> None:
    it.files.faults["prepare f"] = LookupError("its own fault")
    nursery.start_soon(it.keeper.run)
    with pytest.raises(StoreError, match="/etc/f cannot be written: its own fault"):
        await it.ask("f").wait(1)


async def test_nothing_to_write_is_applied(it: Setting, nursery: trio.Nursery) -> None:
    nursery.start_soon(it.keeper.run)
    await it.keeper.propose([], apply=lambda: it.told.append("applied"), restore=tuple).wait(1)
    assert it.told == ["applied"]


async def test_the_end_carries_out_what_is_there_and_refuses_the_rest(
    it: Setting, autojump_clock: trio.testing.MockClock
) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(it.keeper.run)
        await trio.testing.wait_all_tasks_blocked()
        proposal = it.ask("f")
        nursery.cancel_scope.cancel()
    assert proposal.is_applied
    with pytest.raises(StoreError, match="ended"):
        await it.ask("f", value=2).wait(1000)
    assert (it.memory["f"], it.agrees) == ({"a": 1}, True)


async def test_hanging_file_refuses_in_time_and_holds_up_no_other(nursery: trio.Nursery) -> None:
    it = Setting(inline=False)
    began, may_end = threading.Event(), threading.Event()

    def hang() -> None:
        began.set()
        assert may_end.wait(PATIENCE)

    it.files.meanwhile["prepare f"] = hang
    nursery.start_soon(it.keeper.run)
    hanging, behind, beside = it.ask("f"), it.ask("f", key="b"), it.ask("g")
    await beside.wait(10)
    assert await trio.to_thread.run_sync(began.wait)
    for proposal in (hanging, behind):
        with pytest.raises(StoreError, match=r"/etc/f cannot be written: no answer from the file system"):
            await proposal.wait(0)
    may_end.set()
    await it.ask("f", key="c").wait(10)
    assert it.files.content == {"f": {"c": 1}, "g": {"a": 1}}
    assert it.agrees


async def test_end_does_not_wait_for_a_hanging_file() -> None:
    it = Setting(inline=False)
    it.keeper._flush_timeout = 0
    may_end = threading.Event()
    it.files.meanwhile["prepare f"] = lambda: may_end.wait(PATIENCE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(it.keeper.run)
        proposal = it.ask("f")
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert proposal.is_withdrawn
    may_end.set()
    while "drop f" not in it.files.log:
        await trio.lowlevel.checkpoint()
    assert it.files.content == {}


# With the overlay


async def change(keeper: FileKeeper, overlay: Overlay, memory: dict[str, dict[str, int]], value: int) -> None:
    def apply() -> None:
        memory["Core"]["a"] = value

    new = {"Core": {"a": value}}
    await keeper.propose(overlay.changes(new, {}), apply=apply, restore=lambda: overlay.changes(memory, {})).wait(10)


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("name", ["user.json", "user.json.tmp", "user.json.bak.tmp"])
async def test_folder_in_the_place_of_a_file_refuses_and_changes_nothing(
    tmp_path: Path, nursery: trio.Nursery, inline: bool, name: str
) -> None:
    keeper, memory = FileKeeper(inline=inline), {"Core": {"a": 0}}
    nursery.start_soon(keeper.run)
    overlay = Overlay(tmp_path / "user.json")
    await change(keeper, overlay, memory, 1)
    obstacle = tmp_path / name
    if obstacle.exists():
        obstacle.rename(tmp_path / "away")
    obstacle.mkdir()
    with pytest.raises(StoreError, match=r"user\.json cannot be written"):
        await change(keeper, overlay, memory, 2)
    assert memory == {"Core": {"a": 1}}
    obstacle.rmdir()
    if (tmp_path / "away").exists():
        (tmp_path / "away").rename(obstacle)
    assert Overlay(tmp_path / "user.json").document == memory
    await change(keeper, overlay, memory, 3)
    assert Overlay(tmp_path / "user.json").document == memory == {"Core": {"a": 3}}


async def test_no_step_of_the_disk_leaves_a_refused_change(
    tmp_path: Path, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call that may fail fails once: refused means not in the file, and accepted means in it."""
    names = ("open", "fsync", "replace", "link")
    originals = {name: getattr(os, name) for name in names}
    outcomes: set[str] = set()
    for failing in range(12):
        memory, path = {"Core": {"a": 0}}, tmp_path / f"{failing}" / "user.json"
        keeper, overlay = FileKeeper(inline=True, retry_delays=(1.0,)), Overlay(path)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keeper.run)
            await change(keeper, overlay, memory, 1)
            left = [failing]
            for name in names:

                def fail(*arguments: object, name: str = name, left: list[int] = left, **options: object) -> object:
                    left[0] -= 1
                    if left[0] == -1:
                        raise OSError(5, "Input/output error")
                    return originals[name](*arguments, **options)

                monkeypatch.setattr(os, name, fail)
            try:
                await change(keeper, overlay, memory, 2)
                outcomes.add("accepted")
            except StoreError:
                outcomes.add("refused")
            for name in names:
                monkeypatch.setattr(os, name, originals[name])
            await trio.sleep(5)
            assert Overlay(path).document == memory
            nursery.cancel_scope.cancel()
    assert outcomes == {"accepted", "refused"}
