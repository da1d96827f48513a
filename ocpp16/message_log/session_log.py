"""What one charging session is about, as a page of its own in the folder that the host names for it.

Rules of this file:
1. A session is a connector, and the transaction that is told on it. Frames that name another connector, or another
   transaction, and those that name neither, are of no concern: the page may be given to the driver. Commands for the
   whole charge point (connector 0) and what happened to the connection are.
2. `incomplete-ocpp.html` gets the name `ocpp.html` at the end of the session. That is when its StopTransaction is
   answered, at most `LINGER` after the car has gone.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ocpp16.message_log.html import HtmlFormat
from ocpp16.message_log.record import RECEIVED, Kind, Record
from ocpp16.message_log.sink import Sink

LINGER = 60_000_000
"""µs after the end of a session in which StopTransaction and its answer still belong to it."""


class Page(NamedTuple):
    """`name` is that of the file at the end, without suffix."""

    folder: Path
    name: str

    def finish(self) -> int:
        """Give it its name: no row more. Blocks. Raises OSError."""
        os.replace(self.folder / f"incomplete-{self.name}.html", self.folder / f"{self.name}.html")
        return 0


class SessionLog:
    """Parameters: `connector_id` and `session_id` of the session; `is_raw`: with a page of the frames as they were."""

    def __init__(self, identity: str, folder: Path, connector_id: int, session_id: str, *, is_raw: bool) -> None:
        self.connector_id = connector_id
        self.session_id = session_id
        subject = f"{identity}, connector {connector_id}, session {session_id}"
        kinds = (("ocpp", False), ("ocpp_raw", True)) if is_raw else (("ocpp", False),)
        self.pages: list[Page] = [Page(folder, name) for name, _ in kinds]
        self.sinks: Sequence[Sink] = [
            Sink(HtmlFormat(subject, is_raw=raw), folder / f"incomplete-{name}", None) for name, raw in kinds
        ]
        self._transaction_id: int | None = None
        self._is_stop_awaited = False
        self._over_at: int | None = None

    def take(self, record: Record) -> None:
        """A row, if it is of concern."""
        if self._concerns(record):
            for sink in self.sinks:
                sink.add(record)
            if record.action == "StartTransaction":
                self._is_stop_awaited = True
                self._transaction_id = record.transaction_id if record.kind is Kind.CALLRESULT else None
            elif record.action == "StopTransaction" and record.kind is not Kind.CALL:
                self._is_stop_awaited = False

    def _concerns(self, record: Record) -> bool:
        if record.kind is Kind.EVENT:
            return True
        transaction_id = record.transaction_id
        if transaction_id is not None and self._transaction_id not in (None, transaction_id):
            return record.action == "StartTransaction" and record.connector_id == self.connector_id
        if record.connector_id is not None:
            is_for_all = record.connector_id == 0 and record.asker == RECEIVED
            return is_for_all or record.connector_id == self.connector_id
        return transaction_id is not None and transaction_id == self._transaction_id

    def over(self, at: int) -> None:
        """The session is over since `at`, in µs."""
        if self._over_at is None:
            self._over_at = at

    @property
    def is_over(self) -> bool:
        return self._over_at is not None

    def is_complete(self, at: int) -> bool:
        """Will nothing more come that belongs to it?"""
        over_at = self._over_at
        return over_at is not None and not (self._is_stop_awaited and over_at <= at < over_at + LINGER)
