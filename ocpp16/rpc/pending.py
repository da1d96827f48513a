"""One request of ours from its making to its end, and the slot for the one that is open.

Must not know: which request is next (outbox), what an answer means (session), time but for the deadline it keeps.
Rules of this file:
1. At most one CALL is open (OCPP-J 1.6 §4.1.1). Open means: no answer to that very id, no timeout, no loss of the link.
2. An entry is alive until it was confirmed, given up or failed. Until then every id it was ever sent under finds it,
   on any connection: what a slow Central System answers to the first transmission is as good as an answer to the last.
3. An id is good for one answer. Another answer under it belongs to nothing.
"""

from collections.abc import Callable, Hashable
from enum import IntEnum
from typing import Any, Protocol

from ocpp16._core import call_text, json_bytes, json_value, validate_sending
from ocpp16.errors import CallFailed, LocalProtocolError
from ocpp16.messages.actions import ACTIONS

Payload = dict[str, Any]

MAX_IDS = 256
"""Ids kept per entry. A message that a silent peer leaves unanswered for days is sent thousands of times."""


class Lane(IntEnum):
    BOOT = 0
    TRANSACTION = 1
    """Strictly in order, kept over restarts, until answered or given up."""
    NORMAL = 2


# A member of an enumeration is found by way of Python code; these are asked for at every message.
_TRANSACTION, _NORMAL = Lane.TRANSACTION, Lane.NORMAL


class Asker:
    """Whom the end of a request is told, once and synchronously. Few have one.

    on_confirmation, on_failure: whoever gives `on_failure` waits for the answer. on_end: after either, to one who only
    wants to know that it is over. timeout: seconds to wait for the answer, None for the common one. is_patient: after
    these the request counts as timed out for all others, which go on, while its answer is still taken: until
    `Session.no_longer_asked`, which whoever waits has to call.
    """

    __slots__ = ("is_patient", "on_confirmation", "on_end", "on_failure", "timeout")

    def __init__(
        self,
        on_confirmation: Callable[[Payload], None] | None = None,
        on_failure: Callable[[CallFailed], None] | None = None,
        on_end: Callable[[], None] | None = None,
        timeout: float | None = None,
        is_patient: bool = False,
    ) -> None:
        self.is_patient: bool = is_patient
        self.on_confirmation: Callable[[Payload], None] | None = on_confirmation
        self.on_failure: Callable[[CallFailed], None] | None = on_failure
        self.on_end: Callable[[], None] | None = on_end
        self.timeout: float | None = timeout


