"""The charge point of a long run, its Central System and the network between them: `Site`.

It begins and ends lives, sends what the Central System asks, keeps what was told, and compares after each start what is
in force with what was asked for and answered (in_force.py). What happens is up to others (long_run_acts.py,
long_run_troubles.py).
"""

import json
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from bad_network import BadNetwork
from in_force import UNKNOWN, Change, Subject
from long_run_configuration import CONNECTORS, IDENTITY, KEYS, LOG_COUNT, LOG_SIZE, varied
from long_run_files import file_problems, memory
from long_run_record import ACCEPTING, Record, last_statuses
from patience import PATIENCE
from programs import CentralSystemProgram, ChargePointProgram, ProgramError

ANSWER_WAIT = 1.0
"""Seconds for which the Central System waits for an answer, on a machine that has nothing else to do."""
MEMORY_LIMIT = 200 << 20
"""Bytes that the process may have had in memory; it begins with some 60 MiB."""


class Site:
    """Parameters: `csms` the running Central System; `network` leads to it; `folder` keeps the charge point between its
    lives; `launcher` are the interpreter's arguments that stand for our command, if not it.
    """

    def __init__(
        self,
        csms: CentralSystemProgram,
        network: BadNetwork,
        folder: Path,
        seed: int,
        launcher: Sequence[str] = ("-m", "ocpp16"),
    ) -> None:
        self.csms = csms
        self.network = network
        self.random = Random(seed)
        self.record = Record(csms.lines)
        self.told: list[dict[str, Any]] = []
        """Events of all lives, in order."""
        self.found: list[str] = []
        """What was wrong on the way."""
        self.kills = 0
        self.compared = 0
        """Values that were compared with what was asked for."""
        self.running: dict[int, dict[str, Any]] = {}
        """Connector → the event that told its transaction, with the id it was given."""
        self.staying: set[int] = set()
        """Connectors with a car that does not leave by itself."""
        self.numbers = 0
        """Of id tags, requests, lists: each new one is another."""
        self.reserved: dict[int, tuple[int, str]] = {}
        """What was reserved once: number → connector and id tag; it may be gone."""
        self.spent: set[str] = set()
        """Id tags that were shown: every transaction has its own."""
        self.program: ChargePointProgram
        self.seed = seed
        self.pace = 1.0
        """How many times longer things take on this machine, as far as is known."""
        self.is_alive = False
        """Is there a process?"""
        self.patience = 0.8
        """How often the Central System waits for the answer to what it asked."""
        self.folder = folder
        self._launcher = launcher
        self._told_up_to = 0
        self._subjects: dict[str, Subject] = {}
        self._unanswered: set[str] = set()
        """Calls of this life."""
        self._local: dict[str, bool] = {}
        """Verdicts of what was asked for at the charge point itself."""
        self._configuration = varied(self.random, network.url)

    # Lives

    def start(self) -> None:
        """Begin a life, wait until it serves commands, and compare what is in force."""
        began = time.monotonic()
        self._begin()
        self._find_running(self.program.do("status"))
        self.pace = max(1.0, time.monotonic() - began)
        self.compare()

    def be_stillborn(self) -> None:
        """A life that is killed while it begins."""
        self._begin()
        time.sleep(self.random.uniform(0, self.pace))
        self.kill()

    def _begin(self) -> None:
        random = self.random
        station = {
            "authorization_before_stopping": random.random() < 0.5,
            "lock": [True, random.random() < 0.5],
            "meter_interval": random.choice((0.2, 0)),
            "meter_reset_at_plug_in": random.random() < 0.5,
            "power_loss_policy": random.choice(("stop", "resume")),
            "seed": self.seed,
            "selection": random.choice(("FindFirst", "UserInput")),
            "sharing": random.choice(("equal", "first_come", "proportional", "off")),
        }
        self.program = ChargePointProgram(
            self.folder,
            self._configuration,
            station,
            launcher=self._launcher,
            options=(
                *("--message-log", str(self.folder / "logs")),
                *("--session-log", str(self.folder / "sessions")),
            ),
        )
        self.is_alive = True
        self._told_up_to = 0

    def _find_running(self, status: Mapping[str, Any]) -> None:
        """Transactions that go on from the life before."""
        sessions = {one["session"]: one["transaction_id"] for one in status["connectors"] if one["session"]}
        for event in self.told:
            if event.get("phase") == "started" and event["session_id"] in sessions:
                self.running[event["connector"]] = {**event, "transaction_id": sessions[event["session_id"]]}

    def kill(self) -> None:
        """kill -9."""
        self._before_the_end()
        self.program.kill()
        self.kills += 1
        self._after_the_end()

    def freeze(self, seconds: float) -> None:
        """The process does not get on, as on a machine that is suspended or overloaded."""
        self.program.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.program.process.send_signal(signal.SIGCONT)

    def end_in_order(self, how: str) -> None:
        """The end of its input, or SIGTERM."""
        self._before_the_end()
        if how == "signal":
            self.program.process.terminate()
        self.program.close()
        self._after_the_end()
        if self.program.process.returncode != 0:
            self.found.append(f"ended by {how} it exits with {self.program.process.returncode}")
        if self.program.lines[-1].get("event") != "exit":
            self.found.append(f"its last line is {self.program.lines[-1]}")

    def _before_the_end(self) -> None:
        if self.program.process.poll() is not None:
            raise AssertionError(f"it ended by itself with {self.program.process.returncode}")
        most = memory(self.program.process.pid)
        if most > MEMORY_LIMIT:
            self.found.append(f"it had {most >> 20} MiB in memory")

    def _after_the_end(self) -> None:
        self.look()
        self.is_alive = False
        self.running.clear()
        self.staying.clear()
        self._unanswered.clear()
        self.found += file_problems(self.folder, log_size=LOG_SIZE, log_count=LOG_COUNT)

    def look(self) -> None:
        """Take in what it told since."""
        lines = self.program.lines
        while self._told_up_to < len(lines):
            event = lines[self._told_up_to]
            self._told_up_to += 1
            if "event" not in event:
                if not event["ok"] and event["code"] not in ("refused",):
                    self.found.append(f"a command failed: {event}")
                continue
            self.told.append(event)
            if event["event"] == "internal_error":
                self.found.append(f"{event}")
            elif event["event"] == "transaction":
                self._transaction(event)

    def _transaction(self, event: dict[str, Any]) -> None:
        connector = event["connector"]
        if event["phase"] == "started":
            self.running[connector] = dict(event)
        elif event["phase"] == "stopped":
            self.running.pop(connector, None)
        elif event["phase"] == "confirmed" and connector in self.running:
            self.running[connector]["transaction_id"] = event["transaction_id"]

    def drain(self) -> None:
        """Wait until nothing is left to tell. What was set aside is due again with each connection."""
        deadline = time.monotonic() + PATIENCE
        next_connection = 0.0
        while time.monotonic() < deadline:
            self.program.do("resend_dead_letters")
            status = self.program.do("status")
            is_idle = not any(connector["session"] for connector in status["connectors"])
            is_delivered = status["queue_depth"] == 0 and not self.program.do("dead_letters")
            if status["connection"] and is_idle and is_delivered and self._is_told(status):
                return
            for connector in status["connectors"]:  # where nobody ends it by taking the car away
                if connector["transaction_id"] is not None:
                    self.ask("RemoteStopTransaction", {"transactionId": connector["transaction_id"]})
            if time.monotonic() > next_connection:
                self.network.cut(in_order=True)
                next_connection = time.monotonic() + 10 * self.pace
            time.sleep(0.1)
        raise AssertionError(f"not drained within {PATIENCE:g} s: {status}")

    def _is_told(self, status: Mapping[str, Any]) -> bool:
        """Does the Central System know what each connector is?"""
        self.record.read()
        told = last_statuses(self.record.calls)
        return all(told.get(one["connector"]) == one["status"] for one in status["connectors"])

    # The Central System asks

    def ask(self, action: str, payload: Mapping[str, Any], *, wait: bool = True, **effects: tuple[Change, str]) -> str:
        """Send a call; `effects`: what it does to which subject if it is accepted, and its description. `wait` for the
        answer, if one can come. Returns the message id.
        """
        self.numbers += 1
        unique_id = f"{self.seed}-{self.numbers}"
        for subject, (change, what) in effects.items():
            self.subject(subject).ask(unique_id, change, what)
        self._unanswered.add(unique_id)
        text = json.dumps([2, unique_id, action, payload])
        # Not waited for: a closing connection with nobody at its other end keeps who writes to it for minutes.
        number = self.csms.send("post", identity=IDENTITY, text=text)
        if wait:
            self.wait_for(lambda: self.record.has_answer(unique_id) or not self.record.replies.get(number, True))
        else:
            self.wait_for(lambda: self.record.has_ended(number))
        return unique_id

    def change_here(
        self, command: str, *, wait: bool, effects: Mapping[str, tuple[Change, str]], **members: Any
    ) -> None:
        """Ask at the charge point itself; `effects` as of `ask`. Not while a call may still be under way: nobody could
        tell which of the two comes first.
        """
        self.record.read()
        self._unanswered -= self.record.answers.keys()
        if self._unanswered:
            return
        self.numbers += 1
        unique_id = f"here-{self.numbers}"
        for subject, (change, what) in effects.items():
            self.subject(subject).ask(unique_id, change, f"{what} (here)")
        if not wait:
            self.program.send(command, **members)
            return
        try:
            result = self.program.do(command, **members)
            self._local[unique_id] = result in ACCEPTING or result is True
        except ProgramError:
            self._local[unique_id] = False

    def wait_for(self, is_true: Callable[[], bool]) -> None:
        """As long as somebody would who wants to go on."""
        deadline = time.monotonic() + self.pace * ANSWER_WAIT
        while not is_true() and time.monotonic() < deadline and self.program.process.poll() is None:
            time.sleep(0.005)

    # What is in force

    def subject(self, name: str, value: Any = UNKNOWN) -> Subject:
        """`value`: what it is before anything was asked for."""
        return self._subjects.setdefault(name, Subject(name, value))

    def compare(self) -> None:
        """What is in force must be what was accepted; what nobody answered may be, too."""
        verdicts = self.record.verdicts() | self._local
        for name, value in self._in_force().items():
            self.compared += 1
            wrong = self.subject(name).seen(value, verdicts)
            if wrong is not None:
                self.found.append(wrong)

    def _in_force(self) -> dict[str, Any]:
        do = self.program.do
        answer = do("get_configuration", keys=list(KEYS))
        keys = {entry["key"]: entry.get("value") for entry in answer["configurationKey"]}
        found = do("local_list", most=1000)
        profiles = [one for one in do("charging_profiles") if one["purpose"] != "TxProfile"]
        return {
            **{f"key_{key}": keys.get(key) for key in KEYS},
            "local_list": (
                found["version"],
                frozenset((entry["id_tag"], entry["status"]) for entry in found["entries"]),
            ),
            "profiles": frozenset(
                (one["id"], one["connector"], one["purpose"], one["stack_level"]) for one in profiles
            ),
            **self._reservations(),
            **self._availability(),
        }

    def _reservations(self) -> dict[str, Any]:
        kept = {one["reservation_id"]: (one["connector"], one["id_tag"]) for one in self.program.do("reservations")}
        for number in kept.keys() - self.reserved.keys():
            self.found.append(f"reservation {number} is there again, or was never asked for")
        asked = self.reserved
        self.reserved = {number: asked[number] for number in kept.keys() & asked.keys()}
        return {f"reservation_{number}": kept.get(number) for number in asked}

    def _availability(self) -> dict[str, Any]:
        """As it is stored, for a connector at work does not show it; the others must be what is stored."""
        (path,) = self.folder.rglob("*.db")
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            rows = dict(database.execute("SELECT connector_id, availability FROM availability"))
        kinds = {connector: rows.get(connector, "Operative") for connector in CONNECTORS}
        deadline = time.monotonic() + PATIENCE
        while others := [
            one
            for one in self.program.do("status")["connectors"]
            if not one["session"] and (one["status"] == "Unavailable") != (kinds[one["connector"]] == "Inoperative")
        ]:
            if time.monotonic() > deadline:
                self.found.append(f"availability is {kinds}, and {others}")
                break
            time.sleep(0.01)
        return {f"availability_{connector}": kind for connector, kind in kinds.items()}
