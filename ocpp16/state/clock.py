"""The wall clock of a charge point: an anchor plus the time that went by since.

Rules of this file:
1. Nobody else knows the date. `now()` is the anchor plus the monotonic time since it; the anchor is read once, where
   the charge point is opened, and moved only by what the Central System says (BootNotification, Heartbeat).
2. A shift smaller than `SMALLEST_SHIFT` is ignored: many Central Systems cut `currentTime` to whole seconds, and the
   answer was on its way for a while. Following such jitter would let time run backwards between two events of one
   transaction. A larger shift is applied whole, forwards or backwards; time may then step back once. What was dated
   ahead of a clock that was set back was dated by a wrong one (`put_right`).
3. Until the Central System has spoken, the clock may be wrong by decades. Times taken in that state are marked with
   `clock_boot`, the number of the boot, and are corrected when they go on the wire, never in the store.
4. The first `set()` of a boot is that boot's correction, for all its marked times. At that moment the earlier boots
   that never had a connection get one too: their clocks are taken to be as wrong as the present one, but they must
   have ended before what follows them began. From the newest to the oldest, the correction is the present boot's,
   lowered where needed until the boot's latest known time meets the start of the next. So the distances within a
   boot are kept, and so is the order of all times. `note()` tells which times of which boots there are. Who is
   accepted without being told the time tells messages by the clock as it is: from then on the correction is none
   (`settle()`), for what a repeat says must not depend on what is known later.
5. A time that cannot be the present is no time: what the Central System says outside of EARLIEST…LATEST is not
   followed (the year 1 is how .NET says "unset"), and a correction that would lead a time out of there, as one stored
   after such a lie, is not made.
6. Nothing here overflows: every time lies in the years 1 to 9999, and what is beyond becomes the nearest one inside.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from ocpp16._core import format_datetime, parse_datetime
from ocpp16._core.by_number import ByNumber
from ocpp16.values import aware

EARLIEST, LATEST = 1_704_067_200_000_000, 4_102_444_800_000_000
"""µs: from 2024-01-01, before which this library was not written, to 2100-01-01. What lies outside is not the present.
"""
SMALLEST_SHIFT = 1_000_000
"""µs; smaller differences between our clock and the Central System's are left alone."""
IN_DOUBT = 600.0
"""Seconds after a start in which nothing comes to its time for good by a clock that nobody has set: it may be wrong by
years."""