class Entry:
    """One CALL that waits to go or for its answer.

    action, payload: as on the wire, but for what `Delivery` adds at the first write.
    sequence: order of entering, unique in a charge point; a restored entry keeps its own.
    number: journal number this message depends on; it is not sent while that is above what is durable.
    transaction, clock_boot, data_boots: for `Delivery`; not looked into here.
    latest: the latest time that the payload tells, µs UTC, for `Delivery`; 0: it is of no interest.
    attempts: transmissions that were refused or answered unreadably. timeouts: transmissions without an answer;
    silences: those among them on a link that proved alive afterwards.
    interruptions: connections in a row that ended while it was open.
    excused_on: the connection on which a SecurityError was last put down to a lost registration; 0 is none.
    due: monotonic seconds before which it does not go; 0 is at once.
    is_triggered: asked for by TriggerMessage or ExtendedTriggerMessage. is_persistent: has a row in the store.
    is_checked: the payload was found to be valid. lacks_transaction: it is known to have no transactionId yet.
    asker: see there; None if nobody is.
    size: bytes of the payload; 0 lets the outbox measure it.
    was_sent: a CALL was made of it. ids: those of CALLs that ended without their answer, the newest last. bound: what
    was sent; every transmission carries the same. It is a text, the message's own where nothing in it was corrected,
    and what comes last in it: thousands wait for their answers, and none has its text twice.
    topic: what a message of the normal lane is about; a newer one of the same topic may take its place while it waits
    (`policy.topic_of`). is_replaced: that has happened.
    """

    __slots__ = (
        "_bound",
        "_member",
        "_payload",
        "_text",
        "action",
        "asker",
        "attempts",
        "clock_boot",
        "data_boots",
        "due",
        "excused_on",
        "ids",
        "interruptions",
        "is_checked",
        "is_persistent",
        "is_replaced",
        "is_triggered",
        "lacks_transaction",
        "lane",
        "latest",
        "number",
        "sequence",
        "silences",
        "size",
        "timeouts",
        "topic",
        "transaction",
        "was_sent",
    )

    def __init__(
        self,
        action: str,
        payload: Payload | None,
        lane: Lane,
        sequence: int,
        number: int = 0,
        transaction: object | None = None,
        clock_boot: int = 0,
        data_boots: tuple[int, ...] = (),
        attempts: int = 0,
        due: float = 0.0,
        is_triggered: bool = False,
        is_persistent: bool = False,
        asker: Asker | None = None,
        size: int = 0,
        topic: Hashable = None,
        latest: int = 0,
        text: bytes | str | None = None,
    ) -> None:
        """`text`: the JSON of the payload, where that is there already; `payload` is None then."""
        self.action: str = action
        self._payload = payload
        self._text: bytes | str | None = text
        self.lane: Lane = lane
        self.sequence: int = sequence
        self.number: int = number
        self.transaction: object | None = transaction
        self.clock_boot: int = clock_boot
        self.data_boots: tuple[int, ...] = data_boots
        self.attempts: int = attempts
        self.due: float = due
        self.is_triggered: bool = is_triggered
        self.is_persistent: bool = is_persistent
        self.asker: Asker | None = asker
        self.size: int = size
        self.topic: Hashable = topic
        self.latest: int = latest
        self.timeouts: int = 0
        self.silences: int = 0
        self.interruptions: int = 0
        self.excused_on: int = 0
        self.ids: tuple[str, ...] = ()
        self.was_sent: bool = False
        self._bound: bytes | str | None = None
        self._member: bytes = b""
        self.is_checked: bool = False
        self.lacks_transaction: bool = False
        self.is_replaced: bool = False

    def __lt__(self, other: "Entry") -> bool:
        """By sequence: ten thousand that wait are a heap of themselves, without a tuple for each."""
        return self.sequence < other.sequence

    def __hash__(self) -> int:
        """By identity; compiled, a class that is compared has none of its own."""
        return id(self)

    @property
    def payload(self) -> Payload:
        """Of a message that is written down it is read anew each time: there are thousands of these."""
        if self._payload is None:
            payload: Payload = json_value(self.text())
            return payload
        return self._payload

    @payload.setter
    def payload(self, payload: Payload) -> None:
        self._payload, self._text = payload, None
        self.is_checked = False

    @property
    def bound(self) -> bytes | None:
        """The JSON of what was sent; made anew each time. None: nothing was, or it is to be made again."""
        return None if self._bound is None else whole(self._bound, self._member)

    @property
    def is_bound(self) -> bool:
        return self._bound is not None

    def bind(self, text: bytes | str | None, member: bytes = b"") -> None:
        """From here on this is sent: `text`, with `member` last in it. None: it is to be made anew."""
        self._bound, self._member = text, member

    def call(self, unique_id: str) -> bytes:
        """The CALL with what is bound. Raises as `_core.call_text`."""
        assert self._bound is not None, "it is bound first"
        return call_text(unique_id, self.action, self._bound, self._member)

    def text(self) -> bytes | str:
        """`written`, or the same as str where that is shared with somebody (`share`)."""
        return self.written() if self._text is None else self._text

    def written(self) -> bytes:
        """The payload as JSON in UTF-8, written once: wire and store share it. Raises as `_core.serialize`."""
        text = self._text
        if text is None:
            assert self._payload is not None, "an entry has the one or the other"
            text = self._text = json_bytes(self._payload)
        elif isinstance(text, str):
            text = self._text = text.encode()
        return text

    def check(self) -> None:
        """Write it down if it may be sent. Raises LocalProtocolError; then nothing has changed.

        A StopTransaction may lack its transactionId, which is added when it is sent: until then it is not checked.
        """
        action, payload = self.action, self.payload
        known = ACTIONS.get(action)
        if known is None or known.initiator == "CentralSystem":
            raise LocalProtocolError(f"{action} is no request of a charge point")
        if self.is_persistent and self.is_interactive:
            raise LocalProtocolError(f"{action} is stored although somebody waits for its answer")
        lacks_id = action == "StopTransaction" and "transactionId" not in payload
        if lacks_id:
            payload = {**payload, "transactionId": 0}
        try:
            validate_sending(action, "request", payload)
            self.write_down()
        except (ValueError, TypeError) as error:  # a ValidationError, or what cannot be written as JSON
            raise LocalProtocolError(str(error)) from error
        self.is_checked = not lacks_id

    def write_down(self) -> None:
        """Keep the text alone. Raises as `written`."""
        self.size = len(self.written())
        self._payload = None

    def share(self, text: str) -> None:
        """Hold the payload by this text, the same, which is kept elsewhere anyway: until `written` is asked for."""
        if self._payload is None:
            self._text = text

    @property
    def has_marks(self) -> bool:
        """Has it times of a clock that was not set?"""
        return self.clock_boot != 0 or any(self.data_boots)

    @property
    def is_interactive(self) -> bool:
        """Somebody waits for the answer now; asking later would be of no use."""
        if self.lane is not _NORMAL:
            return False
        return (self.asker is not None and self.asker.on_failure is not None) or self.action == "Authorize"

    @property
    def is_retried(self) -> bool:
        """Sent until it is answered or its attempts are used up."""
        return self.lane is _TRANSACTION or (self.is_persistent and self.lane is _NORMAL)


