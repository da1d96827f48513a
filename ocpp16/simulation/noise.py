"""The noise on what a meter shows of the moment."""

from random import Random


class Noise:
    """Gives a factor near 1 each time it is called, at most `most` away from it; of `seed` unless `random` is given."""

    __slots__ = ("_most", "_random", "_seed")

    def __init__(self, most: float, seed: int | None, random: Random | None = None) -> None:
        self._most = most
        self._seed = seed
        self._random = random

    def __call__(self) -> float:
        if not self._most:
            return 1.0
        if self._random is None:
            self._random = Random(self._seed)  # noqa: S311 - noise on a display; made late, it weighs 2.5 KiB
        return 1.0 + self._most * (2.0 * self._random.random() - 1.0)
