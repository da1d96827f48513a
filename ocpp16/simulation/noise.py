"""The noise on what a meter shows of the moment."""

from os import urandom
from random import Random
from zlib import crc32


class Noise:
    """Gives a factor near 1 each time it is called, at most `most` away from it; of `seed` unless `random` is given.

    A meter asks seven times a sample, and a fleet has thousands of meters: so each goes on from one number (Park and
    Miller's generator), where a `Random` has 2.5 KiB.
    """

    __slots__ = ("_last", "_most", "_random", "_seed")

    def __init__(self, most: float, seed: int | None, random: Random | None = None) -> None:
        self._most = most
        self._seed = seed
        self._random = random
        self._last = 0
        """From 1 to 2³¹ - 2; 0: none was asked for yet."""

    def __call__(self) -> float:
        if not self._most:
            return 1.0
        if self._random is not None:
            return 1.0 + self._most * (2.0 * self._random.random() - 1.0)
        if not self._last:
            seed = urandom(8) if self._seed is None else str(self._seed).encode()
            self._last = 1 + crc32(seed) % 2_147_483_646
        self._last = self._last * 48_271 % 2_147_483_647
        return 1.0 + self._most * (self._last / 1_073_741_823.5 - 1.0)
