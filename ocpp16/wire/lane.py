"""One direction of a disturbed connection: bytes in, what becomes of them and when out.

Rules of this file:
1. What happens to a message is decided when its first byte is there, by one draw for each fault that may meet it: the
   pieces in which bytes come change nothing.
2. A message that is dropped, doubled or followed by something is met as a whole; control frames and the handshake are
   only late.
3. Nothing overtakes anything.
4. It waits for nobody: whoever owns the lane takes what is due.
"""

from collections import Counter, deque
from collections.abc import Callable
from math import inf
from random import Random
from typing import Final

from ocpp16.wire.borders import Borders, Part
from ocpp16.wire.faults import Fault, Way, WireFaults, Word
from ocpp16.wire.junk import frame, garbage

LONGEST_COPY: Final = 1 << 20
"""Bytes of a message that can be doubled; a longer one passes once."""
MOST_WAITING: Final = 16
"""Pieces of garbage and raw texts that wait until a message is over; more are left out."""
_AT_ANY_TIME: Final = (Word.CUT, Word.HALF_OPEN, Word.GARBAGE, Word.RAW)
"""Words that happen without a message where they have a period."""
_OF_BOTH: Final = (Word.CUT, Word.HALF_OPEN)
"""Words that meet the connection: by a period only once, however many lanes there are."""
_NONE: Final = WireFaults()


