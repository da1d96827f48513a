"""What a linter remembers has an end: the oldest is forgotten first."""

from typing import Any, Final

MOST_CONNECTORS: Final = 1_000
"""Of a charge point, as many as one of ours has; what is told of others is not remembered."""


def forget_oldest(known: dict[Any, Any], most: int) -> None:
    """One came: where there are more than `most` now, the one that came first goes."""
    if len(known) > most:
        del known[next(iter(known))]
