"""A charge point over its lives, in steps drawn by chance, on the virtual clock: for tests that have a model beside it.

After each step the charge point is compared with the model. At each commit the power could have gone: of some, what lay
on the disk then is started from, and that has to be what was before the step, or what is after it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from random import Random
from typing import Any, ClassVar, Self

import trio

from ocpp16.errors import StoreError
from ocpp16.store.base import ChargePointChanges
from ocpp16.store.memory import MemoryStore
from ocpp16.testing.central_system import START, CentralSystem

SECOND = 1_000_000
STORE_TIMEOUT = 5


class Disk(MemoryStore):
    """Outlives a charge point, and remembers what lay on it after each commit. Takes nothing while it `is_full`."""

    def __init__(self) -> None:
        super().__init__(is_volatile=False)
        self.is_full = False
        self.seen: list[MemoryStore] = []

    def apply(self, batches: Sequence[ChargePointChanges]) -> dict[str, Exception]:
        if self.is_full:
            raise StoreError("no space left on device")
        refused = super().apply(batches)
        self.look()
        return refused

    def look(self) -> None:
        left = MemoryStore(is_volatile=False)
        left._rows = {who: {name: copy(rows) for name, rows in tables.items()} for who, tables in self._rows.items()}
        self.seen.append(left)


class Story:
    """Parameters: `cuts` is how many of the commits a power cut is tried at, 0 to 1."""

    acts: ClassVar[Mapping[Callable[[Any], Awaitable[None]], int]] = {}
    """Steps, and how often each is chosen."""

    def __init__(self, seed: int, open_bench: Any, document: Any, *, cuts: float) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.chance = Random(seed)
        """Of the Central System: which of the two is asked first may be another one each time."""
        self.open_bench = open_bench
        self.document = document
        self.cuts = cuts
        self.disk = Disk()
        self.ahead = 0
        """µs of the clock that the Central System tells, ahead of the true one."""
        self.steps: list[str] = []
        self.bench: Any
        self.csms: CentralSystem

    # For the story at hand

    def script(self, csms: CentralSystem) -> None:
        """What the Central System answers."""

    def begins(self) -> None:
        """A life is to begin: of the model there is what is on disk."""

    def begun(self) -> None:
        """It began."""

    def before(self) -> Any:
        """What of the model a power cut in the next step may leave."""
        raise NotImplementedError

    async def compare(self) -> None:
        raise NotImplementedError

    def check_start(self, bench: Any, before: Any) -> None:
        """What a start after a power cut in the step found."""
        raise NotImplementedError

    # Lives and steps

    def now(self) -> int:
        return START + round(trio.current_time() * 1e6) + self.ahead

    @property
    def is_online(self) -> bool:
        return "cp001" in self.csms.connected

    async def run(self, lives: int, steps: int) -> Self:
        """So many lives of some `steps`. What fails is printed with its latest steps."""
        try:
            for _ in range(lives):
                self.begins()
                # The Central System sets the clock at once; one without a battery begins in 1970.
                behind = self.random.choice((0, 0, 3600 * SECOND, self.now()))
                async with self.opened(self.disk, behind=behind) as self.bench:
                    self.csms = self.bench.csms
                    self.steps.append("start")
                    self.begun()
                    await self.settled()
                    for _ in range(self.random.randint(1, 2 * steps)):
                        await self.step()
                    assert self.bench.charge_point.counters.internal_errors == 0
        except BaseException:
            print(f"seed {self.seed}: {len(self.steps)} steps, the latest of them:", *self.steps[-15:], sep="\n  ")
            raise
        return self

    def opened(self, store: MemoryStore, *, is_reachable: bool = True, behind: int = 0) -> Any:
        csms = CentralSystem()
        csms.standard_answers.now = self.now
        csms.is_reachable = is_reachable
        self.script(csms)
        return self.open_bench(csms=csms, document=self.document, store=store, anchor=(self.now() - behind) / 1e6)

    async def step(self) -> None:
        before = self.before()
        self.disk.seen.clear()
        self.disk.look()
        (act,) = self.random.choices(list(self.acts), list(self.acts.values()))
        self.steps.append(act.__name__)
        await act(self)
        await self.settled()
        for store in self.disk.seen:
            if self.random.random() < self.cuts:
                async with self.opened(store, is_reachable=False) as bench:
                    self.check_start(bench, before)

    async def settled(self) -> None:
        await trio.sleep(0.5)
        await self.compare()

    def note(self, *what: Any) -> None:
        self.steps[-1] += f" {what}"

    # Steps of all stories

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = await self.csms.call("cp001", action, payload, validated=False)
        return answer

    async def pass_time(self) -> None:
        seconds = self.random.choice((3, 30, 300, 4000))
        self.note(seconds)
        await trio.sleep(seconds)

    async def set_clock(self) -> None:
        """Forward or back, by what the Central System says."""
        if self.is_online:
            self.ahead += self.random.choice((-7200, -60, -5, 5, 60, 7200)) * SECOND
            self.ahead += self.random.randint(1, 999)  # no two events have the same time
            self.note(self.ahead // SECOND)
            await self.call("TriggerMessage", {"requestedMessage": "Heartbeat"})

    async def network(self) -> None:
        """Gone, or there again."""
        self.note(self.is_online)
        if self.is_online:
            self.csms.is_reachable = False
            self.bench.charge_point.connection.disconnect()
            await trio.sleep(5)
        else:
            self.csms.is_reachable = True
            self.bench.charge_point.connection.connect()
            await trio.sleep(60)

    async def restart(self) -> None:
        assert await self.bench.charge_point.stop()
        self.begins()
        assert await self.bench.charge_point.restart()
        self.begun()
        self.csms.is_reachable = True
        await trio.sleep(60)
