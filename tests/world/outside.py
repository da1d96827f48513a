"""A charge point as nobody but its neighbours sees it: by its frames, and by the JSON lines of its command.

The charge point is `ocpp16 charge-point` in a process of its own, the Central System is tests/world/csms_process.py in
another. What is asserted is what went over the wire (`expect`, `calls`) or was told on standard output (`told`). At the
end of each scenario every frame of the charge point is held against the schemas that the package `ocpp` brings, by the
validator of the package `jsonschema`; so are the ids of its calls, and that it sent one after another.

Time is real here, so nothing is proved by waiting: what must have happened is waited for, and what must not have
happened is looked for after something that had to come later (`settle`).
"""

import json
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from judge import check_message
from patience import PATIENCE
from programs import CentralSystemProgram, ChargePointProgram

Payload = dict[str, Any]

PROFILES = "Core,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"

CONFIGURATION: Mapping[str, Mapping[str, Any]] = {
    "Internal": {
        "ChargePointModel": "Model",
        "ChargePointVendor": "Vendor",
        "RetryBackoffWaitMinimum": 1,
        "RetryBackoffRandomRange": 0,
        # The station is this program itself; a slow machine is no silent station.
        **dict.fromkeys(("StationTimeout", "StopTimeout", "StoreTimeout"), int(PATIENCE)),
    },
    "Core": {
        "NumberOfConnectors": 2,
        "SupportedFeatureProfiles": PROFILES,
        "MeterValueSampleInterval": 0,
        "ClockAlignedDataInterval": 0,
        "AuthorizeRemoteTxRequests": False,
        "LocalPreAuthorize": False,
        "LocalAuthorizeOffline": True,
        "AllowOfflineTxForUnknownId": False,
        "StopTransactionOnInvalidId": True,
        "StopTransactionOnEVSideDisconnect": True,
        "UnlockConnectorOnEVSideDisconnect": True,
        "ConnectionTimeOut": 0,
        "TransactionMessageAttempts": 3,
        "TransactionMessageRetryInterval": 1,
    },
    "LocalAuthListManagement": {"LocalAuthListEnabled": True},
    "Reservation": {"ReserveConnectorZeroSupported": True},
    "SmartCharging": {
        "ChargeProfileMaxStackLevel": 99,
        "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
        "ChargingScheduleMaxPeriods": 100,
        "MaxChargingProfilesInstalled": 20,
    },
    "Security": {"SecurityProfile": 0},
}

CAR = {"plug_after": 0, "draw_after": 0, "draw_for": 1e6}
"""It is plugged in at once, draws as soon as it may, and stays."""

_identities = (f"cp{number:04}" for number in count(1))


