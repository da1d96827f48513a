"""What the peer sent, as it may be used: strictly valid, or mended and counted; and the report of what may not.

Must not know: requests, replies, the connection. It raises what cannot be used; the session knows whom that concerns.
Nothing here is on the way of a frame that is right: the session parses and validates that itself.
"""

from collections.abc import Callable

from ocpp16._core import (
    Call,
    CallError,
    CallResult,
    FramingError,
    ValidationError,
    duplicate_members,
    parse,
    serialize,
    validate,
)
from ocpp16.enums import ErrorCode
from ocpp16.faults import obey_exit
from ocpp16.models import Counters
from ocpp16.rpc.folding import Folding
from ocpp16.rpc.pending import Payload
from ocpp16.rpc.tolerance import Frame, Repair, Tolerance, mend_frame, repair_code, repair_payload
from ocpp16.rpc.violations import FRAME, SCHEMA, ViolationWatch
from ocpp16.texts import shown

__all__ = ["Reading", "is_foreign"]


class Reading:
    """Reads for one session. Parameters as of `Session`."""

    __slots__ = (
        "_counters",
        "_folding",
        "_on_internal_error",
        "_on_invalid",
        "_specific_codes",
        "_violations",
        "is_strict",
        "tolerance",
    )

    def __init__(
        self,
        *,
        counters: Counters,
        tolerance: Tolerance,
        specific_codes: bool,
        on_invalid: Callable[[str, str], None] | None,
        on_internal_error: Callable[[str, BaseException], None],
        violations: ViolationWatch | None = None,
    ) -> None:
        self.is_strict: bool = tolerance == Tolerance.STRICT
        self._counters = counters
        self.tolerance: Tolerance = tolerance
        self._specific_codes = specific_codes
        self._on_invalid = on_invalid
        self._on_internal_error = on_internal_error
        self._violations = violations
        self._folding: Folding | None = None

    @property
    def on_binary(self) -> Callable[[], None] | None:
        """To be called when a binary message was taken as text; None: it may not be (repair `binary_frames`)."""
        if Repair.BINARY_FRAMES not in self.tolerance:
            return None
        return self._binary_taken

    def _binary_taken(self) -> None:
        self._count((Repair.BINARY_FRAMES,), FRAME, "", "a binary message")

    def mended(self, text: str | bytes, error: FramingError) -> Frame:
        """The frame in a text that is none, as `error` says, if tolerance can make it one. Raises FramingError."""
        frame, repairs = mend_frame(text, error, self.tolerance)
        self._count(repairs, FRAME, "", "a frame")
        return frame

    def check_members(self, frame: Frame, text: str | bytes, now: float) -> None:
        """Raises FramingError for a CALL in which an object has a member twice; an answer counts all the same.

        JSON leaves open what such an object means (RFC 8259 §4).
        """
        path = next(iter(duplicate_members(text)), None)
        if path is None:
            return
        reason = f"member {shown('.'.join(map(str, path[1:])), 60)} is there twice"
        if isinstance(frame, Call):
            raise FramingError(f"CALL: {reason}", 2, frame.unique_id)
        self.report(text, reason, "frame", now)

    def request(self, call: Call, now: float) -> Payload:
        """The payload of a CALL as its handler may have it. Raises ValidationError with the code to answer with."""
        payload, text = call.payload, ""
        try:
            try:
                validate(call.action, "request", payload)
            except ValidationError:
                text = _text_of(call)  # before a repair takes out what says that it names a secret
                payload, repairs = repair_payload(call.action, "request", payload, self.tolerance)
                self._count(repairs, SCHEMA, call.action, "a request")
        except ValidationError as error:
            if error.code != ErrorCode.NOT_IMPLEMENTED:
                if not self._specific_codes:
                    error.code = ErrorCode.FORMATION_VIOLATION
                self.report(text, str(error), f"{call.action} request", now, SCHEMA, call.action)
            raise
        return payload

    def mended_response(self, action: str, payload: Payload) -> Payload:
        """A confirmation that is not valid, mended. Raises ValidationError; the payload may be half changed then."""
        payload, repairs = repair_payload(action, "response", payload, self.tolerance)
        self._count(repairs, SCHEMA, action, "an answer")
        return payload

    def code_of(self, error: CallError, action: str = "") -> str:
        """The code of a CALLERROR to a CALL of this action, by the name that OCPP 1.6 has for it."""
        code = repair_code(error.code, self.tolerance)
        if self._violations is not None:
            self._violations.refused(error.code, action)
        if code is None:
            return error.code
        self._counters.repaired(Repair.CALL_ERRORS)
        return code

    @staticmethod
    def response_again(text: str | bytes) -> object:
        """The payload of a CALLRESULT as it came: repairing changes one in place, and may stop half-way."""
        try:
            frame = parse(text)
        except FramingError:
            return None  # the payload was itself a repair
        return frame.payload if isinstance(frame, CallResult) else None

    def report(self, text: str | bytes, why: str, cause: str, now: float, rule: str = FRAME, action: str = "") -> None:
        """Count, and tell, what came from the peer and cannot be used; repeats of a cause are told folded.

        `now`: when it came, in monotonic seconds.
        """
        self._counters.invalid_frames += 1
        if self._violations is not None:
            self._violations.tell(rule, action, why)
        if self._on_invalid is None:
            return
        if self._folding is None:
            self._folding = Folding()
        untold = self._folding.note(cause, now)
        if untold is None:
            return
        if untold:
            why = f"{why} … {untold:,} more"
        try:
            self._on_invalid(text if isinstance(text, str) else text.decode("utf-8", "replace"), why)
        except BaseException as error:
            obey_exit(error)
            self._on_internal_error("report of an invalid frame", error)

    def _count(self, repairs: tuple[str, ...], rule: str, action: str, what: str) -> None:
        for name in repairs:
            self._counters.repaired(name)
        if self._violations is not None:
            self._violations.mended(repairs, rule, action, what)


def is_foreign(error: FramingError) -> bool:
    """A message type of another version of OCPP-J: such frames are ignored, not complained of."""
    frame = error.frame
    return error.kind is None and frame is not None and bool(frame) and type(frame[0]) is int


def _text_of(call: Call) -> str:
    """A CALL as it may have looked; what cannot be written down again is left out."""
    try:
        return serialize(call).decode()
    except Exception:
        return f'[2,"{call.unique_id}","{call.action}",…]'
