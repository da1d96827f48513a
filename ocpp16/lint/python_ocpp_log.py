"""The log of Python's package `ocpp`, on either side, in whatever format `logging` was given.

    INFO:ocpp:CP_1: receive message [2,"7","Heartbeat",{}]
    2026-01-31 10:15:30,123 INFO ocpp CP_1: send [3,"7",{"currentTime":"…"}]

Its words are those of whoever writes it; those before and behind a message, as colours or a place in the program, do
not count. Which side that is tells the first CALL that only one side may send; where no line tells, it is a Central
System.
"""

import json
import re
from collections.abc import Iterable
from typing import Final

from ocpp16.lint.frame import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Frame, frame_of
from ocpp16.lint.reader import NotMine, Reader, time_in
from ocpp16.messages.actions import ACTIONS

_WORD: Final = re.compile(r": (send|receive message) (?=[\[{])")
_ID: Final = re.compile(r"[^\s:\[\]]{1,255}\Z")
_CALL: Final = re.compile(rb': (send|receive message) \[2, ?"[^"\n]{0,100}", ?"([A-Za-z]{1,50})"')
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]{0,20}m")
_KNOWN: Final = re.compile(rb"[^\s:]: (?:send|receive message) \[[234],")


class PythonOcppLog(Reader):
    name = "python-ocpp"
    what = "the log of Python's package ocpp"

    def __init__(self, head: bytes, charge_point: str) -> None:
        super().__init__(head, charge_point)
        self._is_charge_point = _is_of_charge_point(head)

    @classmethod
    def knows(cls, head: bytes) -> bool:
        return _KNOWN.search(head) is not None

    def read(self, number: int, line: bytes) -> Iterable[Frame]:
        text = line.decode(errors="replace").rstrip("\r\n")
        if "\x1b" in text:
            text = _COLOUR.sub("", text)
        found = _WORD.search(text)
        name = _ID.search(text, max(found.start() - 255, 0), found.start()) if found else None
        if found is None or name is None:
            raise NotMine
        is_from_charge_point = (found[1] == "send") == self._is_charge_point
        direction = FROM_CHARGE_POINT if is_from_charge_point else FROM_CENTRAL_SYSTEM
        timestamp = time_in(text[: name.start()])
        message = text[found.end() :]
        frame = frame_of(message, direction, charge_point=name[0], line=number, timestamp=timestamp)
        if frame.fault and (alone := _without_words(message)) != message:
            frame = frame_of(alone, direction, charge_point=name[0], line=number, timestamp=timestamp)
        return (frame,)


def _without_words(text: str) -> str:
    """The message alone, where a format has words of its own behind it and a space."""
    try:
        end = json.JSONDecoder().raw_decode(text)[1]
    except (ValueError, RecursionError):
        return text
    return text[:end] if text[end : end + 1].isspace() else text


def _is_of_charge_point(head: bytes) -> bool:
    for word, action in _CALL.findall(head):
        known = ACTIONS.get(action.decode())
        if known is not None and known.initiator != "both":
            return bool((word == b"send") == (known.initiator == "ChargePoint"))
    return False
