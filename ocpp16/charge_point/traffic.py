"""Who is told of the traffic of one charge point: its observer, its message log, neither.

Where nobody is, nothing is handed on at all: `trace` is None. A log begins with the first start, or with the first
session that has a folder of its own, and goes on over restarts; where one was configured otherwise, another begins, and
goes on with the pages of sessions.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import internal
from ocpp16.faults import obey_exit
from ocpp16.message_log.options import Options
from ocpp16.message_log.record import SENT
from ocpp16.message_log.writer import Writer
from ocpp16.models import Counters
from ocpp16.observer import ConnectionStateChanged, MessageExchanged, ObserverEvent, SecurityEvent
from ocpp16.profiles.context import Context
from ocpp16.redaction import redacted
from ocpp16.rpc.calls import FrameListener, LinkListener, Listeners
from ocpp16.state.clock import Clock
from ocpp16.state.signals import SecurityEventRaised
from ocpp16.state.transaction import Transaction

if TYPE_CHECKING:
    from ocpp16.message_log.message_log import MessageLog

Tell = Callable[[ObserverEvent, int], None]


class Traffic:
    """Parameters: `folder` of the message log, or None; `writer` is that of the block; `is_traced`: the observer is to
    be told each frame."""

    __slots__ = (
        "_clock",
        "_configuration",
        "_counters",
        "_ctx",
        "_failed",
        "_folder",
        "_frames",
        "_identity",
        "_is_callback",
        "_is_clearing",
        "_is_traced",
        "_links",
        "_log",
        "_options",
        "_sessions",
        "_tell",
        "_writer",
    )

    def __init__(
        self,
        configuration: Configuration,
        clock: Clock,
        folder: Path | None,
        writer: Writer,
        counters: Counters,
        *,
        is_traced: bool,
    ) -> None:
        self._configuration = configuration
        self._clock = clock
        self._folder = folder
        self._writer = writer
        self._counters = counters
        self._is_traced = is_traced
        self._frames: FrameListener | None = None
        self._links: LinkListener | None = None
        self._failed: Callable[[str, BaseException], None]
        self._identity = ""
        self._log: MessageLog | None = None
        self._options: Options | None = None
        """Of the log; thousands of charge points that have none keep none."""
        self._sessions: dict[int, tuple[str, Path]] | None = None
        """Connector → session that is logged by itself, and its folder; None: there was none yet."""
        self._tell: Tell | None = None
        self._ctx: Context | None = None
        """Of the present start."""
        self._is_clearing = False
        """Is it told that the security log was cleared?"""
        self._is_callback = False
        """Does LogMessagesFormat ask for the observer to be told each frame?"""

    def listen(self, listeners: Listeners, failed: Callable[[str, BaseException], None]) -> None:
        """From here on these are told, synchronously; `failed` is told what they raise."""
        if listeners.frames is not None or listeners.links is not None:
            self._identity = self._configuration[internal.CHARGE_POINT_ID]
        self._frames, self._links, self._failed = listeners.frames, listeners.links, failed

    def _tell_frame(self, direction: str, text: str) -> None:
        assert self._frames is not None
        try:
            self._frames(self._identity, direction, text)
        except BaseException as error:
            obey_exit(error)
            self._failed("listener of frames", error)

    def _tell_link(self, event: ConnectionStateChanged) -> None:
        assert self._links is not None
        try:
            self._links(self._identity, event.connected, event.reason)
        except BaseException as error:
            obey_exit(error)
            self._failed("listener of connections", error)

    def begin(self, ctx: Context, tell: Tell | None) -> None:
        """A start: with what is configured now, and its clock. `tell` gives an event to the observer; None: there is
        none."""
        self._clock, self._tell = ctx.clock, tell
        options = self._configured()
        self._is_callback = "callback" in options.sinks
        self._configuration.is_recorded = options.is_wanted
        sessions = None
        if options != self._options:
            sessions = self._sessions
            self.end()
        self._ctx = ctx
        if options.is_wanted:
            self._opened(options)
        for connector_id, (session_id, folder) in (sessions or {}).items():
            self.session_started(connector_id, session_id, folder, ctx.transactions.running(connector_id))

    def _configured(self) -> Options:
        return Options.of(self._configuration, has_folder=self._folder is not None)

    def _opened(self, options: Options) -> "MessageLog":
        """The log, begun if it is not yet."""
        from ocpp16.message_log.message_log import MessageLog  # all formats: not for who has no log

        if self._log is None:
            identity = self._configuration[internal.CHARGE_POINT_ID]
            self._options = options
            self._log = MessageLog(
                identity,
                self._folder,
                options,
                self._writer,
                self._counters,
                self._clock.now(),
                self._cleared,
            )
        return self._log

    @property
    def trace(self) -> Callable[[str, str], None] | None:
        """What a link tells each text frame; None: nobody wants to know."""
        is_logged = self._sessions is not None or (self._options is not None and self._options.wants_frames)
        return self._frame if is_logged or self._is_told else None if self._frames is None else self._tell_frame

    @property
    def _is_told(self) -> bool:
        return self._tell is not None and (self._is_traced or self._is_callback)

    def _frame(self, direction: str, text: str) -> None:
        if self._frames is not None:
            self._tell_frame(direction, text)
        if self._log is not None:
            self._log.frame(self._clock.now(), self._clock.monotonic(), direction, text, self._whose(direction, text))
        if self._is_told and self._tell is not None:
            self._tell(MessageExchanged(direction, redacted(text, self._configuration.secret_names)), 0)

    def _whose(self, direction: str, text: str) -> tuple[int, str] | None:
        """Connector and session whose transaction this frame is about, if it is a request of ours: for their page."""
        if self._sessions is None or self._ctx is None or direction != SENT or not text.startswith("[2,"):
            return None
        entry = self._ctx.session.in_flight
        transaction = None if entry is None else entry.transaction
        return (transaction.connector_id, transaction.session_id) if isinstance(transaction, Transaction) else None

    def event(self, text: str) -> None:
        """What happened to the connection, in words."""
        if self._log is not None:
            self._log.event(self._clock.now(), text)

    def happened(self, event: ObserverEvent) -> None:
        """What is told to the observer, if there is one: some of it is of the connection."""
        if self._links is not None and isinstance(event, ConnectionStateChanged):
            self._tell_link(event)
        elif self._log is not None and not self._is_clearing and isinstance(event, SecurityEvent):
            self._log.security_event(self._clock.now(), event.type, event.tech_info or "")

    def _cleared(self) -> None:
        """Rotation has deleted old files of the security log: a line in its place says so already."""
        if self._ctx is None:
            return
        self._is_clearing = True
        try:
            self._ctx.signals.emit(
                SecurityEventRaised("SecurityLogWasCleared", "its oldest files made room for new ones")
            )
        finally:
            self._is_clearing = False

    def session_started(
        self, connector_id: int, session_id: str, folder: Path | None, transaction: Transaction | None
    ) -> bool:
        """A session that is to be logged by itself, unless `folder` is None; `transaction` runs in it. Returns whether
        `trace` is another one now."""
        if folder is None:
            known = None if self._sessions is None else self._sessions.get(connector_id)
            if known is not None and known[0] != session_id:  # whose end nobody told
                self.session_stopped(connector_id)
            return False
        options = self._options or self._configured()
        if "session_logging" not in options.sinks:
            return False
        before = self.trace
        if self._sessions is None:
            self._sessions = {}
        self._sessions[connector_id] = session_id, folder
        self._opened(options).session_started(self._clock.now(), connector_id, session_id, folder)
        if transaction is not None:
            self.transaction_started(transaction)
        return self.trace != before

    def transaction_started(self, transaction: Transaction) -> None:
        """One that may be of a session that is logged by itself."""
        if self._sessions is not None and self._log is not None:
            self._log.transaction_started(
                transaction.connector_id, transaction.session_id, transaction.id_tag, transaction.transaction_id
            )

    def session_stopped(self, connector_id: int) -> None:
        if self._sessions is not None and self._log is not None:
            self._sessions.pop(connector_id, None)
            self._log.session_stopped(self._clock.now(), connector_id)

    def end(self) -> None:
        """Nothing more will come."""
        self._ctx = None
        if self._log is not None:
            self._log.end(self._clock.now())
            self._log = self._options = self._sessions = None
