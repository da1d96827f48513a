"""The board: a thread that runs one socket and tells what happens there. It knows nothing of OCPP's messages.

Cars and cards are lines on standard input: plug, card ABC, unplug.
"""

import queue
import sys
import threading
from dataclasses import dataclass
from uuid import uuid4

VOLTS, MOST_AMPERES, LEAST_AMPERES = 230, 16, 6


@dataclass(frozen=True)
class Event:
    kind: str
    session_id: str | None
    energy: float  # the register, Wh
    card: str | None = None
    reason: str | None = None


class Board:
    """`on_event` and `on_meter` are called in its thread; `order` may be called from any, and returns at once."""

    def __init__(self):
        self.on_event = self.on_meter = lambda *told: None
        self.energy, self.amperes = 1000.0, 0.0
        self.is_busy = False  # somebody charges
        self.has_ended = threading.Event()  # standard input has; orders are obeyed all the same
        self._orders = queue.SimpleQueue()
        self._limit = float(MOST_AMPERES)
        self._session = self._card = None
        self._is_plugged = self._is_over = self._is_paused = False

    def order(self, what, *arguments):
        """plug, unplug, show CARD, authorized CARD YES, limit_to AMPERES, pause, stop REASON, end."""
        self._orders.put((what, arguments))

    def run(self):
        threading.Thread(target=self._read, daemon=True).start()
        while True:
            try:
                what, arguments = self._orders.get(timeout=0.5)
            except queue.Empty:
                self.energy += self.amperes * VOLTS * 0.5 / 3600
                self.on_meter(self.energy, self.amperes, VOLTS)
                continue
            if what == "end":
                return
            getattr(self, f"_{what}")(*arguments)

    def _read(self):
        for line in sys.stdin:
            match line.split():
                case ["plug" | "unplug" as what]:
                    self.order(what)
                case ["card", card]:
                    self.order("show", card)
        self.has_ended.set()

    def _tell(self, kind, **members):
        self.on_event(Event(kind, self._session, self.energy, **members))

    def _plug(self):
        if self._is_plugged:
            return
        self._is_plugged = True
        if self._session is None:
            self._begin_session("EVConnected")
        self._begin()

    def _unplug(self):
        self._is_plugged = False
        self._stop("EVDisconnected")
        if self._session is not None:
            self._tell("SessionStopped")
        self._session = self._card = None

    def _show(self, card):
        if self.is_busy and card.casefold() == self._card.casefold():
            self._stop("Local", card)
        else:
            self._tell("CardShown", card=card)

    def _authorized(self, card, is_accepted):
        if not is_accepted or self._card is not None:
            print("refused" if not is_accepted else "not free", flush=True)
            return
        print("welcome", flush=True)
        self._card = card
        if self._session is None or self._is_over:
            self._begin_session("Authorized")
        self._begin()

    def _begin_session(self, reason):
        self._session, self._is_over = uuid4().hex, False
        self._tell("SessionStarted", reason=reason)

    def _begin(self):
        if self._is_plugged and self._card is not None and not self.is_busy:
            self.is_busy, self._is_paused = True, False
            self._tell("TransactionStarted", card=self._card)
            self._supply()

    def _pause(self):
        self._is_paused = True
        self._supply()

    def _limit_to(self, amperes):
        self._limit = min(amperes, MOST_AMPERES)
        self._supply()

    def _supply(self):
        if self.is_busy:
            self.amperes = 0.0 if self._is_paused or self._limit < LEAST_AMPERES else self._limit
            self._tell("Charging" if self.amperes else "PausedByStation")

    def _stop(self, reason, card=None):
        self.amperes = 0.0
        if self.is_busy:
            self.is_busy, self._is_over = False, True
            self._tell("TransactionStopped", card=card, reason=reason)
            self._card = None