_SECOND = 1e6
"""µs."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST_ANCHOR = _LAST - 1000 * 365 * 86_400_000_000
"""A clock set to the end of all times would stand in a millennium only."""


def plausible(micros: int) -> bool:
    """Can it be `micros` now?"""
    return EARLIEST <= micros < LATEST


def dated(micros: int, now: int) -> int:
    """When something was that the host says to have been at `micros`, if it is `now` by our clock.

    Now, if that is ahead of us (the host's clock is), or cannot be (the host's clock was never set).
    """
    return now if micros > now or micros < EARLIEST <= now else micros


def put_right(micros: int, now: int, shift: int) -> int:
    """A time that a clock gave which was then moved by `shift` µs, and says `now`: nothing lies ahead of that.

    What does was dated by the wrong clock, and moves with it.
    """
    return min(within(micros + shift), now) if micros > now else micros


def _leads_out(micros: int, correction: int) -> bool:
    """Would a time that can be the present be one that cannot?"""
    return plausible(micros) and not plausible(micros + correction)


def within(micros: int) -> int:
    """`micros`, or the nearest time within the years 1 to 9999."""
    if _FIRST <= micros <= _LAST:
        return micros
    return _FIRST if micros < _FIRST else _LAST


def to_micros(time: datetime, name: str = "time") -> int:
    """µs since 1970 UTC of an aware `time`. Raises ValueError that names it if it has no zone."""
    if type(time) is not datetime or time.tzinfo is not UTC:
        time = aware(time, name)
    return within((time - _EPOCH) // _MICROSECOND)  # an offset may lead out of the years


def to_datetime(micros: int) -> datetime:
    """The aware datetime in UTC of `micros` µs since 1970."""
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return _EPOCH + timedelta(microseconds=within(micros))


class Steady:
    """Seconds that never go back: those of the processor's counter, from a beginning of one's own."""

    __slots__ = ("_offset",)

    def __init__(self, offset: float) -> None:
        self._offset = offset

    def seconds(self) -> float:
        return self._offset + perf_counter()

    def __call__(self) -> float:
        return self.seconds()


class Clock:
    """Wall time of one charge point.

    Parameters: `monotonic` gives seconds that never go back; `anchor` is the wall time now, µs: of the moment of this
    call, so do not read it long before (`Clock.started`); `boot` is the number of this boot, 0 if boots are not counted
    (then no time is ever marked or corrected); `rate` is how many seconds of the calendar pass in one of `monotonic`: 1
    but where a simulation runs faster than the world that it talks to.
    """

    __slots__ = (
        "_anchor",
        "_micros",
        "_monotonic",
        "_spans",
        "_started",
        "_steady",
        "_zero",
        "boot",
        "corrections",
        "is_set",
        "is_settled",
        "is_trusted",
    )

    def __init__(self, monotonic: Callable[[], float], anchor: int, boot: int = 0, rate: float = 1.0) -> None:
        self._monotonic = monotonic
        self._micros = _SECOND if rate == 1.0 else _SECOND * rate
        self._steady = monotonic if isinstance(monotonic, Steady) else None
        self._zero = monotonic()
        self._anchor = anchor = min(within(anchor), _LAST_ANCHOR)
        self._started = anchor
        self._spans: ByNumber[tuple[int, int]] = ByNumber()
        self.boot: int = boot
        self.is_set: bool = False
        """Has the Central System said what time it is?"""
        self.is_trusted: bool = False
        """Has it, in this start or in one before that this clock goes on from?"""
        self.is_settled: bool = False
        """Is it known how the marked times are corrected?"""
        self.corrections: ByNumber[int] = ByNumber()
        """Boot → µs to add to its marked times. Restored from the store; to be stored when they are settled."""

    @classmethod
    def started(
        cls, monotonic: Callable[[], float], wall: Callable[[], float], boot: int = 0, rate: float = 1.0
    ) -> "Clock":
        """A clock that shows what `wall` says (seconds since 1970): both are read in this one moment.

        To be called first of all; what is opened and read afterwards may take its time.
        """
        return cls(monotonic, round(wall() * 1e6), boot, rate)

    def continued(self) -> "Clock":
        """The clock of the next start: it goes on showing the same time, but nobody has set it yet."""
        clock = Clock(self._monotonic, 0)
        clock._micros = self._micros
        clock._zero = self._zero
        clock._anchor = self._anchor
        clock._started = self.now()
        clock.is_trusted = self.is_trusted
        return clock

    @property
    def clock_boot(self) -> int:
        """What a time taken now is marked with: 0 if that is settled, else the number of this boot."""
        return 0 if self.is_settled else self.boot

    def monotonic(self) -> float:
        """Seconds of the monotonic clock, the `now` of everything that is scheduled."""
        steady = self._steady
        return self._monotonic() if steady is None else steady.seconds()

    def now(self) -> int:
        """Wall time, µs since 1970 UTC. Always a time that `to_datetime` and the wire know."""
        return self._anchor + round((self.monotonic() - self._zero) * self._micros)

    def passed(self, seconds: float) -> int:
        """µs of the calendar that pass in so many seconds of the monotonic clock."""
        return round(seconds * self._micros)

    def now_datetime(self) -> datetime:
        """The time now, in UTC."""
        return to_datetime(self.now())

    def monotonic_at(self, micros: int) -> float:
        """The monotonic time at which this clock shows `micros`, if nobody sets it before."""
        return self._zero + (micros - self._anchor) / self._micros

    def set(self, micros: int) -> int:
        """The Central System says it is `micros` now. Returns by how much the clock moved, µs (0 below the threshold).

        The first call of a boot also settles the corrections (rule 4).
        A time that is not `plausible` changes nothing: ask before, if that is to be told.
        """
        if not plausible(micros):
            return 0
        shift = micros - self.now()
        if abs(shift) < SMALLEST_SHIFT:
            shift = 0
        self._anchor += shift
        self.is_set = self.is_trusted = True
        self.settle(shift)
        return shift

    def settle(self, shift: int = 0) -> None:
        """From now on messages are told: this boot's marked times are corrected by `shift` µs, for good (rule 4).

        The noted boots without a correction get theirs. Done once in a boot; later calls change nothing.
        """
        if self.is_settled:
            return
        self.is_settled = True
        if not self.boot:
            return
        self.corrections[self.boot] = shift
        limit = self._started + shift
        for boot in sorted(self._spans, reverse=True):
            earliest, latest = self._spans[boot]
            if boot not in self.corrections:
                correction = min(shift, limit - latest)
                self.corrections[boot] = 0 if _leads_out(earliest, correction) else correction
            limit = min(limit, earliest + self.corrections[boot])

    def note(self, micros: int, clock_boot: int) -> None:
        """A stored time is marked with `clock_boot`. To be called for each of them before the first `set()`."""
        if clock_boot and clock_boot != self.boot:
            micros = within(micros)
            earliest, latest = self._spans.get(clock_boot, (micros, micros))
            self._spans[clock_boot] = min(earliest, micros), max(latest, micros)

    def prune(self) -> tuple[int, ...]:
        """Drop the corrections of boots no stored time is marked with, and those that cannot be (rule 5); returns these
        boots, for their rows.

        To be called once, after all `note()`s.
        """
        unused = tuple(boot for boot in self.corrections if boot != self.boot and not self._is_of_use(boot))
        for boot in unused:
            del self.corrections[boot]
        return unused

    def _is_of_use(self, boot: int) -> bool:
        if boot not in self._spans:
            return False
        earliest, _ = self._spans[boot]
        return not _leads_out(earliest, self.corrections[boot])

    def corrected(self, micros: int, clock_boot: int) -> int:
        """The best knowledge of a time that is marked with `clock_boot`; unchanged while nothing is known."""
        if not clock_boot:
            return within(micros)
        if clock_boot in self.corrections:
            corrected = within(micros + self.corrections[clock_boot])
        else:
            present = self.corrections.get(self.boot)
            if present is None:
                return within(micros)
            corrected = within(min(micros, self._started) + present)
        return micros if plausible(micros) and not plausible(corrected) else corrected

    def settled(self, micros: int, clock_boot: int) -> tuple[int, int]:
        """A time and its mark as they are now: corrected and without a mark, as soon as the correction is known."""
        is_known = not clock_boot or self.is_settled or clock_boot in self.corrections
        return (self.corrected(micros, clock_boot), 0) if is_known else (micros, clock_boot)

    def is_before(self, micros: int, clock_boot: int, other: int, other_clock_boot: int) -> bool:
        """Is it known that the first time, each with its mark, lies before the other?

        Nobody can tell while one of them is of a boot whose clock was not set and the other is not of that boot.
        """
        if clock_boot == 0 == other_clock_boot:
            return micros < other
        time, mark = self.settled(micros, clock_boot)
        other_time, other_mark = self.settled(other, other_clock_boot)
        return mark == other_mark and time < other_time


def correct_timestamps(payload: dict[str, Any], correct: Callable[[int], int]) -> dict[str, Any]:
    """A copy of `payload` in which every `timestamp` member, at any depth, went through `correct` (µs → µs).

    Number of fraction digits and all else stay; a text that is no time stays as it is. The given payload is not
    changed. Meant for the requests StartTransaction, StopTransaction and MeterValues.
    """
    return {name: _corrected_member(name, value, correct) for name, value in payload.items()}


def _corrected_member(name: str, value: Any, correct: Callable[[int], int]) -> Any:
    if isinstance(value, dict):
        return correct_timestamps(value, correct)
    if isinstance(value, list):
        return [_corrected_member("", item, correct) for item in value]
    if name == "timestamp" and isinstance(value, str):
        try:
            micros = parse_datetime(value)
        except ValueError:
            return value
        return format_datetime(within(correct(micros)), _fraction_digits(value))
    return value


def _fraction_digits(text: str) -> int:
    fraction = text.partition(".")[2]
    digits = len(fraction) - len(fraction.lstrip("0123456789"))
    return min(digits, 6)
