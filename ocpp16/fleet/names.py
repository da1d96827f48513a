"""Names by the thousand: ids of charge points by a pattern, and cards that no two drivers hold at the same time."""

from collections import deque
from collections.abc import Iterable, Iterator
from random import Random
from string import Formatter
from typing import Final

from ocpp16.address import identity_problems
from ocpp16.texts import shown
from ocpp16.values import whole

LONGEST_ID_TAG: Final = 20
"""CiString20Type (OCPP 1.6 ed. 2 §7.2)."""


def identities(pattern: str, count: int, first: int = 1) -> Iterator[str]:
    """The ids of `count` charge points, numbered from `first` on.

    pattern: a format string with the field `number`, as `CP{number:05}`; of one charge point it may be the id itself.
    Raises ValueError for one without the field where there are more (all would have one name), for a format that is
    none, and for an id that no charge point can have.
    """
    count, first = whole(count, "count", 1), whole(first, "first", 0)
    is_id = count == 1 and not {"{", "}"} & set(pattern)
    names = iter((pattern,)) if is_id else _named(pattern, count, first, "the pattern")
    for name in names:
        problems = identity_problems(name)
        if problems:
            raise ValueError(f"the pattern {shown(pattern)} makes {shown(name)}, and an id {problems[0]}")
        yield name


class TagPool:
    """Cards for drivers: each is taken by one at a time. `seed` makes the order repeatable.

    tags: the id tags themselves, or a pattern as of `identities`, of which `count` are made, from the number `first`
    on. Raises ValueError for one
    of more than 20 characters, an empty one, or two that are the same: the case of letters does not count.
    """

    def __init__(self, tags: str | Iterable[str], count: int = 1_000, *, seed: int = 0, first: int = 1) -> None:
        known: dict[str, str] = {}
        for tag in (
            _named(tags, whole(count, "count", 1), whole(first, "first", 1), "the pattern of id tags")
            if isinstance(tags, str)
            else tags
        ):
            if not isinstance(tag, str) or not 1 <= len(tag) <= LONGEST_ID_TAG:
                raise ValueError(f"an id tag has 1 to {LONGEST_ID_TAG} characters, and not {shown(tag)}")
            if known.setdefault(tag.lower(), tag) != tag or len(known) > 10_000_000:
                raise ValueError(f"two id tags are {shown(tag)}")
        order = list(known.values())
        Random(seed).shuffle(order)  # noqa: S311 - repeatable, not secret
        self._free = deque(order)
        self._taken: set[str] = set()

    def __len__(self) -> int:
        """How many there are to be had."""
        return len(self._free)

    def take(self) -> str:
        """The one that was given back longest ago. Raises LookupError if all are taken."""
        if not self._free:
            raise LookupError(f"all {len(self._taken)} id tags are taken")
        tag = self._free.popleft()
        self._taken.add(tag)
        return tag

    def give_back(self, tag: str) -> None:
        """It may be taken again. Raises ValueError for one that is not taken."""
        if tag not in self._taken:
            raise ValueError(f"the id tag {shown(tag)} is not taken")
        self._taken.remove(tag)
        self._free.append(tag)


def _named(pattern: str, count: int, first: int, what: str) -> Iterator[str]:
    try:
        fields = {field for _, field, _, _ in Formatter().parse(pattern) if field is not None}
        pattern.format(number=first)
    except (ValueError, LookupError, AttributeError) as error:
        raise ValueError(f"{what} {shown(pattern)} is no format: {error}; write for example CP{{number:05}}") from None
    if fields != {"number"}:
        raise ValueError(f"{what} {shown(pattern)} needs the field number, and no other: as in CP{{number:05}}")
    return (pattern.format(number=number) for number in range(first, first + count))
