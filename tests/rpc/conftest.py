"""The rpc machines on a bench: one Session, a Central System made of parse and serialize, and a number as the time."""

from collections.abc import Callable
from itertools import count
from math import inf
from typing import Any

import pytest

from ocpp16._core import Call, CallError, CallResult, parse, serialize
from ocpp16.enums import RegistrationStatus
from ocpp16.errors import CallFailed
from ocpp16.models import Counters
from ocpp16.rpc.pending import Asker, Entry, Lane, Payload
from ocpp16.rpc.policy import OutboxLimits, RetryRules
from ocpp16.rpc.replies import OutgoingFrame
from ocpp16.rpc.session import Session
from ocpp16.rpc.tolerance import Tolerance

NOON = "2026-03-01T12:00:00.000Z"

REQUESTS: dict[str, Payload] = {
    "Authorize": {"idTag": "AA"},
    "BootNotification": {"chargePointModel": "M", "chargePointVendor": "V"},
    "DataTransfer": {"vendorId": "v"},
    "Heartbeat": {},
    "MeterValues": {"connectorId": 1, "meterValue": [{"timestamp": NOON, "sampledValue": [{"value": "1"}]}]},
    "SecurityEventNotification": {"type": "StartupOfTheDevice", "timestamp": NOON},
    "StartTransaction": {"connectorId": 1, "idTag": "AA", "meterStart": 5, "timestamp": NOON},
    "StatusNotification": {"connectorId": 1, "errorCode": "NoError", "status": "Available"},
    "StopTransaction": {"meterStop": 9, "timestamp": NOON},
}
CONFIRMATIONS: dict[str, Payload] = {
    "Authorize": {"idTagInfo": {"status": "Accepted"}},
    "BootNotification": {"currentTime": NOON, "interval": 300, "status": "Accepted"},
    "DataTransfer": {"status": "Accepted"},
    "Heartbeat": {"currentTime": NOON},
    "StartTransaction": {"idTagInfo": {"status": "Accepted"}, "transactionId": 77},
}
LANES = {
    "BootNotification": Lane.BOOT,
    "MeterValues": Lane.TRANSACTION,
    "SecurityEventNotification": Lane.TRANSACTION,
    "StartTransaction": Lane.TRANSACTION,
    "StopTransaction": Lane.TRANSACTION,
}


class Ledger:
    """A Delivery that keeps rows in a dict and writes down what it is told."""

    def __init__(self) -> None:
        self.rows: dict[int, Entry] = {}
        self.told: list[tuple[Any, ...]] = []
        self.bound: list[int] = []
        self.known_id: int | None = 77

    def of(self, what: str) -> list[int]:
        return [row[1] for row in self.told if row[0] == what]

    def transaction_id(self, entry: Entry) -> int | None:
        return self.known_id if entry.action == "StopTransaction" else None

    def corrected(self, entry: Entry) -> Payload | None:
        self.bound.append(entry.sequence)
        return None

    def confirmed(self, entry: Entry, payload: Payload) -> None:
        self.told.append(("confirmed", entry.sequence, payload))
        del self.rows[entry.sequence]

    def partly_confirmed(self, entry: Entry, payload: Payload) -> None:
        self.told.append(("partly confirmed", entry.sequence, payload))

    def set_aside(self, entry: Entry, waiting: int) -> None:
        self.told.append(("set aside", entry.sequence, waiting))

    def attempted(self, entry: Entry) -> None:
        self.told.append(("attempted", entry.sequence, entry.attempts))

    def given_up(self, entry: Entry, reason: str) -> None:
        self.told.append(("given up", entry.sequence, reason))
        del self.rows[entry.sequence]

    def dropped(self, entry: Entry) -> None:
        self.told.append(("dropped", entry.sequence))
        del self.rows[entry.sequence]


