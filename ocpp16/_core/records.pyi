"""Records that do not change once they are made, filled in one step."""

from typing import Any

def fill(record: object, slots: tuple[Any, ...], values: tuple[Any, ...]) -> None: ...
