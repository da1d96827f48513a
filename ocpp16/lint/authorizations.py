"""Whom the Central System lets charge, and reservations (OCPP 1.6 §3.5, §4.1, §5.13)."""

from collections.abc import Mapping
from typing import ClassVar, Final

from ocpp16.lint.bounds import forget_oldest
from ocpp16.lint.docket import SECOND, Docket
from ocpp16.lint.exchange import Asked
from ocpp16.lint.frame import Frame
from ocpp16.lint.members import part, text, time, whole
from ocpp16.lint.subject import OnAnswer, OnCall, Subject
from ocpp16.texts import shown

_MOST: Final = 64


class Authorizations(Subject):
    __slots__ = ("_cancelled", "_spellings")

    def __init__(self) -> None:
        self._spellings: dict[str, str] = {}
        """Id tag in small letters → as it was authorized."""
        self._cancelled: dict[int, None] = {}
        """Ids of reservations."""

    def authorized(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        id_tag = text(asked.payload, "idTag")
        if id_tag:
            self._spellings[id_tag.lower()] = id_tag
            forget_oldest(self._spellings, _MOST)
        self.answered(docket, asked, frame)

    def answered(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        info = part(frame.payload, "idTagInfo")
        expires = time(info, "expiryDate")
        if expires is None or docket.now is None or not docket.has_zone or text(info, "status") != "Accepted":
            return
        if expires < docket.now + (docket.offset or 0) - SECOND:
            docket.tell("expired", f"Accepted, but its expiryDate {shown(info['expiryDate'], 40)} has passed", frame)

    def starting(self, docket: Docket, asked: Asked) -> None:
        id_tag, reservation = text(asked.payload, "idTag"), whole(asked.payload, "reservationId")
        spelling = self._spellings.get((id_tag or "").lower())
        if spelling is not None and spelling != id_tag:
            told = f"{shown(id_tag, 40)} starts, but {shown(spelling, 40)} was authorized"
            docket.tell("id-tag-case", told, asked.frame)
        if reservation in self._cancelled:
            docket.tell("reservation", f"the reservation {reservation} was cancelled", asked.frame)

    def reserved(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        if text(frame.payload, "status") == "Accepted":
            self._cancelled.pop(whole(asked.payload, "reservationId") or 0, None)

    def cancelled(self, docket: Docket, asked: Asked, frame: Frame) -> None:
        reservation = whole(asked.payload, "reservationId")
        if reservation is not None and text(frame.payload, "status") == "Accepted":
            self._cancelled[reservation] = None
            forget_oldest(self._cancelled, _MOST)

    ON_CALL: ClassVar[Mapping[str, OnCall]] = {"StartTransaction": starting}
    ON_RESULT: ClassVar[Mapping[str, OnAnswer]] = {
        "Authorize": authorized,
        "StartTransaction": answered,
        "StopTransaction": answered,
        "ReserveNow": reserved,
        "CancelReservation": cancelled,
    }