class Line:
    """Both ends of one connection. `now` and `durable` are what the session is told."""

    def __init__(
        self,
        *,
        ledger: Ledger | None = None,
        retry: RetryRules | None = None,
        limits: OutboxLimits | None = None,
        tolerance: Tolerance = Tolerance.DEFAULT,
        accepted: bool = True,
        connected: bool = True,
        **options: Any,
    ) -> None:
        self.now = 1000.0
        self.durable = 0
        self.ledger = ledger or Ledger()
        self.counters = Counters()
        self.invalid: list[tuple[str, str]] = []
        self.ends: list[tuple[int, str, Any]] = []
        """(sequence, "confirmed" or the reason of the failure, payload or CallFailed) of entries with hooks."""
        self.sent: list[Call] = []
        """CALLs in the order in which they left."""
        self.replies: list[CallResult | CallError] = []
        self.raw: list[bytes] = []
        numbers = count(1)
        self._sequences = count(1)
        self.session = Session(
            delivery=self.ledger,
            new_id=lambda: f"id-{next(numbers)}",
            counters=self.counters,
            tolerance=tolerance,
            retry=retry or RetryRules(attempts=3, interval=60.0),
            limits=limits,
            on_invalid=lambda text, why: self.invalid.append((text, why)),
            **options,
        )
        if connected:
            self.session.connection_made(self.now)
        if accepted:
            self.session.set_registration(RegistrationStatus.ACCEPTED, self.now)

    # Our side

    def entry(self, action: str, payload: Payload | None = None, *, waits: bool = False, **members: Any) -> Entry:
        lane = members.pop("lane", LANES.get(action, Lane.NORMAL))
        timeout = members.pop("timeout", None)
        entry = Entry(
            action,
            dict(REQUESTS[action]) if payload is None else payload,
            lane,
            members.pop("sequence", None) or next(self._sequences),
            is_persistent=members.pop("is_persistent", lane is Lane.TRANSACTION),
            **members,
        )
        if waits:
            entry.asker = Asker(
                lambda payload: self.ends.append((entry.sequence, "confirmed", payload)),
                self._failed(entry),
                timeout=timeout,
            )
        elif timeout is not None:
            entry.asker = Asker(timeout=timeout)
        return entry

    def _failed(self, entry: Entry) -> Callable[[CallFailed], None]:
        return lambda failure: self.ends.append((entry.sequence, failure.reason, failure))

    def put(self, action: str, payload: Payload | None = None, **members: Any) -> Entry:
        """Make an entry and enqueue it, whatever comes of it."""
        entry = self.entry(action, payload, **members)
        if entry.is_persistent:
            self.ledger.rows[entry.sequence] = entry
        self.session.enqueue(entry, self.now)
        return entry

    def take(self) -> list[str]:
        """Let the session write all it has. Returns the actions of CALLs, "result" and "error" for replies."""
        names = []
        while (written := self.session.next_frame(self.now, self.durable)) is not None:
            self.raw.append(written.data)
            frame = parse(written.data)
            assert frame.unique_id == written.unique_id
            if isinstance(frame, Call):
                assert written.action == frame.action
                self.sent.append(frame)
                names.append(frame.action)
            else:
                self.replies.append(frame)
                names.append("result" if isinstance(frame, CallResult) else "error")
            if written.then is not None:
                written.then()
        return names

    def advance(self, seconds: float) -> list[str]:
        """Let time pass, stopping at every deadline. Returns what was written meanwhile."""
        end, names = self.now + seconds, self.take()
        while (due := self.session.deadline(self.durable)) <= end:
            self.now = max(self.now, due)
            self.session.on_time(self.now)
            written = self.take()
            assert written or self.session.deadline(self.durable) > self.now, "a deadline at which nothing happens"
            names += written
        self.now = end
        return names

    def wait(self) -> list[str]:
        """Let time pass until the next CALL goes out. Returns what was written; nothing if there is none to go."""
        assert self.session.in_flight is None
        due = self.session.deadline(self.durable)
        return [] if due == inf else self.advance(max(0.0, due - self.now))

    @property
    def in_flight(self) -> Entry:
        """The request that is open; there is one."""
        entry = self.session.in_flight
        assert entry is not None
        return entry

    def frame(self) -> OutgoingFrame:
        """The next frame, which nobody has written yet; there is one."""
        frame = self.session.next_frame(self.now, self.durable)
        assert frame is not None
        return frame

    def lose(self) -> None:
        self.session.connection_lost(self.now)

    def connect(self, resume_delay: float = 0.0) -> None:
        self.session.connection_made(self.now, resume_delay)

    # Their side

    def receive(self, text: str | bytes) -> Call | None:
        """A frame arrives, as the link hands it in."""
        self.session.heard(self.now)
        return self.session.receive(text, self.now)

    def call(self, action: str, payload: Payload | None = None, unique_id: str = "cs-1") -> Call | None:
        return self.receive(serialize(Call(unique_id, action, payload or {})))

    def handed_out(self, action: str, payload: Payload | None = None) -> Call:
        """As `call`; the session hands it out to be handled."""
        call = self.call(action, payload)
        assert call is not None
        return call

    def answer(self, payload: Payload | None = None, unique_id: str | None = None) -> None:
        """Confirm the last CALL, or the one with this id."""
        call = next(call for call in reversed(self.sent) if unique_id in (None, call.unique_id))
        confirmation = CONFIRMATIONS.get(call.action, {}) if payload is None else payload
        self.receive(serialize(CallResult(call.unique_id, confirmation)))

    def refuse(self, code: str = "InternalError", unique_id: str | None = None, description: str = "no") -> None:
        unique_id = unique_id or self.sent[-1].unique_id
        self.receive(serialize(CallError(unique_id, code, description)))

    def drain(self, limit: int = 100) -> list[str]:
        """Confirm everything until nothing is written any more."""
        names = self.take()
        for _ in range(limit):
            if self.session.in_flight is None:
                return names
            self.answer()
            names += self.take()
        raise AssertionError("the queue does not end")


@pytest.fixture
def line() -> Line:
    """A line that is connected and accepted."""
    return Line()


@pytest.fixture(scope="session")
def new_line() -> type[Line]:
    return Line


@pytest.fixture(scope="session")
def new_ledger() -> type[Ledger]:
    return Ledger
