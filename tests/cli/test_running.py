"""How a command ends: in order, in time, and at once when it is asked a second time."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import trio
import trio.testing

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.cli.charge_point import Machine, operate
from ocpp16.cli.running import Ending
from ocpp16.errors import StoreError
from ocpp16.observer import ObserverEvent
from ocpp16.simulation import Commands, StationOptions
from ocpp16.store.base import ChargePointChanges
from ocpp16.store.sqlite import SqliteStore


class Nobody:
    """Works no station, but begins the ending."""

    def __init__(self, ending: Ending) -> None:
        self._ending = ending

    async def notify(self, event: ObserverEvent) -> None:
        pass

    def follow(self, charge_point: ChargePoint) -> None:
        pass

    async def serve(self, commands: Commands) -> None:
        await trio.sleep(10)
        self._ending.begin("test")
        await trio.sleep_forever()

    async def metrics(self, url: str) -> None:
        pass

    async def web(self, url: str) -> None:
        pass

    async def exit(self, reason: str) -> None:
        pass


@pytest.mark.parametrize("patience", [2, 60])
async def test_a_stop_on_a_full_disk_ends_and_can_be_cut_short(
    write_configuration: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    autojump_clock: trio.testing.MockClock,
    patience: int,
) -> None:
    def full(self: SqliteStore, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        raise StoreError("disk is full")

    document = json.loads(write_configuration().read_text())
    machine = Machine(document, StationOptions(), tmp_path / "d", None, False)
    monkeypatch.setattr(SqliteStore, "apply", full)
    ending = Ending()
    with trio.CancelScope() as everything:
        everything.deadline = trio.current_time() + 10 + patience
        await operate(machine, Nobody(ending), ending)
    assert trio.current_time() <= 10 + min(patience, 10) + 2
    assert everything.cancelled_caught == (patience < 10)


async def test_a_message_log_is_where_the_option_says(
    write_configuration: Callable[..., Path], tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    document = json.loads(write_configuration().read_text())
    ending = Ending()
    machine = Machine(document, StationOptions(), None, None, False, tmp_path / "logs")
    await operate(machine, Nobody(ending), ending)
    (text,) = [path for path in (tmp_path / "logs").iterdir() if path.suffix == ".log" and ".security" not in path.name]
    assert "SYS> Connecting to " in text.read_text()


class Unplugging(Nobody):
    """Plugs a car in, and out again."""

    async def serve(self, commands: Commands) -> None:
        await commands.run("plug_in", {"connector": 1, "plug_after": 0})
        await trio.sleep(60)  # longer than any attempt, or wait for one
        await commands.run("unplug", {"connector": 1})


async def test_a_session_log_has_a_folder_for_each_session(
    write_configuration: Callable[..., Path], tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    document = json.loads(write_configuration().read_text())
    ending = Ending()
    machine = Machine(document, StationOptions(), None, None, False, session_log=tmp_path / "sessions")
    await operate(machine, Unplugging(ending), ending)
    (folder,) = (tmp_path / "sessions").iterdir()
    assert folder.name.startswith("1-1-")
    page = "".join(path.read_text() for path in folder.iterdir())
    # Which row of the connection falls into the session is up to the kernel: it refuses in its own time.
    assert any(f"<b>{row}" in page for row in ("Connecting to ", "Reconnecting in "))
