"""Who is told of the traffic of one charge point: its observer, its message log, neither.

Where nobody is, nothing is handed on at all: `trace` is None. A log begins with the first start, or with the first
session that has a folder of its own, and goes on over restarts; where one was configured otherwise, another begins.
"""

from collections.abc import Callable
from pathlib import Path

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import internal
from ocpp16.message_log.message_log import MessageLog
from ocpp16.message_log.options import Options
from ocpp16.message_log.writer import Writer
from ocpp16.models import Counters
from ocpp16.observer import MessageExchanged, ObserverEvent, SecurityEvent
from ocpp16.redaction import redacted
from ocpp16.state.clock import Clock

Tell = Callable[[ObserverEvent, int], None]


class Traffic:
    """Parameters: `folder` of the message log, or None; `writer` is that of the block; `tell` gives an event to the
    observer, None where there is none; `is_traced`: the observer is to be told each frame."""

    __slots__ = (
        "_clock",
        "_configuration",
        "_counters",
        "_folder",
        "_is_traced",
        "_log",
        "_options",
        "_tell",
        "_writer",
    )

    def __init__(
        self, configuration: Configuration, folder: Path | None, writer: Writer, counters: Counters, *, is_traced: bool
    ) -> None:
        self._configuration = configuration
        self._folder = folder
        self._writer = writer
        self._counters = counters
        self._is_traced = is_traced
        self._options: Options | None = None
        self._log: MessageLog | None = None
        self._tell: Tell | None = None
        self._clock: Clock | None = None

    def begin(self, clock: Clock, tell: Tell | None) -> None:
        """A start: with what is configured now, and its clock."""
        self._clock, self._tell = clock, tell
        options = Options.of(self._configuration, has_folder=self._folder is not None)
        if self._log is not None and options != self._options:
            self.end()
        self._options = options
        if options.is_wanted:
            self._begin_log()

    def _begin_log(self) -> MessageLog:
        assert self._clock is not None
        assert self._options is not None
        if self._log is None:
            identity = self._configuration[internal.CHARGE_POINT_ID]
            self._log = MessageLog(
                identity, self._folder, self._options, self._writer, self._counters, self._clock.now()
            )
        return self._log

    @property
    def trace(self) -> Callable[[str, str], None] | None:
        """What a link tells each text frame; None: nobody wants to know."""
        return self._frame if self._log is not None or self._is_told else None

    @property
    def _is_told(self) -> bool:
        is_asked_for = self._is_traced or (self._options is not None and "callback" in self._options.sinks)
        return is_asked_for and self._tell is not None

    def _frame(self, direction: str, text: str) -> None:
        if self._log is not None and self._clock is not None:
            self._log.frame(self._clock.now(), self._clock.monotonic(), direction, text)
        if self._is_told and self._tell is not None:
            self._tell(MessageExchanged(direction, redacted(text)), 0)

    def event(self, text: str) -> None:
        """What happened to the connection, in words."""
        if self._log is not None and self._clock is not None:
            self._log.event(self._clock.now(), text)

    def security_event(self, event: SecurityEvent) -> None:
        if self._log is not None and self._clock is not None:
            self._log.security_event(self._clock.now(), event.type, event.tech_info)

    def session_started(self, connector_id: int, session_id: str, folder: Path) -> bool:
        """A session that is to be logged by itself. Returns whether `trace` is another one now."""
        if self._options is None:
            self._options = Options.of(self._configuration, has_folder=self._folder is not None)
        if "session_logging" not in self._options.sinks or self._clock is None:
            return False
        is_new = self.trace is None
        self._begin_log().session_started(self._clock.now(), connector_id, session_id, folder)
        return is_new

    def session_stopped(self, connector_id: int) -> None:
        if self._log is not None and self._clock is not None:
            self._log.session_stopped(self._clock.now(), connector_id)

    def end(self) -> None:
        """Nothing more will come."""
        if self._log is not None and self._clock is not None:
            self._log.end(self._clock.now())
            self._log = None
