"""From a CALL to its answer: admission, validation, handler, Reply (design: the hops of an incoming frame).

Handlers never run in the reader: one that waits would stop the answers it may be waiting for. A short-lived task
answers CALLs in order of arrival and ends when none is left. What a handler changed is on disk before its answer goes
out.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import trio

from ocpp16._core import Call, CallError, CallResult, ValidationError, validate
from ocpp16.enums import ErrorCode
from ocpp16.errors import Refusal, StoreError
from ocpp16.messages.actions import ACTIONS
from ocpp16.profiles.base import Context, FeatureProfile, Payload, Reply, log
from ocpp16.rpc.policy import MAX_WAITING_CALLS, Admission, admission
from ocpp16.state.keys import internal

_DESCRIPTION_LENGTH = 255
"""Characters of errorDescription: OCPP 1.6 sets no limit, later versions do."""


class Dispatcher:
    """Answers the CALLs of the Central System.

    Parameters: `routes` maps an action to the position of its feature in `features` and the name of its method.
    """

    __slots__ = ("_ctx", "_features", "_is_draining", "_routes", "_waiting")

    def __init__(self, ctx: Context, features: Sequence[FeatureProfile], routes: Mapping[str, tuple[int, str]]) -> None:
        self._ctx = ctx
        self._features = features
        self._routes = routes
        self._waiting: deque[Call] = deque()
        self._is_draining = False

    def accept(self, call: Call) -> None:
        """Take in a CALL from the reader. Never waits."""
        refusal = self._refusal(call)
        if refusal is not None:
            self._answer_error(call, *refusal)
            return
        decision = admission(self._ctx.session.registration, call.action)
        if decision is Admission.IGNORE:
            self._ctx.session.leave_unanswered(call)
        elif decision is Admission.REJECT:
            self._ctx.session.reply(CallResult(call.unique_id, {"status": "Rejected"}), call=call)
            self._ctx.kick()
        elif len(self._waiting) >= MAX_WAITING_CALLS:
            self._answer_error(call, ErrorCode.GENERIC_ERROR, "too many calls at once")
        else:
            self._waiting.append(call)
            if not self._is_draining:
                self._is_draining = True
                self._ctx.spawn(self._drain)

    def _refusal(self, call: Call) -> tuple[ErrorCode, str] | None:
        """Actions that are answered so whatever the registration (OCPP-J 1.6 table 7)."""
        if call.action in self._routes:
            return None
        if call.action in ACTIONS:
            return ErrorCode.NOT_SUPPORTED, f"{call.action} is not supported by this charge point"
        return ErrorCode.NOT_IMPLEMENTED, f"{call.action:.50} is no action of OCPP 1.6"

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._handle(self._waiting.popleft())
        finally:
            self._is_draining = False

    async def _handle(self, call: Call) -> None:
        ctx = self._ctx
        try:
            request = ctx.session.validate_request(call)
        except ValidationError as error:
            self._answer_error(call, ErrorCode(error.code), str(error))
            return
        before = ctx.journal.last
        try:
            position, method = self._routes[call.action]
            result = await getattr(self._features[position], method)(request)
            reply: Reply[Payload] = result if isinstance(result, Reply) else Reply(result)
            validate(call.action, "response", reply.payload)
            if ctx.journal.last > before:
                with trio.fail_after(ctx.configuration[internal.STORE_TIMEOUT]):
                    await ctx.journal.wait_durable(ctx.journal.last)
        except Refusal as refusal:
            self._answer_error(call, refusal.code, refusal.description, refusal.details)
        except ValidationError as error:
            log.error("%s: our own answer is wrong: %s", ctx.charge_point_id, error)
            self._answer_error(call, ErrorCode.INTERNAL_ERROR, "the answer could not be built")
        except (trio.TooSlowError, StoreError):
            log.error("%s: %s is not stored in time", ctx.charge_point_id, call.action)
            self._answer_error(call, ErrorCode.INTERNAL_ERROR, "the change could not be stored")
        except Exception:
            log.exception("%s: %s failed", ctx.charge_point_id, call.action)
            self._answer_error(call, ErrorCode.INTERNAL_ERROR, "the request could not be handled")
        else:
            ctx.session.reply(CallResult(call.unique_id, reply.payload), then=reply.then, call=call)
            ctx.kick()

    def _answer_error(
        self, call: Call, code: ErrorCode, description: str, details: dict[str, Any] | None = None
    ) -> None:
        frame = CallError(call.unique_id, str(code), description[:_DESCRIPTION_LENGTH], details or {})
        self._ctx.session.reply(frame, call=call)
        self._ctx.kick()
