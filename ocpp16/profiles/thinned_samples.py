"""The samples of one transaction, within as many bytes as its StopTransaction has room for.

Rules of this file:
1. What stays as long as anything else is there: the first sample, the newest one, signed values, and what
   Transaction.Begin and Transaction.End say. Clock-aligned ones leave, though they be signed: whole, and there is no
   end to them.
2. The others leave one by one as new ones come, those of odd places first: what stays is spread evenly over the whole
   transaction, however long that is, and never one turn has them all to do.
3. What leaves is for its owner to tell in another way; here it is only picked.
"""

from collections.abc import Mapping

import orjson

from ocpp16.enums import ReadingContext, ValueFormat
from ocpp16.store.tables.samples import SampleRow

_ENDS = frozenset({ReadingContext.TRANSACTION_BEGIN.value, ReadingContext.TRANSACTION_END.value})


class ThinnedSamples:
    """`limit`: bytes of JSON, each sample with its comma."""

    __slots__ = ("_limit", "_place", "_size", "_sizes", "_stride", "rows", "sequence")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.rows: list[SampleRow] = []
        """Those that stayed, in the order in which they were taken."""
        self.sequence: int = 0
        """Of the last one that came, whether it stayed or not."""
        self._sizes: list[int] = []
        self._size = 0
        self._stride = 1
        """Samples whose number is no multiple of this have left."""
        self._place = 0
        """From where on those that are no multiple of the next stride are still there."""

    def restore(self, row: SampleRow) -> None:
        """Take in a stored one; they come in their order. None leaves before another one is added."""
        self._append(row, len(orjson.dumps(row.payload)) + 1)

    def add(self, row: SampleRow, size: int) -> list[SampleRow]:
        """Take in the next one, of so many bytes. Returns those that leave for it, which are gone from `rows`."""
        leaving = []
        last = len(self.rows) - 1
        if last > 0 and self.rows[last].sequence % self._stride and not _stays(self.rows[last]):
            leaving.append(self._take_out(last))  # it was only there as the newest
        self._append(row, size + 1)
        while self._size > self._limit:
            place = self._next()
            if place is None:
                break
            leaving.append(self._take_out(place))
        return leaving

    def largest_out(self) -> SampleRow | None:
        """Where those that stay are too much for one message the largest of them leaves. None if they are not, or there
        is one alone."""
        if self._size <= self._limit or len(self.rows) < 2:
            return None
        return self._take_out(max(range(len(self.rows)), key=self._sizes.__getitem__))

    def _append(self, row: SampleRow, size: int) -> None:
        self.sequence = row.sequence
        self.rows.append(row)
        self._sizes.append(size)
        self._size += size

    def _next(self) -> int | None:
        """The place of the next one to leave; None if all are to stay."""
        last = len(self.rows) - 1
        while True:
            first, are_others = max(self._place, 1), False
            for place in range(first, last):
                row = self.rows[place]
                if not _stays(row):
                    are_others = True
                    if row.sequence % (2 * self._stride):
                        self._place = place
                        return place
            if first == 1 and not are_others:
                return None
            self._stride, self._place = 2 * self._stride, 0

    def _take_out(self, place: int) -> SampleRow:
        self._size -= self._sizes.pop(place)
        return self.rows.pop(place)


def _stays(row: SampleRow) -> bool:
    values = row.payload["sampledValue"]
    return any(value.get("context") in _ENDS or _is_signed(value) for value in values)


def _is_signed(value: Mapping[str, str]) -> bool:
    return value.get("format") == ValueFormat.SIGNED_DATA and value.get("context") != ReadingContext.SAMPLE_CLOCK