def whole(text: bytes | str, member: bytes) -> bytes:
    """A JSON object and, if there is one, the member that comes last in it."""
    if isinstance(text, str):
        text = text.encode()
    return with_member(text, member) if member else text


def with_member(text: bytes, member: bytes) -> bytes:
    """A JSON object with one member more, of a name that it does not have."""
    return b"".join((text[:-1], b"," if len(text) > 2 else b"", member, b"}"))


class Watch(Protocol):
    """Who measures: `calls.CallWatch`."""

    def queued(self, entry: Entry, older: Entry | None, now: float, outbox: Any) -> None: ...

    def forgotten(self, entry: Entry) -> None: ...

    def ended(self, call: "OpenCall", outcome: str, code: str) -> None: ...

    @property
    def violations(self) -> "Violations | None": ...


class Violations(Protocol):
    """Who is told what the Central System does against the protocol: `violations.ViolationWatch`."""

    def unasked(self, unique_id: str) -> None: ...


class OpenCall:
    """The slot for the CALL in flight, and whom an id belongs to.

    Mostly that is the one of the CALL in flight: it is no more than what is known of that. Of ids of earlier ones there
    is a table.
    """

    __slots__ = (
        "_is_owned",
        "_owners",
        "asked_at",
        "calls",
        "deadline",
        "entry",
        "is_heard",
        "is_settled",
        "opened_at",
        "unique_id",
    )

    def __init__(self) -> None:
        self.calls: Watch | None = None
        """Only where somebody measures."""
        self.entry: Entry | None = None
        self.unique_id: str = ""
        self.opened_at: float = 0.0
        self.deadline: float = 0.0
        self.is_settled: bool = False
        """The entry was answered under an earlier id; the slot stays taken until this CALL is closed as well."""
        self.is_heard: bool = False
        """Something was received since this CALL was written, so the link it went by is alive."""
        self.asked_at: float = 0.0
        """When the CALL was written whose id was answered last."""
        self._is_owned = False
        """An answer under the id of the open CALL belongs to its entry."""
        self._owners: dict[str, tuple[Entry, float]] = {}
        """Whom answers under ids of earlier CALLs belong to, and when those were written."""

    def open(self, entry: Entry, unique_id: str, now: float, timeout: float) -> None:
        if self.entry is not None:
            raise AssertionError("a second CALL in flight")
        self.entry, self.unique_id, self.is_settled, self.is_heard = entry, unique_id, False, False
        self.opened_at = now
        self.deadline = now + timeout
        self._is_owned = True
        entry.was_sent = True

    def open_for(self, now: float) -> float:
        """Seconds since the CALL that is open was written; 0: there is none."""
        return 0.0 if self.entry is None else now - self.opened_at

    def close(self, outcome: str = "lost", code: str = "") -> Entry | None:
        """Free the slot: `outcome` of the CALL is "result", "error" (with its code), "timeout", or "lost" with the
        connection. Returns the entry if it still waits for an answer."""
        if self.calls is not None:
            self.calls.ended(self, outcome, code)
        if self._is_owned and self.entry is not None:
            self._owners[self.unique_id] = (self.entry, self.opened_at)
            ids = (*self.entry.ids, self.unique_id)
            for forgotten in ids[: 1 - MAX_IDS]:  # that of the next CALL comes to them
                self._owners.pop(forgotten, None)
            self.entry.ids = ids[1 - MAX_IDS :]
        entry = None if self.is_settled else self.entry
        self.entry, self.unique_id, self.is_settled, self._is_owned = None, "", False, False
        return entry

    def answered(self, unique_id: str) -> Entry | None:
        """Whom an answer under this id belongs to; the id is used up."""
        if self._is_owned and unique_id == self.unique_id:
            self._is_owned = False
            self.asked_at = self.opened_at
            return self.entry
        owner = self._owners.pop(unique_id, None)
        if owner is None:
            return None
        entry, self.asked_at = owner
        return entry

    def counts_late(self, unique_id: str | None) -> bool:
        """Does an answer to this id count when the connection is gone already: to a message of a transaction, which
        would be sent again else?"""
        if self._is_owned and unique_id == self.unique_id:
            return self.entry is not None and self.entry.lane is _TRANSACTION
        owner = None if unique_id is None else self._owners.get(unique_id)
        return owner is not None and owner[0].lane is _TRANSACTION

    def unasked(self, unique_id: str) -> None:
        """An answer came that belongs to nobody."""
        if self.calls is not None and self.calls.violations is not None:
            self.calls.violations.unasked(unique_id)

    def forget(self, entry: Entry) -> None:
        """The entry came to its end: nothing finds it any more."""
        if entry is self.entry:
            self._is_owned = False
        if self._owners:
            for unique_id in entry.ids:
                self._owners.pop(unique_id, None)
        if self.calls is not None:
            self.calls.forgotten(entry)
