"""Who is told that a configuration key has changed: the callbacks of `on_change`, which go on over starts."""

from collections.abc import Callable
from functools import partial

from ocpp16.charge_point.second_line import SecondLine

KeyCallback = Callable[[str | None, str | None], None]
"""Told the old and the new value of a key, as text on the wire; None where there is none, or it cannot be read."""


class KeyCallbacks:
    """Of one charge point. What a callback raises ends nothing else."""

    __slots__ = ("_by_key", "_second_line")

    def __init__(self, second_line: SecondLine) -> None:
        self._by_key: dict[str, list[KeyCallback]] | None = None
        """By the name of the key; None until there is one: thousands of charge points have none."""
        self._second_line = second_line

    def add(self, key: str, callback: KeyCallback) -> Callable[[], None]:
        """Returns what ends it; a second call of that does nothing."""
        if self._by_key is None:
            self._by_key = {}
        callbacks = self._by_key.setdefault(key, [])
        told = partial(callback)  # so that the same function given twice is undone once
        callbacks.append(told)

        def undo() -> None:
            if told in callbacks:
                callbacks.remove(told)

        return undo

    def tell(self, key: str, old: str | None, new: str | None) -> None:
        for callback in tuple((self._by_key or {}).get(key, ())):
            self._second_line.guarded(f"callback of on_change({key})", partial(callback, old, new))
