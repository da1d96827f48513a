"""Who is told of the traffic of one charge point: its observer, its message log, neither.

Where nobody is, nothing is handed on at all: `trace` is None. A log begins with the first start, or with the first
session that has a folder of its own, and goes on over restarts; where one was configured otherwise, another begins.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import internal
from ocpp16.faults import obey_exit
from ocpp16.message_log.options import Options
from ocpp16.message_log.writer import Writer
from ocpp16.models import Counters
from ocpp16.observer import ConnectionStateChanged, MessageExchanged, ObserverEvent, SecurityEvent
from ocpp16.redaction import redacted
from ocpp16.rpc.calls import FrameListener, LinkListener, Listeners
from ocpp16.state.clock import Clock
from ocpp16.state.signals import SecurityEventRaised, Signal

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
        "_emit",
        "_failed",
        "_folder",
        "_frames",
        "_has_sessions",
        "_identity",
        "_is_callback",
        "_is_clearing",
        "_is_traced",
        "_links",
        "_log",
        "_options",
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
        self._has_sessions = False
        """Was one told that is to be logged by itself?"""
        self._tell: Tell | None = None
        self._emit: Callable[[Signal], None] | None = None
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

    def begin(self, clock: Clock, tell: Tell | None, emit: Callable[[Signal], None]) -> None:
        """A start: with what is configured now, and its clock. `tell` gives an event to the observer; None: there is
        none. `emit` tells the features; it raises nothing."""
        self._clock, self._tell = clock, tell
        options = self._configured()
        self._is_callback = "callback" in options.sinks
        self._configuration.is_recorded = options.is_wanted
        if options != self._options:
            self.end()
        self._emit = emit
        if options.is_wanted:
            self._opened(options)

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
        is_logged = self._has_sessions or (self._options is not None and self._options.wants_frames)
        return self._frame if is_logged or self._is_told else None if self._frames is None else self._tell_frame

    @property
    def _is_told(self) -> bool:
        return self._tell is not None and (self._is_traced or self._is_callback)

    def _frame(self, direction: str, text: str) -> None:
        if self._frames is not None:
            self._tell_frame(direction, text)
        if self._log is not None:
            self._log.frame(self._clock.now(), self._clock.monotonic(), direction, text)
        if self._is_told and self._tell is not None:
            self._tell(MessageExchanged(direction, redacted(text, self._configuration.secret_names)), 0)

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
        if self._emit is None:
            return
        self._is_clearing = True
        try:
            self._emit(SecurityEventRaised("SecurityLogWasCleared", "its oldest files made room for new ones"))
        finally:
            self._is_clearing = False

    def session_started(self, connector_id: int, session_id: str, folder: Path) -> bool:
        """A session that is to be logged by itself. Returns whether `trace` is another one now."""
        options = self._options or self._configured()
        if "session_logging" not in options.sinks:
            return False
        before = self.trace
        self._has_sessions = True
        self._opened(options).session_started(self._clock.now(), connector_id, session_id, folder)
        return before is None

    def session_stopped(self, connector_id: int) -> None:
        if self._has_sessions and self._log is not None:
            self._log.session_stopped(self._clock.now(), connector_id)

    def end(self) -> None:
        """Nothing more will come."""
        self._emit = None
        if self._log is not None:
            self._log.end(self._clock.now())
            self._log = self._options = None
            self._has_sessions = False
