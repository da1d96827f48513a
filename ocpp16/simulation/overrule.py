"""Answers put into the station's mouth: the next answers to a question are given ones, for tests of failure paths.

`@question` marks the station methods that can be overruled. An overruled question is answered and nothing is done.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeVar, cast

from ocpp16 import station
from ocpp16.enums import DataTransferStatus, LogStatusEnumType, UnlockStatus, UpdateFirmwareStatusEnumType
from ocpp16.models import DataTransferResponse, GetLogResponse
from ocpp16.simulation.checks import Check, flag, one_of

_NONE: Mapping[str, tuple[Any, ...]] = MappingProxyType({})


class Overrules:
    """The answers that wait to be given, by question."""

    __slots__ = ("_answers",)

    def __init__(self) -> None:
        self._answers: Mapping[str, tuple[Any, ...]] = _NONE
        """Never changed in place: all stations of which none waits share one."""

    def add(self, question: str, answer: Any, times: int = 1) -> None:
        """Give `answer`, as JSON has it, the next `times` times. Raises ValueError: no such question or answer."""
        if question not in ANSWERS:
            raise ValueError(f"no question {question}; known are {', '.join(ANSWERS)}")
        given = (ANSWERS[question](answer),) * times
        self._answers = {**self._answers, question: (*self._answers.get(question, ()), *given)}

    def is_waiting(self, question: str) -> bool:
        return question in self._answers

    def take(self, question: str) -> Any:
        """The next given answer to this question; `is_waiting` must hold."""
        answer, *others = self._answers[question]
        left = {**self._answers, question: tuple(others)}
        self._answers = {name: answers for name, answers in left.items() if answers} or _NONE
        return answer


class _Overrulable(Protocol):
    overrules: Overrules


_TOLD: Final = {
    name: function.__doc__
    for protocol in vars(station).values()
    if getattr(protocol, "_is_protocol", False)
    for name, function in vars(protocol).items()
    if inspect.isfunction(function)
}
"""What each question is about."""
M = TypeVar("M", bound=Callable[..., Awaitable[Any]])


def question(method: M) -> M:
    """Mark an async station method: it gives the waiting answer, if there is one, instead of acting.

    Without a docstring of its own it has that of the question.
    """
    name = method.__name__

    @wraps(method)
    async def asked(self: _Overrulable, /, *args: Any, **kwargs: Any) -> Any:
        if self.overrules.is_waiting(name):
            return self.overrules.take(name)
        return await method(self, *args, **kwargs)

    asked.__doc__ = method.__doc__ or _TOLD.get(name)
    return cast("M", asked)  # a coroutine function as it was, whatever a type checker calls one


def _the_answer(check: Check) -> Check:
    def checked(answer: Any) -> Any:
        try:
            return check(answer)
        except ValueError as error:
            raise ValueError(f"the answer {error}") from None

    return checked


def _nothing(answer: Any) -> None:
    if answer is not None:
        raise ValueError("the answer must be null")


def _data_transfer_response(answer: Any) -> DataTransferResponse:
    """`{"status": …, "data": …}`, or the status alone."""
    members = {"status": answer} if isinstance(answer, str) else answer
    if not isinstance(members, dict) or not set(members) <= {"status", "data"}:
        raise ValueError("the answer must be an object of status and data")
    status, data = members.get("status"), members.get("data")
    if status not in tuple(DataTransferStatus):
        raise ValueError(f"the answer's status must be one of {', '.join(DataTransferStatus)}")
    if not isinstance(data, str | None):
        raise ValueError("the answer's data must be a text")
    return DataTransferResponse(DataTransferStatus(status), data)


def _log_response(answer: Any) -> GetLogResponse:
    """`{"status": …, "filename": …}`, or the status alone."""
    members = {"status": answer} if isinstance(answer, str) else answer
    if not isinstance(members, dict) or not set(members) <= {"status", "filename"}:
        raise ValueError("the answer must be an object of status and filename")
    if members.get("status") not in tuple(LogStatusEnumType):
        raise ValueError(f"the answer's status must be one of {', '.join(LogStatusEnumType)}")
    try:
        return GetLogResponse(LogStatusEnumType(members["status"]), members.get("filename"))
    except ValueError as error:
        raise ValueError(f"the answer's {error}") from None


_FLAG = _the_answer(flag)

ANSWERS: Mapping[str, Check] = {
    "enable_evse": _FLAG,
    "disable_evse": _FLAG,
    "pause_charging": _FLAG,
    "stop_transaction": _FLAG,
    "unlock_connector": _the_answer(one_of(UnlockStatus)),
    "is_reset_allowed": _FLAG,
    "reset": _FLAG,
    "provide_token": _nothing,
    "set_system_time": _nothing,
    "set_connection_timeout": _nothing,
    "data_transfer": _data_transfer_response,
    "signal_set_charging_profiles": _nothing,
    "update_firmware": _nothing,
    "cancel_firmware_update": _FLAG,
    "all_connectors_unavailable": _nothing,
    "upload_diagnostics": _log_response,
    "signed_update_firmware": _the_answer(one_of(UpdateFirmwareStatusEnumType)),
    "upload_logs": _log_response,
    "tariff_message": _data_transfer_response,
    "session_cost": _data_transfer_response,
    "default_price": _nothing,
    "set_display_message": _data_transfer_response,
}
"""Station question → reader of its answer."""
