"""Names by the thousand: ids of charge points by a pattern, and cards that no two drivers hold at the same time."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from random import Random
from string import Formatter
from typing import Final

from ocpp16.address import identity_problems
from ocpp16.texts import shown
from ocpp16.values import whole

_LONG_WIDTH: Final = re.compile(r"[0-9]{3}|[^\x00-\x7f]")
_NUMBER_WORD: Final = re.compile(r"\{number(?::([^{}]*))?\}")
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


def numbered(text: str, number: int) -> str:
    """`text` with this number where it has the word `{number}`, or `{number:06}` in a format of whole numbers; whatever
    else stands in braces stays. Raises ValueError for a format that is none, or makes more than 99 characters."""
    return _NUMBER_WORD.sub(lambda word: _formatted(number, word[1] or ""), text)


def _formatted(number: int, form: str) -> str:
    if _LONG_WIDTH.search(form):
        raise ValueError(f"{{number:{shown(form, 64)}}} has a width of more than 99")
    try:
        return format(number, form)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{{number:{shown(form, 64)}}} is no format: {error}") from None


def _named(pattern: str, count: int, first: int, what: str) -> Iterator[str]:
    if problem := _format_problem(pattern, first + count - 1):
        raise ValueError(f"{what} {shown(pattern)} {problem}; write for example CP{{number:05}}")
    return (pattern.format(number=number) for number in range(first, first + count))


def _format_problem(pattern: str, last: int) -> str:
    """Why it makes no names of numbers up to `last`; "" if it does."""
    try:
        parts = [(field, form or "") for _, field, form, _ in Formatter().parse(pattern) if field is not None]
    except ValueError as error:
        return f"is no format: {error}"
    if {field for field, _ in parts} != {"number"}:
        return "needs the field number, and no other"
    # To a format a width may be anything, and the name as long as the memory.
    if any("{" in form or _LONG_WIDTH.search(form) for _, form in parts):
        return "has a width of more than 99"
    try:
        pattern.format(number=last)
    except (ValueError, LookupError, AttributeError, OverflowError) as error:
        return f"is no format: {error}"
    return ""
