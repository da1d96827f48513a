"""What one charging session is about, as a page of its own in the folder that the host names for it.

Rules of this file:
1. A session is a connector, and the transactions that are told of it. The page may be given to the driver, so what
   names another connector, transaction or driver is of no concern, and neither is what names none of them. Commands
   for the whole charge point (connector 0) and what happened to the connection are.
2. Whose transaction a request of ours is about is told with it: what waited offline may be of whoever was there before,
   and has no transactionId yet.
3. `incomplete-ocpp.html` gets the name `ocpp.html` at the end of the session. That is when its StopTransaction is
   answered, at most `LINGER` after the car has gone.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ocpp16.message_log.html import HtmlFormat
from ocpp16.message_log.record import RECEIVED, Kind, Record
from ocpp16.message_log.sink import Sink

_OF_TRANSACTIONS = frozenset({"StartTransaction", "StopTransaction"})
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
        self._transaction_ids: set[int] = set()
        self._id_tag: str | None = None
        """Of the driver, in lower case; None before a transaction."""
        self._is_stop_awaited = False
        self._over_at: int | None = None

    @property
    def names(self) -> tuple[int, str]:
        return self.connector_id, self.session_id

    def transaction_started(self, id_tag: str, transaction_id: int | None) -> None:
        """One of this session, whose StopTransaction is not answered yet."""
        self._id_tag = id_tag.lower()  # CiString20Type
        self._is_stop_awaited = True
        if transaction_id is not None:
            self._transaction_ids.add(transaction_id)

    def take(self, record: Record) -> None:
        """A row, if it is of concern."""
        if self._concerns(record):
            for sink in self.sinks:
                sink.add(record)
            if record.action == "StartTransaction":
                if record.transaction_id is not None:
                    self._transaction_ids.add(record.transaction_id)
            elif record.action == "StopTransaction" and record.kind is not Kind.CALL:
                self._is_stop_awaited = False

    def _concerns(self, record: Record) -> bool:
        if record.kind is Kind.EVENT:
            return True
        if record.session is not None:
            return record.session == self.names
        if record.transaction_id is not None:
            return record.transaction_id in self._transaction_ids
        if record.action in _OF_TRANSACTIONS:  # whose it is could not be read after a restart
            return False
        is_for_all = record.connector_id == 0 and record.asker == RECEIVED
        return (is_for_all or record.connector_id == self.connector_id) and not self._is_for_another(record)

    def _is_for_another(self, record: Record) -> bool:
        """Does a command name a driver who is not that of the session? While that one is not known a remote start is
        for whoever is there, and a reservation is not."""
        if record.id_tag is None:
            return False
        if self._id_tag is None:
            return record.action == "ReserveNow"
        return record.id_tag.lower() != self._id_tag

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
