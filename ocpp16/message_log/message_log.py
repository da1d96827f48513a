"""One charge point's log on the side of the protocol: it is told what happens, hands it on, and never waits."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ocpp16.message_log.options import Options
from ocpp16.message_log.scribe import Scribe
from ocpp16.message_log.writer import Writer
from ocpp16.models import Counters


class MessageLog:
    """Times are µs since 1970, `at`, and seconds that are never set, `monotonic`.

    Parameters: `folder` of the files, None if there are to be none; `started_at` names them; `on_cleared` is told, by
    the thread of trio, that old files of the security log had to go. It raises nothing.
    """

    __slots__ = ("_counters", "_scribe", "_sequence", "_writer")

    def __init__(
        self,
        identity: str,
        folder: Path | None,
        options: Options,
        writer: Writer,
        counters: Counters,
        started_at: int,
        on_cleared: Callable[[], None],
    ) -> None:
        self._writer = writer
        self._counters = counters
        self._scribe = Scribe(identity, folder, options, started_at, partial(writer.tell, on_cleared))
        self._sequence = 0

    def frame(
        self, at: int, monotonic: float, direction: str, text: str, session: tuple[int, str] | None = None
    ) -> None:
        """A text frame, as it goes over the wire; `direction` is "sent" or "received"; `session`: connector and session
        that a request of ours is about, where pages of sessions are written."""
        self._sequence += 1
        put, scribe = self._writer.put, self._scribe
        if not put(scribe, scribe.frame, self._sequence, at, monotonic, direction, text, session, size=len(text)):
            self._counters.messages_not_logged += 1

    def event(self, at: int, text: str) -> None:
        """What happened to the connection."""
        self._sequence += 1
        if not self._writer.put(self._scribe, self._scribe.event, self._sequence, at, text):
            self._counters.messages_not_logged += 1

    def security_event(self, at: int, kind: str, tech_info: str | None) -> None:
        if not self._writer.put(self._scribe, self._scribe.security_event, at, kind, tech_info, is_needed=True):
            self._counters.messages_not_logged += 1

    def session_started(self, at: int, connector_id: int, session_id: str, folder: Path) -> None:
        """A session whose messages are to be in a page of their own, in `folder`."""
        self._writer.put(
            self._scribe, self._scribe.session_started, at, connector_id, session_id, folder, is_needed=True
        )

    def transaction_started(self, connector_id: int, session_id: str, id_tag: str, transaction_id: int | None) -> None:
        """A transaction of a session that has a page; `transaction_id` of the Central System, if it is known."""
        self._writer.put(
            self._scribe,
            self._scribe.transaction_started,
            connector_id,
            session_id,
            id_tag,
            transaction_id,
            is_needed=True,
        )

    def session_stopped(self, at: int, connector_id: int) -> None:
        self._writer.put(self._scribe, self._scribe.session_stopped, at, connector_id, is_needed=True)

    def end(self, at: int) -> None:
        """Nothing more will be told."""
        self._writer.put(self._scribe, self._scribe.end, at, is_needed=True)
