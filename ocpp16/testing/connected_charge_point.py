"""One connection of a charge point, as its Central System sees it.

Reads frames, judges them, answers by the script, sends calls and waits for their confirmations. One reader per
connection; writing happens at once where the stream allows it, and otherwise in a task that lives as long as it is
needed. It must not know of other charge points.

Whatever comes is judged without an end of the connection: what the judgement itself chokes on (nested too deep, numbers
without end) is a violation like another, and a CALL is answered with a CALLERROR. Only who takes no answers is cut off.

A charge point that sends without BootNotification may have been accepted in an earlier life of the Central System (OCPP
1.6 ed. 2 §4.2 asks for a boot after a restart of the charge point, not of the Central System). It is accused once it
shows that it was not: by a BootNotification of its own accord on the same connection.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any, Protocol

import trio

from ocpp16.codec import (
    ACTIONS,
    Call,
    CallError,
    CallResult,
    FramingError,
    ValidationError,
    parse,
    serialize,
    validate,
    validate_sending,
)
from ocpp16.enums import ErrorCode, RegistrationStatus
from ocpp16.errors import CallFailed, ConnectionClosed
from ocpp16.testing.answers import Answer, CallErrorAnswer, plain
from ocpp16.testing.misbehaviour import Fault, FaultPlan, FaultRule, spoil
from ocpp16.testing.recording import Direction, ReceivedCall, Recording
from ocpp16.texts import shown
from ocpp16.transport.websocket import WebSocket

__all__ = ["ConnectedChargePoint"]

ERROR_CODES = frozenset(ErrorCode)
WRITE_TIMEOUT = 30.0  # seconds until a peer that does not read is given up
MOST_UNSENT = 4_000_000  # bytes of answers that nobody takes
PATIENCE = 1.5  # seconds: before this nobody gives up waiting for an answer (as `ocpp16.lint` has it)
NO_FRAME = "no OCPP-J frame"
ONE_CALL = "more than one CALL at a time (OCPP-J 1.6 §4.1.1)"
NOT_ACCEPTED = "before BootNotification was accepted (OCPP 1.6 ed. 2 §4.2)"
_REGISTRATIONS = frozenset(RegistrationStatus)
_AS_IT_IS = frozenset({None, Fault.DUPLICATE})  # faults with which an answer can be read
LINGER_RESET = b"\x01\0\0\0\0\0\0\0"  # struct linger {1, 0}: closing sends RST


class Office(Protocol):
    """The Central System that a connection belongs to, as far as the connection knows it."""

    recording: Recording
    faults: FaultPlan
    registrations: dict[str, str]
    keeps_all: bool

    def new_id(self) -> str: ...

    def start_soon(self, function: Callable[..., Awaitable[Any]], *args: Any) -> None: ...

    def answer(self, call: ReceivedCall, refused: CallErrorAnswer | None) -> Answer | Awaitable[Answer]: ...

    def note_registration(self, identity: str, status: str) -> None: ...


class _Waiting:
    """A call of ours; `answer` stays None when the connection ends first."""

    __slots__ = ("action", "answer", "event")

    def __init__(self, action: str) -> None:
        self.action = action
        self.event = trio.Event()
        self.answer: CallResult | CallError | None = None


class ConnectedChargePoint:
    """Made by `CentralSystem`; `identity` as in the URL, decoded; `websocket` the connection."""

    __slots__ = (
        "_central_system",
        "_given_up",
        "_is_half_open",
        "_is_writing",
        "_one_call",
        "_outstanding",
        "_owed",
        "_read_scope",
        "_reading",
        "_seen_ids",
        "_stream",
        "_unbooted",
        "_was_paused",
        "_was_triggered",
        "gone",
        "identity",
        "websocket",
    )

    def __init__(self, central_system: Office, identity: str, websocket: WebSocket, stream: trio.abc.Stream) -> None:
        self.identity: str = identity
        self.websocket: WebSocket = websocket
        self.gone: trio.Event = trio.Event()
        self._central_system = central_system
        self._stream = stream
        self._outstanding: dict[str, _Waiting] = {}
        self._given_up: set[str] = set()
        self._one_call = trio.Lock()
        self._seen_ids: set[str] = set()
        self._reading = trio.Event()
        self._reading.set()
        self._read_scope: trio.CancelScope | None = None
        self._is_half_open = False
        self._is_writing = False
        self._was_paused = False  # then CALLs that the charge point gave up lie in the stream one after another
        self._was_triggered = False
        self._owed: ReceivedCall | None = None  # the last CALL, until its answer has gone out
        self._unbooted: tuple[str, str] | None = None
        """Action and text of the first CALL that was taken as one of an earlier life."""
        websocket.on_unsent = self._write

    async def run(self) -> tuple[int, str]:
        """Read until the connection ends; returns close code and reason."""
        try:
            while True:
                if not self._reading.is_set():
                    await self._reading.wait()
                with trio.CancelScope() as self._read_scope:
                    while self._reading.is_set():
                        self._take_in(await self.websocket.receive())
        except ConnectionClosed as exc:
            await self.websocket.aclose()
            return exc.code, exc.reason
        finally:
            self.websocket.abort()
            self.gone.set()
            for waiting in self._outstanding.values():
                waiting.event.set()

    def _take_in(self, texts: list[str]) -> None:
        if sum([self._take(text) for text in texts]) > 1 and not self._was_paused:
            self._object(ONE_CALL, texts[-1])

    # Sending

    def send(self, text: bytes | str, frame: Call | CallResult | CallError | None = None) -> None:
        """Send one text frame, whatever is in it. Raises `ConnectionClosed`."""
        self.websocket.send_text(text)
        as_text = text if isinstance(text, str) else text.decode("utf-8", "replace")
        self._central_system.recording.add(self.identity, Direction.SENT, as_text, frame)
        self._write()
        if self.websocket.unsent_bytes > MOST_UNSENT and not self._is_half_open:
            self._object("answers are not read", "")
            self.abort()

    def _write(self) -> None:
        if self._is_half_open or self._is_writing or self.websocket.flush_now():
            return
        self._is_writing = True
        self._central_system.start_soon(self._write_rest)

    async def _write_rest(self) -> None:
        try:
            with trio.move_on_after(WRITE_TIMEOUT):
                await self.websocket.flush()
        except trio.BusyResourceError:
            pass  # the closing handshake writes already, and takes this along
        finally:
            self._is_writing = False

    async def call(self, action: str, payload: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """Send a CALL and wait for its confirmation; one at a time. Raises `CallFailed`."""
        if self._one_call.locked():
            await self._one_call.acquire()
        else:
            self._one_call.acquire_nowait()  # `acquire` gives others a turn first; here the answer brings one
        try:
            return await self._call(action, payload, timeout)
        finally:
            self._one_call.release()

    async def _call(self, action: str, payload: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        if self.gone.is_set():
            raise CallFailed(action, "connection lost")
        frame = Call(self._central_system.new_id(), action, dict(payload))
        waiting = self._outstanding[frame.unique_id] = _Waiting(action)
        if action in {"TriggerMessage", "ExtendedTriggerMessage"}:
            self._was_triggered = True
        try:
            self.send(serialize(frame), frame)
            with trio.move_on_after(timeout) as scope:
                await waiting.event.wait()
        except ConnectionClosed as exc:
            raise CallFailed(action, "connection lost") from exc
        finally:
            del self._outstanding[frame.unique_id]
            if waiting.answer is None:  # also where whoever called was cancelled
                self._given_up.add(frame.unique_id)
        if scope.cancelled_caught:
            raise CallFailed(action, "timeout")
        if waiting.answer is None:
            raise CallFailed(action, "connection lost")
        if isinstance(waiting.answer, CallError):
            raise CallFailed(action, "callerror", waiting.answer.code, waiting.answer.description)
        return waiting.answer.payload

    # Receiving

    def _object(self, rule: str, text: str) -> None:
        self._central_system.recording.object_to(self.identity, rule, text)

    def _take(self, text: str) -> bool:
        """Handle one text frame; True if it was a CALL, and none that came before the answer that is owed."""
        recording = self._central_system.recording
        try:
            frame = parse(text)
        except FramingError as exc:
            recording.add(self.identity, Direction.RECEIVED, text)
            self._object(f"{NO_FRAME}: {exc}", text)
            if exc.kind == 2 and exc.unique_id is not None:
                self._reply(CallError(exc.unique_id, exc.code, str(exc)[:255]))
            return False
        recording.add(self.identity, Direction.RECEIVED, text, frame)
        if isinstance(frame, Call):
            return self._take_call(frame, text)
        self._take_answer(frame, text)
        return False

    def _take_answer(self, frame: CallResult | CallError, text: str) -> None:
        waiting = self._outstanding.get(frame.unique_id)
        if waiting is None or waiting.answer is not None:
            if frame.unique_id in self._given_up:
                self._given_up.discard(frame.unique_id)
            else:
                self._object("an answer to no open CALL", text)
            return
        if isinstance(frame, CallError):
            if frame.code not in ERROR_CODES:
                self._object(f"unknown error code {shown(frame.code, 60)}", text)
        else:
            try:
                validate_sending(waiting.action, "response", frame.payload)
            except Exception as exc:  # a ValidationError, or what choked on the payload
                self._object(str(exc) or type(exc).__name__, text)
        waiting.answer = frame
        waiting.event.set()

    def _take_call(self, frame: Call, text: str) -> bool:
        if self._central_system.keeps_all:
            if frame.unique_id in self._seen_ids:
                self._object("a message id used twice on one connection (OCPP-J 1.6 §4.1.4)", text)
            self._seen_ids.add(frame.unique_id)
        call = ReceivedCall(trio.current_time(), self.identity, frame.unique_id, frame.action, frame.payload)
        is_early = self._owed is not None and call.time - self._owed.time < PATIENCE and not self._was_paused
        if is_early:
            self._object(ONE_CALL, text)
        try:
            refused = self._judge(call, text)
        except Exception as exc:
            self._object(f"{shown(call.action, 60)} cannot be judged: {shown(repr(exc), 100)}", text)
            refused = CallErrorAnswer(ErrorCode.FORMATION_VIOLATION, "the payload cannot be read")
        rule = self._central_system.faults.take(call.action, self.identity)
        answer = self._central_system.answer(call, refused)
        self._owed = call
        if inspect.isawaitable(answer):
            self._central_system.start_soon(self._answer_later, call, answer, rule)
        else:
            self._answer(call, answer, rule)
        return not is_early

    def _judge(self, call: ReceivedCall, text: str) -> CallErrorAnswer | None:
        """Record what is wrong with a CALL; a CALLERROR if it is too wrong to be answered otherwise."""
        action = ACTIONS.get(call.action)
        if action is None:
            self._object(f"unknown action {shown(call.action, 60)}", text)
            return CallErrorAnswer(ErrorCode.NOT_IMPLEMENTED, f"unknown action {shown(call.action, 60)}")
        if action.initiator == "CentralSystem":
            self._object(f"{call.action} is not for a charge point to send", text)
            return CallErrorAnswer(ErrorCode.NOT_SUPPORTED, f"{call.action} comes from the Central System")
        self._judge_order(call.action, text)
        try:
            validate_sending(call.action, "request", call.payload)
        except ValidationError as exc:
            self._object(str(exc), text)
            try:
                validate(call.action, "request", deepcopy(call.payload), tolerant=True)
            except ValidationError:
                return CallErrorAnswer(exc.code, str(exc))
        return None

    def _judge_order(self, action: str, text: str) -> None:
        status = self._central_system.registrations.get(self.identity)
        if action != "BootNotification":
            if status is None:
                self._unbooted = self._unbooted or (action, text)
            elif status != "Accepted" and not (status == "Pending" and self._was_triggered):
                self._object(f"{action} {NOT_ACCEPTED}", text)
            return
        unbooted, self._unbooted = self._unbooted, None
        if unbooted is not None and not self._was_triggered:
            self._object(f"{unbooted[0]} {NOT_ACCEPTED}", unbooted[1])

    async def _answer_later(self, call: ReceivedCall, answer: Awaitable[Answer], rule: FaultRule | None) -> None:
        self._answer(call, await answer, rule)

    def _answer(self, call: ReceivedCall, answer: Answer, rule: FaultRule | None) -> None:
        if rule is not None and rule.fault is Fault.CLOSE:
            self.close_soon(rule.code, "scripted")
            return
        if rule is not None and rule.fault is Fault.ABORT:
            self.abort()
            return
        if answer is None:
            return
        frame: CallResult | CallError
        if isinstance(answer, CallErrorAnswer):
            self._unbooted = None  # it may well conclude that it has to boot
            frame = CallError(call.unique_id, answer.code, answer.description, plain(answer.details))
        else:
            frame = CallResult(call.unique_id, plain(answer))
        if rule is not None and rule.fault is Fault.DELAY:
            self._central_system.start_soon(self._reply_after, rule.seconds, call.action, frame)
        else:
            self._reply(frame, None if rule is None else rule.fault, action=call.action)

    async def _reply_after(self, seconds: float, action: str, frame: CallResult | CallError) -> None:
        with trio.move_on_after(seconds) as scope:
            await self.gone.wait()
        if scope.cancelled_caught:
            self._reply(frame, action=action)

    def _reply(self, frame: CallResult | CallError, fault: Fault | None = None, *, action: str = "") -> None:
        if not self.websocket.is_open:
            return
        if self._owed is not None and self._owed.unique_id == frame.unique_id and fault is not Fault.DROP:
            self._owed = None
        if action == "BootNotification" and fault in _AS_IT_IS and not self._is_half_open:
            self._note_registration(frame)
        for text in spoil(fault, frame):
            self.send(text, frame if fault in _AS_IT_IS else None)

    def _note_registration(self, frame: CallResult | CallError) -> None:
        """Nobody is bound by a status that he could not learn."""
        payload = frame.payload if isinstance(frame, CallResult) else None
        status = payload.get("status") if isinstance(payload, dict) else None
        if isinstance(status, str) and status in _REGISTRATIONS:
            self._central_system.note_registration(self.identity, str(status))

    # Ends, and worse

    def stop_reading(self) -> None:
        """Leave everything that comes in the stream."""
        self._was_paused = True
        if not self._reading.is_set():
            return  # another event in its place would never wake who waits for this one
        self._reading = trio.Event()
        if self._read_scope is not None:
            self._read_scope.cancel()

    def resume_reading(self) -> None:
        """Read on."""
        self._reading.set()

    def go_half_open(self) -> None:
        """As if the network were gone without a word: nothing is read, nothing leaves, and no end is noticed."""
        self._is_half_open = True
        self.stop_reading()

    def close_soon(self, code: int, reason: str) -> None:
        """Begin to close in the regular way."""
        self._central_system.start_soon(partial(self.aclose, code, reason))

    async def aclose(self, code: int = 1000, reason: str = "") -> None:
        """Close in the regular way and wait until it is done."""
        self.websocket.send_close(code, reason)
        self._is_half_open = False
        self._write()
        self.resume_reading()
        with trio.move_on_after(WRITE_TIMEOUT / 10):
            await self.gone.wait()
        self.websocket.abort()
        await self.gone.wait()

    def abort(self) -> None:
        """Break the connection: TCP reset where there is TCP, else the end of the stream."""
        inner = self._stream
        while isinstance(inner, trio.SSLStream):
            inner = inner.transport_stream
        if isinstance(inner, trio.SocketStream) and inner.socket.fileno() >= 0:  # else it is closed already
            inner.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, LINGER_RESET)
        self.websocket.abort()
        self.resume_reading()
