"""A charge point that is killed over and over while cars come and go, with a Central System that is not always there.

`Campaign` does it with seeded chance; `Campaign.problems` is the verdict of transaction_check.py on what the Central
System saw. Moments are of two kinds: after some time, and when a certain request has just arrived and is not answered.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from patience import PATIENCE

MOMENTS = ("BootNotification", "StatusNotification", "StartTransaction", "MeterValues", "StopTransaction")
"""Requests upon which the charge point may be killed."""

CONNECTORS = (1, 2)
QUICK_START = 1.0
"""Seconds until the first line of a charge point on a machine that has nothing else to do."""


def configuration(url: str) -> dict[str, Any]:
    """Of the charge point: quick samples, quick retries."""
    return {
        "Internal": {
            "ChargePointId": "cp001",
            "CentralSystemURI": url,
            "ChargePointModel": "Model",
            "ChargePointVendor": "Vendor",
            "RetryBackoffWaitMinimum": 1,
            "RetryBackoffRandomRange": 0,
            "RetryBackoffRepeatTimes": 0,
            "LogMessages": False,
            **dict.fromkeys(("StationTimeout", "StopTimeout", "StoreTimeout"), int(PATIENCE)),
        },
        "Core": {
            "NumberOfConnectors": len(CONNECTORS),
            "AllowOfflineTxForUnknownId": True,
            "MeterValueSampleInterval": 1,
            "StopTxnSampledData": "Energy.Active.Import.Register",
            "TransactionMessageRetryInterval": 1,
        },
        "Security": {"SecurityProfile": 0},
    }


class Campaign:
    """Parameters: `programs` and `transaction_check`, the modules; `csms` a CentralSystemProgram; `folder` keeps the
    charge point between its lives; `launcher` are the interpreter's arguments that stand for our command, if not it.
    """

    def __init__(
        self,
        programs: ModuleType,
        transaction_check: ModuleType,
        csms: Any,
        folder: Path,
        seed: int,
        launcher: Sequence[str] = (),
    ) -> None:
        self.told: list[dict[str, Any]] = []
        """Events of all lives, in order."""
        self.kills = 0
        self._programs = programs
        self._check = transaction_check
        self._csms = csms
        self._folder = folder
        self._random = Random(seed)
        self._launcher = launcher
        self._tags = 0
        self._plugged: set[int] = set()
        self._is_reachable = True
        self._pace = 1.0
        """How many times longer things take on this machine, as far as is known."""

    def run(self, kills: int) -> None:
        """Kill it `kills` times; then let it live until all is told. Raises AssertionError if that takes too long."""
        for _ in range(kills):
            self._live_and_die()
        self.finish()

    def charge_offline_and_die(self) -> None:
        """A car charges while there is no Central System; once that is told, the power goes."""
        self._reach(False)
        program = self._start()
        try:
            program.wait_for(event="connection", connected=False)
            self._arrive(program, CONNECTORS[0], 1000.0)
            program.wait_for(event="transaction", phase="started")
        finally:
            program.kill()
        self.kills += 1
        self._keep(program)

    def finish(self) -> None:
        """Let it live, undisturbed, until all is told."""
        self._reach(True)
        self._csms.do("delay", seconds=0)
        with self._start() as program:
            program.wait_for(event="boot")
            for connector_id in CONNECTORS:
                program.do("unplug", connector=connector_id)
            self._drain(program)
            self._keep(program)

    def _start(self) -> Any:
        policy = self._random.choice(("stop", "resume"))
        return self._programs.ChargePointProgram(
            self._folder,
            configuration(self._csms.url),
            {"meter_interval": 0.2, "power_loss_policy": policy},
            launcher=self._launcher,
        )

    def _keep(self, program: Any) -> None:
        self.told += [line for line in program.lines if "event" in line]

    # One life

    def _live_and_die(self) -> None:
        random = self._random
        self._csms.do("delay", seconds=random.choice((0, 0, 0.05, 0.2)))
        began = time.monotonic()
        program = self._start()
        try:
            if random.random() < 0.75:
                program.wait_until(lambda: program.lines, "first line")
                self._pace = max(1.0, (time.monotonic() - began) / QUICK_START)
            moment, seen = random.choice((None, *MOMENTS)), len(self._csms.lines)
            until = time.monotonic() + self._pace * random.uniform(0.05, 3.5)
            next_act = 0.0
            while time.monotonic() < until and not (moment and self._has_arrived(moment, seen)):
                if time.monotonic() >= next_act:
                    self._act(program)
                    next_act = time.monotonic() + self._pace * random.uniform(0.02, 0.6)
                time.sleep(0.005)
        finally:
            program.kill()
        self.kills += 1
        self._plugged.clear()
        self._keep(program)

    def _has_arrived(self, action: str, seen: int) -> bool:
        return any(
            line.get("event") == "received" and f'"{action}"' in line["text"] for line in self._csms.lines[seen:]
        )

    def _act(self, program: Any) -> None:
        """Something happens in front of the station, or to its connection."""
        random = self._random
        if random.random() < 0.2:
            self._reach(not self._is_reachable)
            return
        connector_id = random.choice(CONNECTORS)
        if connector_id in self._plugged:
            if random.random() < 0.4:
                self._plugged.discard(connector_id)
                program.send("unplug", connector=connector_id)
            return
        self._plugged.add(connector_id)
        self._arrive(program, connector_id, random.choice((0.5, 1000.0)))

    def _arrive(self, program: Any, connector_id: int, leaves_after: float) -> None:
        """A car and a card, in the place of whatever was there."""
        self._tags += 1
        program.send("unplug", connector=connector_id)
        program.send("plug_in", connector=connector_id, plug_after=0, draw_after=0, draw_for=leaves_after)
        program.send("present_id_tag", id_tag=f"TAG{self._tags}", connectors=[connector_id])

    def _reach(self, is_reachable: bool) -> None:
        self._is_reachable = is_reachable
        self._csms.do("listen" if is_reachable else "stop")

    def _drain(self, program: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            status = program.do("status")
            is_idle = not any(connector["session"] for connector in status["connectors"])
            if status["connection"] and is_idle and status["queue_depth"] == 0:
                return
            time.sleep(0.05)
        raise AssertionError(f"not drained within {PATIENCE:g} s: {status}")

    # What came of it

    @property
    def facts(self) -> list[Any]:
        """Every transaction that was told of, over all lives."""
        return [self._check.Fact(*fact) for fact in told_of(self.told)]

    @property
    def requests(self) -> list[Any]:
        """What the Central System received, with the ids it gave."""
        return [
            self._check.Request(action, payload, transaction_id)
            for action, payload, transaction_id in received(self._csms.frames())
        ]

    @property
    def problems(self) -> list[str]:
        found: list[str] = self._check.check(self.requests, self.facts)
        return found


def told_of(events: Sequence[Mapping[str, Any]]) -> list[tuple[int, str, bool]]:
    """Connector, id tag, and whether its end was told, of every transaction in the events of all lives."""
    started: dict[str, tuple[int, str]] = {}
    ended: set[str] = set()
    for event in events:
        if event["event"] != "transaction":
            continue
        if event["phase"] == "started":
            started[event["session_id"]] = (event["connector"], event["id_tag"])
        elif event["phase"] == "stopped":
            ended.add(event["session_id"])
    return [(*who, session_id in ended) for session_id, who in started.items()]


def received(frames: Sequence[list[Any]]) -> Iterator[tuple[str, Mapping[str, Any], int | None]]:
    """Requests among all frames of a Central System, with the transaction id each StartTransaction was answered with.

    One that was not answered gets the id that the same content was answered with another time, else a negative one.
    """
    answers = {frame[1]: frame[2] for frame in frames if frame[0] == 3}
    starts = [frame for frame in frames if frame[0] == 2 and frame[2] == "StartTransaction"]
    ids = {str(frame[3]): answers[frame[1]]["transactionId"] for frame in starts if frame[1] in answers}
    for frame in frames:
        if frame[0] == 2:
            transaction_id = None
            if frame[2] == "StartTransaction":
                transaction_id = ids.setdefault(str(frame[3]), -1 - len(ids))
            yield frame[2], frame[3], transaction_id