class Lane:
    """Parameters: `way` it leads, seen from the charge point; `ask` gives the faults of this moment; `chance` decides;
    `counts` how often each word happened.

    queue: what comes next and when, bytes or a fault that ends the lane; size: bytes of it. is_over: nothing more
    comes out of it but what is in the queue.
    """

    __slots__ = (
        "_ask",
        "_behind",
        "_borders",
        "_chance",
        "_copy",
        "_counts",
        "_delay",
        "_is_dropped",
        "_latency",
        "_latest",
        "_seen",
        "_timers",
        "_timing",
        "_turns",
        "_waiting",
        "_way",
        "is_over",
        "queue",
        "size",
    )

    def __init__(
        self, way: Way, ask: Callable[[], WireFaults | None], chance: Random, counts: "Counter[Word]", now: float
    ) -> None:
        self._way = way
        self._ask = ask
        self._chance = chance
        self._timing = Random(chance.getrandbits(64))  # noqa: S311 - repeatable, not secret
        self._counts = counts
        self._borders = Borders(is_answer=way is Way.IN)
        self._timers: dict[Fault, float] = {}
        self._turns: dict[Fault, int] = {}
        self._seen: WireFaults | None = None
        self._latency = 0.0
        self._delay = 0.0
        """Of the present message."""
        self._is_dropped = False
        self._copy: bytearray | None = None
        self._behind: list[bytes] = []
        """What follows the present message."""
        self._waiting: list[bytes] = []
        """The same, of what needs no message."""
        self._latest = -inf
        """When the last thing in the queue is due."""
        self.is_over: bool = False
        self.queue: deque[tuple[float, bytes | Fault]] = deque()
        self.size: int = 0
        self._faults(now)

    def feed(self, data: bytes, now: float) -> None:
        """Take in what was sent."""
        if self.is_over:
            return
        for part in self._borders.feed(data):
            if part.begins and not self._passes(now):
                return
            if part.is_message:
                self._take(part, now)
            else:
                self._put(part.data, now + self._latency)

    def tick(self, now: float) -> None:
        """Do what needs no message, if it is time for it."""
        if self.is_over:
            return
        for fault in self._faults(now):
            if fault.every and fault.word in _AT_ANY_TIME and self._is_mine(fault) and self._is_time(fault, now):
                if fault.word in _OF_BOTH:
                    self._end(fault, now)
                    return
                if len(self._waiting) < MOST_WAITING:
                    self._waiting += self._addition(fault)
        if self._waiting and self._borders.is_between:
            self._put_all(self._waiting, now + self._latency)

    def next_tick(self) -> float:
        """When `tick` has something to do, by `now`; inf: never, of the faults that were seen last."""
        if self.is_over:
            return inf
        return min((at for fault, at in self._timers.items() if fault.word in _AT_ANY_TIME), default=inf)

    def take(self, now: float, most: int | None = None) -> bytes | Fault | None:
        """The next that is due, of bytes as many as are due and allowed; None: nothing is."""
        taken: list[bytes] = []
        left = inf if most is None else most
        while self.queue and self.queue[0][0] <= now and left > 0:
            due, found = self.queue[0]
            if isinstance(found, Fault):
                if taken:
                    break
                self.queue.popleft()
                return found
            self.queue.popleft()
            if len(found) > left:
                self.queue.appendleft((due, found[int(left) :]))
                found = found[: int(left)]
            taken.append(found)
            left -= len(found)
            self.size -= len(found)
        return b"".join(taken) if taken else None

    def silence(self) -> None:
        """Nothing comes out any more."""
        self.is_over = True
        self.queue.clear()
        self.size = 0

    def _faults(self, now: float) -> tuple[Fault, ...]:
        """Those of this moment."""
        found = self._ask() or _NONE
        if found is not self._seen:
            self._seen = found
            mine = [fault for fault in found.faults if fault.meets(self._way)]
            self._latency = sum(fault.seconds for fault in mine if fault.word is Word.LATENCY)
            periodic = [fault for fault in mine if fault.every and self._is_mine(fault)]
            self._timers = {fault: self._timers.get(fault) or self._next(fault, now) for fault in periodic}
        return found.faults

    def _is_mine(self, fault: Fault) -> bool:
        if fault.word in _OF_BOTH and fault.way is Way.BOTH:
            return self._way is Way.OUT
        return fault.meets(self._way)

    def _next(self, fault: Fault, now: float) -> float:
        return now + fault.every * self._timing.uniform(0.5, 1.5)

    def _is_time(self, fault: Fault, now: float) -> bool:
        at = self._timers.get(fault, inf)
        if now < at:
            return False
        self._timers[fault] = self._next(fault, now)
        return True

    def _passes(self, now: float) -> bool:
        """A message begins: decide what is to happen to it. False: the lane is over."""
        self._is_dropped, self._copy, self._behind = False, None, []
        jitter = 0.0
        end: Fault | None = None
        for fault in self._faults(now):
            if not fault.meets(self._way):
                continue
            if fault.word is Word.JITTER:
                jitter += fault.seconds * self._chance.random()
            elif self._meets(fault, now):
                if fault.word in _OF_BOTH:
                    end = end or fault
                elif fault.word is Word.DROP:
                    self._is_dropped = True
                elif fault.word is Word.DUPLICATE:
                    self._copy = bytearray()
                else:
                    self._behind += self._addition(fault)
        self._delay = self._latency + jitter
        if end is not None:
            self._end(end, now + self._delay)
        elif self._is_dropped:
            self._counts[Word.DROP] += 1
        return end is None

    def _meets(self, fault: Fault, now: float) -> bool:
        if fault.every:
            return fault.word not in _AT_ANY_TIME and self._is_time(fault, now)
        return fault.probability > 0.0 and (fault.probability >= 1.0 or self._chance.random() < fault.probability)

    def _addition(self, fault: Fault) -> list[bytes]:
        """What garbage and raw texts add; nothing where each text was sent once."""
        is_client = self._way is Way.OUT
        if fault.word is Word.GARBAGE:
            self._counts[Word.GARBAGE] += 1
            return [garbage(fault.junk, self._chance, is_client=is_client)]
        if fault.word is not Word.RAW:
            return []
        turn = self._turns.get(fault, 0)
        if fault.is_once and turn >= len(fault.texts):
            return []
        self._turns[fault] = turn + 1
        self._counts[Word.RAW] += 1
        return [frame(fault.texts[turn % len(fault.texts)].encode(), self._chance if is_client else None)]

    def _end(self, fault: Fault, due: float) -> None:
        self.is_over = True
        self._latest = max(self._latest, due)
        self.queue.append((self._latest, fault))

    def _take(self, part: Part, now: float) -> None:
        """Bytes of the present message."""
        due = now + self._delay
        if not self._is_dropped:
            self._put(part.data, due)
            if self._copy is not None:
                self._copy += part.data
                if len(self._copy) > LONGEST_COPY:
                    self._copy = None
        if part.ends:
            if self._copy:
                self._counts[Word.DUPLICATE] += 1
                self._put(bytes(self._copy), due)
            self._copy = None
            self._put_all(self._behind, due)
            self._put_all(self._waiting, due)

    def _put_all(self, pieces: list[bytes], due: float) -> None:
        for piece in pieces:
            self._put(piece, due)
        pieces.clear()

    def _put(self, data: bytes, due: float) -> None:
        self._latest = max(self._latest, due)
        self.queue.append((self._latest, data))
        self.size += len(data)
