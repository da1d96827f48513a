"""The process is killed, or the power goes: what was acknowledged is there, and what belongs together is together."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ocpp16.state.transaction import Transaction
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import message_queue, settings, transactions

# Starts transaction after transaction. A line tells the highest key that `wait_durable` let pass.
WRITER = """
import sys
import trio
from ocpp16.state.transaction import Transaction
from ocpp16.store.journal import Journal
from ocpp16.store.sqlite import SqliteStore
from ocpp16.store.tables import message_queue, transactions
from ocpp16.testing.contracts import LossyStore

async def main():
    commits = iter(range(10**9))
    lost = int(sys.argv[2])
    store = LossyStore(SqliteStore.open(sys.argv[1]), lose=lambda batches: next(commits) == lost)
    journal = Journal(store)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(journal.run)
        for key in range(1, 100_000):
            number = journal.append(
                f"cp{key % 3}",
                transactions.put(Transaction(key, 1, str(key), "TAG", 1, 2)),
                message_queue.put(message_queue.MessageRow(key, 1, "StartTransaction", {}, transaction_key=key)),
            )
            if key % 4 == 0:
                await journal.wait_durable(number)
                print(key, flush=True)

trio.run(main)
"""


def killed_after(path: Path, lines: int, lost_commit: int = -1) -> int:
    """Run the writer, kill it after so many acknowledgements. Returns the last key acknowledged."""
    command = [sys.executable, "-c", WRITER, str(path), str(lost_commit)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(lines):
            acknowledged = child.stdout.readline()
        child.kill()
        # What it wrote before it died was acknowledged as well.
        for line in child.stdout:
            if line.endswith("\n"):
                acknowledged = line
    return int(acknowledged)


def missing(path: Path, acknowledged: int) -> set[int]:
    """Keys up to `acknowledged` that are not there; a transaction without its message, or the reverse, fails."""
    store = SqliteStore.open(path)
    assert store.detail == ""
    found: set[int] = set()
    for n in range(3):
        keys = [transaction.key for transaction in transactions.read(store.load(f"cp{n}", transactions.TABLE))]
        queued = message_queue.read(store.load(f"cp{n}", message_queue.TABLE))
        assert keys == [message.transaction_key for message in queued]
        found.update(keys)
    store.close()
    return set(range(1, acknowledged + 1)) - found


@pytest.mark.kills
@pytest.mark.parametrize("seed", range(int(os.environ.get("OCPP16_KILLS", "3"))))
def test_kill_loses_nothing_acknowledged(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "db"
    acknowledged = killed_after(path, random.Random(seed).randrange(1, 60))
    assert missing(path, acknowledged) == set()


@pytest.mark.kills
def test_a_lost_commit_would_be_found(tmp_path: Path) -> None:
    path = tmp_path / "db"
    acknowledged = killed_after(path, 20, lost_commit=5)
    assert missing(path, acknowledged) != set()


# Asks for change after change of one key. A line tells each that was put in force; every third one is withdrawn, some
# of them while a thread writes them.
ASKER = """
import sys
import trio
from ocpp16.errors import StoreError
from ocpp16.store.open import open_store
from ocpp16.store.tables import settings

async def main():
    state = {"x": 0}
    row = lambda value: [settings.put(settings.SettingRow("x", value))]

    def ask(journal, value):
        def apply():
            state["x"] = value
            print(value, flush=True)
        return journal.propose("cp", row(value), apply=apply, restore=lambda: row(state["x"]))

    async with open_store(sys.argv[1]) as journal:
        for n in range(1, 100_000):
            asked = ask(journal, n)
            if n % 3:
                await asked.wait(60)
            else:
                for _ in range(n % 7):
                    await trio.lowlevel.checkpoint()
                if not asked.withdraw():
                    continue
                await journal.wait_durable(journal.number)

trio.run(main)
"""


@pytest.mark.kills
@pytest.mark.parametrize("seed", range(int(os.environ.get("OCPP16_KILLS", "3"))))
def test_kill_leaves_what_was_in_force_or_was_just_being_asked(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "db"
    with subprocess.Popen([sys.executable, "-c", ASKER, str(path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(random.Random(seed).randrange(1, 200)):
            last = child.stdout.readline()
        child.kill()
        for line in child.stdout:
            if line.endswith("\n"):
                last = line
    in_force = int(last)
    store = SqliteStore.open(path)
    ((_, value),) = settings.read(store.load("cp", settings.TABLE))
    store.close()
    # Stored and not yet told are at most the one after it, and the one after a withdrawn one.
    assert in_force <= value <= in_force + 2


@pytest.mark.parametrize("seed", range(40))
def test_power_cut_within_the_log_leaves_whole_commits(tmp_path: Path, seed: int) -> None:
    """The log ends anywhere, or in garbage, as flash leaves it: what is found is a beginning of the whole."""
    store = SqliteStore.open(tmp_path / "first")
    for key in range(1, 21):
        start = transactions.put(Transaction(key, 1, str(key), "TAG", 1, 2))
        message = message_queue.put(message_queue.MessageRow(key, 1, "StartTransaction", {}, transaction_key=key))
        store.apply([("cp", [start, message])])
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"first{suffix}", tmp_path / f"db{suffix}")
    store.close()
    log = tmp_path / "db-wal"
    content = log.read_bytes()
    rng = random.Random(seed)
    cut = rng.randrange(len(content)) if seed else len(content)
    log.write_bytes(content[:cut] + (rng.randbytes(len(content) - cut) if seed % 2 else b""))

    store = SqliteStore.open(tmp_path / "db")
    assert store.detail == ""
    keys = [transaction.key for transaction in transactions.read(store.load("cp", transactions.TABLE))]
    assert keys == list(range(1, len(keys) + 1))
    assert keys == [message.sequence for message in message_queue.read(store.load("cp", message_queue.TABLE))]
    assert seed or len(keys) == 20
    store.close()