class Outside:
    """One charge point and what its Central System knows of it.

    Parameters: `keys` are configuration keys by section, over `CONFIGURATION`; `station` the options of the simulated
    station; `speed` how many times faster its clock goes; `options` of the command. It begins without power.
    """

    def __init__(
        self,
        central_system: CentralSystemProgram,
        folder: Path,
        keys: Mapping[str, Mapping[str, Any]],
        station: Mapping[str, Any],
        speed: float = 1,
        options: Sequence[str] = (),
    ) -> None:
        self.central_system = central_system
        self.identity = next(_identities)
        self.is_answered = True
        """Set to False where the Central System leaves calls without an answer: a later call then overtakes none."""
        self.folder = folder
        """Its main directory."""
        # Without a scheme: which one it is follows from the security profile.
        internal = {"ChargePointId": self.identity, "CentralSystemURI": central_system.url.removeprefix("ws://")}
        self._configuration = {
            section: {**CONFIGURATION.get(section, {}), **keys.get(section, {})}
            for section in dict.fromkeys((*CONFIGURATION, *keys))
        }
        self._configuration["Internal"] |= internal
        self._station = {"meter_interval": 0, "seed": 1, **station}
        self._begin = self._read = len(central_system.lines)
        self._lines: list[tuple[str, Any]] = []
        """(received, sent, opened, closed or refused; the frame, or the line of what is none), of this one alone."""
        self._seen: dict[str, int] = {}
        """Up to where the calls of an action were expected. Of different actions none has to be the first."""
        self._told = 0
        self._ids = count(1)
        self._options = ("--speed", str(speed), *options)
        central_system.do("reset")
        self.program: ChargePointProgram

    # The charge point

    def power_up(self) -> None:
        """Start the process, on what the last one left."""
        self._told = 0
        self.program = ChargePointProgram(self.folder, self._configuration, self._station, options=self._options)

    def power_cut(self) -> None:
        """kill -9."""
        self.program.kill()

    def do(self, command: str, **members: Any) -> Any:
        """Carry out a command of the control interface. Raises ProgramError."""
        return self.program.do(command, **members)

    def told(self, event: str, **members: Any) -> Payload:
        """The next event of this name with these members."""
        wanted = {"event": event, **members}

        def find() -> int | None:
            """The number of the line after it."""
            lines = self.program.lines
            numbers = range(self._told, len(lines))
            return next((number + 1 for number in numbers if lines[number].items() >= wanted.items()), None)

        self._told = self.program.wait_until(find, f"event {wanted}")
        return self.program.lines[self._told - 1]

    def plug_in(self, connector: int = 1, **plan: Any) -> None:
        self.do("plug_in", connector=connector, **{**CAR, **plan})

    def unplug(self, connector: int = 1) -> None:
        self.do("unplug", connector=connector)

    def card(self, id_tag: str, *connectors: int) -> None:
        """Present a card to the reader of these connectors; none: of all."""
        chosen = {"connectors": list(connectors)} if connectors else {}
        self.do("present_id_tag", id_tag=id_tag, **chosen)

    def booted(self) -> None:
        """Wait until it is accepted and has told the status of all connectors."""
        self.expect("BootNotification")
        for connector in range(self._configuration["Core"]["NumberOfConnectors"] + 1):
            self.expect("StatusNotification", connectorId=connector)

    def charge(self, connector: int = 1, id_tag: str = "CARD") -> int:
        """A car comes, somebody shows a card, and it charges. Returns the transaction id."""
        self.plug_in(connector)
        self.status(connector, "Preparing")
        self.card(id_tag, connector)
        return self.charges(connector, id_tag)

    def charges(self, connector: int = 1, id_tag: str = "CARD") -> int:
        """Wait for a new transaction there. Returns its id."""
        self.expect("StartTransaction", connectorId=connector, idTag=id_tag)
        self.status(connector, "Charging")
        confirmed = self.told("transaction", connector=connector, phase="confirmed")
        number: int = confirmed["transaction_id"]
        return number

    # The Central System

    def lines(self) -> list[tuple[str, Any]]:
        lines = self.central_system.lines
        while self._read < len(lines):
            line = lines[self._read]
            self._read += 1
            if line.get("identity") == self.identity:
                is_frame = line["event"] in ("received", "sent")
                self._lines.append((line["event"], _frame(line["text"]) if is_frame else line))
        return self._lines

    def expect(self, action: str, **members: Any) -> Payload:
        """The next call of this action with these members, after the last one of this action that was expected."""
        seen = self._seen.get(action, 0)

        def is_it(line: tuple[str, Any]) -> bool:
            event, frame = line
            if event != "received" or frame[0] != 2 or frame[2] != action:
                return False
            return bool(frame[3].items() >= members.items())

        def find() -> int | None:
            """The number of the line after it."""
            lines = self.lines()
            return next((number + 1 for number in range(seen, len(lines)) if is_it(lines[number])), None)

        self._seen[action] = number = self.central_system.wait_until(find, f"{action} {members} from {self.identity}")
        payload: Payload = self._lines[number - 1][1][3]
        return payload

    def status(self, connector: int, status: str, **members: Any) -> Payload:
        """The next StatusNotification that says so."""
        return self.expect("StatusNotification", connectorId=connector, status=status, **members)

    def calls(self, action: str, **members: Any) -> list[Payload]:
        """All calls of this action with these members so far."""
        return [
            frame[3]
            for event, frame in self.lines()
            if event == "received" and frame[0] == 2 and frame[2] == action and frame[3].items() >= members.items()
        ]

    def wait_for_count(self, action: str, number: int) -> None:
        self.central_system.wait_until(lambda: len(self.calls(action)) >= number, f"{action} number {number}")

    def statuses(self, connector: int) -> list[str]:
        """What it was told to be, one after another."""
        return [payload["status"] for payload in self.calls("StatusNotification", connectorId=connector)]

    def call(self, action: str, **payload: Any) -> Payload:
        """Ask the charge point by the `ocpp` package; the payload of its confirmation, or {"error": code, …}.

        The charge point knows of its connection a moment before the Central System does, which is waited for.
        """
        self.wait_for_connection()
        answer: Payload = self.central_system.do("call", identity=self.identity, action=action, payload=payload)
        return answer

    def ask(self, action: str, **payload: Any) -> str:
        """The status it answers, or the code of its CALLERROR."""
        answer = self.call(action, **payload)
        status: str = answer.get("error") or answer["status"]
        return status

    def post(self, text: str) -> None:
        """Send it any text."""
        self.central_system.do("post", identity=self.identity, text=text)

    def ask_badly(self, action: Any, payload: Any) -> list[Any]:
        """Send a call that no schema stands before; the whole frame of its answer."""
        unique_id = f"bad-{next(self._ids)}"
        self.post(json.dumps([2, unique_id, action, payload]))
        return self.answer(unique_id)

    def answer(self, unique_id: str) -> list[Any]:
        """The CALLRESULT or CALLERROR with this id."""

        def find() -> list[Any] | None:
            answers = (frame for event, frame in self.lines() if event == "received" and frame[0] != 2)
            return next((frame for frame in answers if frame[1] == unique_id), None)

        found: list[Any] = self.central_system.wait_until(find, f"answer to {unique_id}")
        return found

    def script(self, command: str, **members: Any) -> None:
        """Change how the Central System behaves: `set`, `next`, `drop`, `delay`, `refuse`, `stop`, `listen`…"""
        self.central_system.do(command, **members)

    def answer_next(self, action: str, *answers: Payload | str | None) -> None:
        """How the next calls are answered: a payload, the code of a CALLERROR, or not at all."""
        self.script("next", action=action, answers=answers)

    def id_tag_info(self, action: str, status: str, **members: Any) -> None:
        """What Authorize, StartTransaction or StopTransaction are answered from now on."""
        answer: Payload = {"idTagInfo": {"status": status, **members}}
        if action == "StartTransaction":
            answer["transactionId"] = 7000 + next(self._ids)
        self.script("set", action=action, answer=answer)

    def settle(self) -> None:
        """Wait until everything that it had to send so far was sent and answered.

        A heartbeat is asked for, so that what came in before has been dealt with; then nothing may wait any more.
        """
        number = len(self.calls("Heartbeat"))
        assert self.ask("TriggerMessage", requestedMessage="Heartbeat") == "Accepted"
        self.wait_for_count("Heartbeat", number + 1)
        self.wait_for_queue(0, 0)
        self.script("set", action="nothing", answer=None)  # is answered behind all that was told of before

    def wait_for_queue(self, least: int, most: int) -> None:
        """Ask until so many messages wait, the one that is not answered yet among them."""
        deadline = monotonic() + PATIENCE
        while not least <= (depth := self.do("status")["queue_depth"]) <= most:
            assert monotonic() < deadline, f"{depth} messages wait"

    def be_connected(self) -> None:
        """Wait for the connection, if another scenario took it away."""
        self.do("connect")
        self.wait_for_connection()

    def wait_for_connection(self) -> None:
        """The Central System has one."""

        def is_open() -> bool:
            events = [event for event, _ in self.lines()]
            return events.count("opened") > events.count("closed")

        self.central_system.wait_until(is_open, f"connection of {self.identity}")

    def offline(self) -> None:
        """Nobody listens, and the charge point knows."""
        self.script("stop")
        self.told("connection", connected=False)

    def online(self) -> None:
        self.script("listen")
        self.do("connect")
        self.told("connection", connected=True)

    def expect_connection(self, event: str = "opened", **members: Any) -> Payload:
        """The next connection, `opened`, `closed` or `refused`, with what csms_process.py tells of it."""
        seen = self._seen.get(event, 0)

        def find() -> int | None:
            """The number of the line after it."""
            lines = self.lines()
            return next((n + 1 for n in range(seen, len(lines)) if is_it(lines[n])), None)

        def is_it(line: tuple[str, Any]) -> bool:
            return line[0] == event and bool(line[1].items() >= members.items())

        self._seen[event] = number = self.central_system.wait_until(find, f"{event} {members} of {self.identity}")
        found: Payload = self._lines[number - 1][1]
        return found

    # The end

    def check(self) -> None:
        """Nothing that the charge point sent broke a rule that holds everywhere."""
        asked: dict[str, str] = {}
        ids: set[str] = set()
        outstanding = None
        for event, frame in self.lines():
            if event in ("opened", "closed"):
                outstanding = None
            elif event == "sent" and isinstance(frame, list) and frame and frame[0] == 2 and len(frame) > 3:
                asked[str(frame[1])] = str(frame[2])
            elif event == "sent" and isinstance(frame, list) and frame[1:2] == [outstanding]:
                outstanding = None
            elif event == "received":
                kind, unique_id, *_ = frame
                if kind == 2:
                    assert unique_id not in ids, f"id {unique_id} twice"
                    assert outstanding is None or not self.is_answered, f"{frame} before the last one was answered"
                    ids.add(unique_id)
                    outstanding = unique_id
                check_message(frame, asked)
        lines = self.central_system.lines[self._begin :]
        objections = [line["error"] for line in lines if line.get("event") in ("objection", "trouble")]
        assert objections == []
        assert self.program.events("internal_error") == []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.script("reset")
            self.script("listen")
        finally:
            self.program.__exit__(kind, error, trace)
        if error is None:
            self.check()


def _frame(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
