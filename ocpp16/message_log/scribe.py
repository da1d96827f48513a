"""One charge point's log on the side of the writer: reads frames and gives each to the sinks that are to have it."""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from ocpp16.message_log.console import Console
from ocpp16.message_log.html import HtmlFormat
from ocpp16.message_log.json_lines import JsonLines
from ocpp16.message_log.log_file import LogFile
from ocpp16.message_log.options import Options
from ocpp16.message_log.record import Kind, Reader, Record
from ocpp16.message_log.session_log import SessionLog
from ocpp16.message_log.sink import Sink
from ocpp16.message_log.text import TextFormat
from ocpp16.message_log.words import time_text

SESSIONS_LIMIT = 2_000
"""Sessions that may be logged at a time; beyond that the oldest page gets no more."""
SECURITY_LIMIT = 1_000
"""Security events that wait for a disk that takes nothing; then the oldest goes."""
LONGEST_NAME = 180
"""Bytes of an identity in names of files, to which time and suffixes come; file systems take 255."""


class Scribe:
    """Parameters: `folder` of the files, None if there are to be none; `started_at` in µs, for names of files;
    `on_cleared` is called when old files of the security log were deleted."""

    def __init__(
        self,
        identity: str,
        folder: Path | None,
        options: Options,
        started_at: int,
        on_cleared: Callable[[], None],
    ) -> None:
        self.name = identity
        self.has_ended: bool = False
        self._options = options
        self._on_cleared = on_cleared
        self._reader = Reader(options.secrets)
        self._console = None
        if options.sinks & {"console", "console_detailed"}:
            self._console = Console(identity, is_detailed="console_detailed" in options.sinks)
        self._sinks: list[Sink] = []
        self._security: LogFile | None = None
        self._security_rows: list[bytes] = []
        if folder is not None:
            self._make_sinks(folder / _base(identity, options, started_at))
        self._sessions: list[SessionLog] = []
        self._over: list[SessionLog] = []
        """Sessions whose pages get their names with the next flush."""
        self._sequence = 0
        self._at = started_at

    def _make_sinks(self, base: Path) -> None:
        sinks, rotation = self._options.sinks, self._options.rotation
        raw = base.with_name(f"{base.name}_raw")
        for is_raw, path in ((False, base), (True, raw)) if self._options.is_raw else ((False, base),):
            if "log" in sinks:
                self._sinks.append(Sink(TextFormat(is_raw=is_raw), path, rotation))
            if "html" in sinks:
                self._sinks.append(Sink(HtmlFormat(self.name, is_raw=is_raw), path, rotation))
        if "jsonl" in sinks:
            self._sinks.append(Sink(JsonLines(self.name), base, rotation))
        if "security" in sinks:
            self._security = LogFile(base.with_name(f"{base.name}.security.log"), JsonLines(self.name), rotation)

    # Called by the writer

    def frame(
        self,
        sequence: int,
        at: int,
        monotonic: float,
        direction: str,
        text: str,
        session: tuple[int, str] | None = None,
    ) -> None:
        self._take(self._reader.read(sequence, at, monotonic, direction, text, session))

    def event(self, sequence: int, at: int, text: str) -> None:
        self._take(Record(at, Kind.EVENT, text, sequence))

    def _take(self, record: Record) -> None:
        missing = record.sequence - self._sequence - 1
        self._sequence, self._at = record.sequence, record.at
        for sink in self._sinks:
            if missing > 0:
                sink.miss(missing)
            sink.add(record)
        for session in self._sessions:
            session.take(record)
        if self._console is not None:
            self._console.tell(record)

    def security_event(self, at: int, kind: str, tech_info: str | None) -> None:
        """`kind` and `tech_info` as SecurityEventNotification has them (security white paper ed. 3)."""
        if self._security is None:
            return
        self._at = at
        event: dict[str, Any] = {"type": kind, "timestamp": time_text(at)}
        if tech_info is not None:
            event["techInfo"] = tech_info
        self._security_rows.append(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))

    def session_started(self, at: int, connector_id: int, session_id: str, folder: Path) -> None:
        self._at = at
        if any(one.names == (connector_id, session_id) for one in self._sessions):
            return
        for one in self._sessions:
            if one.connector_id == connector_id:
                one.over(at)
        if len(self._sessions) >= SESSIONS_LIMIT:
            self._sessions[0].over(at)
            self._over.append(self._sessions.pop(0))
        session = SessionLog(self.name, folder, connector_id, session_id, is_raw=self._options.is_raw)
        self._sessions.append(session)
        session.take(Record(at, Kind.EVENT, "Session logging started"))

    def transaction_started(self, connector_id: int, session_id: str, id_tag: str, transaction_id: int | None) -> None:
        for session in self._sessions:
            if session.names == (connector_id, session_id):
                session.transaction_started(id_tag, transaction_id)

    def session_stopped(self, at: int, connector_id: int) -> None:
        self._at = at
        for session in self._sessions:
            if session.connector_id == connector_id:
                session.over(at)

    def end(self, at: int) -> None:
        """Nothing more will come: what is written of sessions that are over gets its name."""
        self._at, self.has_ended = at, True
        self._over += [session for session in self._sessions if session.is_over]
        self._sessions = [session for session in self._sessions if not session.is_over]

    def flush(self) -> int:
        """Write what has come together; returns how many rows. Blocks. Raises the first OSError, when all was tried."""
        self._over += [session for session in self._sessions if session.is_complete(self._at)]
        self._sessions = [session for session in self._sessions if session not in self._over]
        over, self._over = self._over, []
        sinks = (*self._sinks, *(sink for one in (*self._sessions, *over) for sink in one.sinks))
        steps: list[Callable[[], int]] = [partial(sink.flush, self._at) for sink in sinks]
        steps += [self._flush_security, *(page.finish for session in over for page in session.pages)]
        written, failure = 0, None
        for step in steps:
            try:
                written += step()
            except OSError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return written

    def _flush_security(self) -> int:
        written, deleted = self._write_security()
        if deleted:  # and that is an event itself
            self._on_cleared()
            self.security_event(self._at, "SecurityLogWasCleared", None)
            written += self._write_security()[0]
        return written

    def _write_security(self) -> tuple[int, int]:
        """Returns how many rows were written, and how many old files went for them. Raises OSError; they wait then."""
        rows, self._security_rows = self._security_rows, []
        if self._security is None or not rows:
            return 0, 0
        try:
            return len(rows), self._security.write(rows, self._at)
        except OSError:
            self._security_rows = rows[-SECURITY_LIMIT:]
            raise


def _base(identity: str, options: Options, started_at: int) -> str:
    """The beginning of names of files: of one charge point always the same, so that they can be rotated; else with the
    time of the start."""
    name = quote(identity, safe=" @+=,")
    for ending in ("_raw", ".security"):  # so end names of files of another charge point
        if name.endswith(ending):
            name = f"{name.removesuffix(ending)}%{ord(ending[0]):02X}{ending[1:]}"
    if len(name) > LONGEST_NAME:
        name = f"{name[:LONGEST_NAME]}-{sha256(name.encode()).hexdigest()[:16]}"
    return name if options.rotation is not None else f"{name}-{_without_colons(time_text(started_at))}"


def _without_colons(time: str) -> str:
    """As some file systems want it."""
    return time.replace(":", "").replace("-", "")
