"""From a CALL to its answer: admission, validation, handler, Reply.

Rules of this file:
1. Handlers that may wait never run in the reader: one that waits would stop the answers it may be waiting for. One that
   is a plain function answers in the turn of its CALL: the first of the turn, where none of its concern is in work. So
   many that come in one read still leave other tasks their turn.
2. CALLs of one concern are answered in the order in which they came; CALLs of different concerns do not wait for each
   other. The concern is the feature, if the handler names no other (`@on(…, concern=…)`). A short-lived task for each
   concern answers what waits, and ends when nothing is left.
3. What a handler changed is on disk before its answer goes out: it waits for that itself (`profiles.asked`). The answer
   depends on nothing else of the disk: a change in force is answered as such, whatever was told meanwhile.
4. An answer that a station put in the place of ours (`overrule`) is given at once, and nothing is done.
5. What may wait has bounds in number and in bytes; beyond them CALLs are answered with GenericError at once.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from ocpp16._core import Call, CallError, CallResult, ValidationError, validate
from ocpp16.enums import ErrorCode
from ocpp16.errors import Refusal, StoreError
from ocpp16.faults import obey, obey_exit
from ocpp16.messages.actions import ACTIONS
from ocpp16.profiles.base import Context, FeatureProfile, Payload, Reply
from ocpp16.rpc.policy import LONGEST_DESCRIPTION, MAX_WAITING_CALLS, Admission, admission
from ocpp16.texts import shown
from ocpp16.values import whole

MOST_CONCERNS = 64
"""Concerns of one action that may be in work at once; what waits in them holds up no other action."""
MOST_OVERRULED = 1_000
"""Answers to one action that may wait to be given in the place of ours."""
_NONE: Mapping[str, tuple[Payload, ...]] = MappingProxyType({})


def _valid(action: str, result: Payload | Reply[Payload]) -> Reply[Payload]:
    reply: Reply[Payload] = result if isinstance(result, Reply) else Reply(result)
    validate(action, "response", reply.payload)
    return reply


class Dispatcher:
    """Answers the CALLs of the Central System.

    Parameters: `routes` maps an action to the position of its feature in `features` and the name of its method;
    `others_first` waits until other tasks had their turn.
    """

    __slots__ = ("_ctx", "_features", "_lanes", "_others_first", "_overruled", "_routes", "_waiting")

    def __init__(
        self,
        ctx: Context,
        features: Sequence[FeatureProfile],
        routes: Mapping[str, tuple[int, str]],
        others_first: Callable[[], Awaitable[None]],
    ) -> None:
        self._others_first = others_first
        self._ctx = ctx
        self._features = features
        self._routes = routes
        self._lanes: dict[Hashable, deque[tuple[Call, Payload]]] = {}
        """Concern → CALLs that wait for its task, which there is as long as the concern is here."""
        self._waiting = 0
        self._overruled: Mapping[str, tuple[Payload, ...]] = _NONE
        """Never changed in place: all charge points of which none waits share one."""

    def overrule(self, action: str, answer: Payload, times: int) -> None:
        """The next `times` valid CALLs of this action are answered so, and nothing is done. Raises ValueError for what
        no CALL of the Central System is answered with."""
        if action not in ACTIONS or ACTIONS[action].initiator == "ChargePoint":
            raise ValueError(f"action: the Central System does not ask {shown(action, 50)}")
        waiting = self._overruled.get(action, ())
        if len(waiting) + whole(times, "times", 1, MOST_OVERRULED) > MOST_OVERRULED:
            raise ValueError(f"times: no more than {MOST_OVERRULED:,} answers may wait")
        try:
            validate(action, "response", answer)
        except ValidationError as error:
            raise ValueError(f"answer: {shown(error)}") from None
        self._overruled = {**self._overruled, action: (*waiting, *(answer,) * times)}

    def _overruling(self, action: str) -> Payload | None:
        """The answer that waits to be given, once."""
        if action not in self._overruled:
            return None
        answer, *others = self._overruled[action]
        left = {**self._overruled, action: tuple(others)}
        self._overruled = {name: answers for name, answers in left.items() if answers} or _NONE
        return answer

    def accept(self, call: Call, is_first: bool) -> None:
        """Take in a CALL from the reader, the first of its turn or another one. Never waits, never raises."""
        try:
            self._accept(call, is_first)
        except BaseException as error:
            obey_exit(error)
            self._ctx.failed(f"reception of {shown(call.action, 50)}", error)
            self._answer_error(call, ErrorCode.INTERNAL_ERROR, "the request could not be handled")

    def _accept(self, call: Call, is_first: bool) -> None:
        refusal = None if call.action in self._overruled else self._refusal(call)
        if refusal is not None:
            self._answer_error(call, *refusal)
            return
        session = self._ctx.session
        if admission(session.registration, call.action) is Admission.REJECT:
            session.reply(CallResult(call.unique_id, {"status": "Rejected"}), call=call)
            self._ctx.kick()
            return
        try:
            request = session.validate_request(call)
        except ValidationError as error:
            self._answer_invalid(call, error)
            return
        overruling = self._overruling(call.action)
        if overruling is not None:
            self._ctx.log.info("%s is answered as the station wants it", call.action)
            self._answer(call, Reply(overruling))
            return
        concern = self._concern(call.action, request)
        lane = self._lanes.get(concern)
        if self._waiting >= MAX_WAITING_CALLS or (lane is None and self._is_crowded(concern)):
            self._answer_error(call, ErrorCode.GENERIC_ERROR, "too many calls at once")
            return
        if lane is None and is_first and self._is_plain(call.action):
            self._handle_plain(call, request)
            return
        self._waiting += 1
        if lane is not None:
            lane.append((call, request))
        else:
            self._lanes[concern] = deque(((call, request),))
            self._ctx.spawn(self._drain, concern)

    def _refusal(self, call: Call) -> tuple[ErrorCode, str] | None:
        """Actions that are answered so whatever the registration (OCPP-J 1.6 table 7)."""
        if call.action in self._routes:
            return None
        if call.action in ACTIONS:
            return ErrorCode.NOT_SUPPORTED, f"{call.action} is not supported by this charge point"
        return ErrorCode.NOT_IMPLEMENTED, f"{shown(call.action, 50)} is no action of OCPP 1.6"

    def _concern(self, action: str, request: Payload) -> Hashable:
        position, method = self._routes[action]
        concern = self._features[position].concerns.get(action)
        return position if concern is None else (position, method, concern(request))

    def _is_plain(self, action: str) -> bool:
        position, _ = self._routes[action]
        return action in self._features[position].plain

    def _is_crowded(self, concern: Hashable) -> bool:
        """Are there as many concerns of the action as there may be? A feature as a whole is one."""
        if len(self._lanes) < MOST_CONCERNS or not isinstance(concern, tuple):
            return False
        return sum(isinstance(other, tuple) and other[:2] == concern[:2] for other in self._lanes) >= MOST_CONCERNS

    async def _drain(self, concern: Hashable) -> None:
        lane = self._lanes[concern]
        try:
            while lane:
                call, request = lane.popleft()
                self._waiting -= 1
                await self._handle(call, request)
                if lane:  # one that waited for nothing does not answer all the others in one step of the loop
                    await self._others_first()
        finally:
            self._waiting -= len(lane)
            del self._lanes[concern]

    async def _handle(self, call: Call, request: Payload) -> None:
        if self._is_plain(call.action):
            self._handle_plain(call, request)
            return
        try:
            reply = _valid(call.action, await self._asked(call.action, request))
        except BaseException as error:
            self._answer_fault(call, error, obey)
        else:
            self._answer(call, reply)

    def _handle_plain(self, call: Call, request: Payload) -> None:
        try:
            reply = _valid(call.action, self._asked(call.action, request))
        except BaseException as error:
            self._answer_fault(call, error, obey_exit)
        else:
            self._answer(call, reply)

    def _asked(self, action: str, request: Payload) -> Any:
        position, method = self._routes[action]
        return getattr(self._features[position], method)(request)

    def _answer(self, call: Call, reply: Reply[Payload]) -> None:
        self._ctx.session.reply(CallResult(call.unique_id, reply.payload), then=reply.then, call=call)
        self._ctx.kick()

    def _answer_fault(self, call: Call, error: BaseException, obeyed: Callable[[BaseException], None]) -> None:
        """Answer what a handler raised; `obeyed` raises what of it ends more than the answer."""
        ctx, kind = self._ctx, type(error)  # `isinstance` would ask the exception, which may be of others
        if issubclass(kind, Refusal):
            refusal = cast(Refusal, error)
            self._answer_error(call, refusal.code, refusal.description, refusal.details)
        elif issubclass(kind, ValidationError):
            ctx.failed(f"answer to {call.action}", error)
            self._answer_error(call, ErrorCode.INTERNAL_ERROR, "the answer could not be built")
        elif issubclass(kind, StoreError):
            ctx.log.error("%s is not stored: %s", call.action, error, about=call.action)
            self._answer_error(call, ErrorCode.INTERNAL_ERROR, "the change could not be stored")
        else:
            obeyed(error)
            ctx.failed(f"handler of {call.action}", error)
            self._answer_error(call, ErrorCode.INTERNAL_ERROR, "the request could not be handled")

    def _answer_invalid(self, call: Call, error: ValidationError) -> None:
        """A request that breaks its schema; some have a status for it."""
        answer = None
        if call.action in self._routes:
            position, _ = self._routes[call.action]
            answer = self._features[position].answer_to_invalid(call.action, error)
        if answer is None:
            self._answer_error(call, ErrorCode(error.code), str(error))
        else:
            self._ctx.session.reply(CallResult(call.unique_id, answer), call=call)
            self._ctx.kick()

    def _answer_error(
        self, call: Call, code: ErrorCode, description: str, details: dict[str, Any] | None = None
    ) -> None:
        frame = CallError(call.unique_id, str(code), description[:LONGEST_DESCRIPTION], details or {})
        self._ctx.session.reply(frame, call=call)
        self._ctx.kick()
