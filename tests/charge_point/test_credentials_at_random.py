"""SecurityProfile and AuthorizationKey over random stories: changes at any moment, by both sides, outages, refusals,
power cuts and a disk that is full, beside what must hold whatever happens.

- What is kept as the one in force was accepted: a BootNotification was, on a connection that was opened with it.
- The one accepted last is tried again in a bounded time, whatever was asked for after it.
- In the end nothing is on trial, and nothing of what was before is kept.
"""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
import trio
from random_story import Disk
from scripted_security import ScriptedSecurity

from ocpp16.configuration.keys.security import (
    AUTHORIZATION_KEY,
    PREVIOUS_AUTHORIZATION_KEY,
    PREVIOUS_SECURITY_PROFILE,
    SECURITY_PROFILE,
)
from ocpp16.errors import CallFailed, ChargePointStopped, StoreError
from ocpp16.security.basic_auth import credentials
from ocpp16.testing.central_system import CentralSystem
from ocpp16.transport.dial import Endpoint
from ocpp16.transport.handshake import Reject

KEYS = [bytes([number]) * 16 for number in range(1, 5)]
Offer = tuple[int, bytes | None]


class Choosy(CentralSystem):
    """Takes the credentials that are `taken`, and notes with which a BootNotification was accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: set[Offer] = set()
        self.proved: list[Offer] = []
        self.present: Offer = (0, None)
        self.profile = 0
        self.boot_status = "Accepted"
        self.answers_after = 0.0
        self.answers["BootNotification"] = self.boot

    async def connector(self, endpoint: Endpoint) -> trio.abc.Stream:
        self.profile = (3 if endpoint.wants_certificate else 2) if endpoint.is_tls else 0
        return await super().connector(endpoint)

    def _decide(self, request: Any) -> Any:
        given = credentials(request.header("authorization"))
        profile = 1 if given is not None and self.profile == 0 else self.profile
        offer = (profile, None if given is None else given[1])
        if offer not in self.taken:
            return Reject(401, "wrong credentials")
        self.present = offer
        return super()._decide(request)

    async def boot(self, payload: dict[str, Any], call: Any) -> dict[str, Any]:
        offer, status = self.present, self.boot_status
        await trio.sleep(self.answers_after)
        if status == "Accepted":
            self.proved.append(offer)
        return {"status": status, "currentTime": "2026-01-01T00:00:00Z", "interval": 300}


class Story:
    def __init__(self, seed: int, open_bench: Any, make_config: Any) -> None:
        self.random = Random(seed)
        self.open_bench = open_bench
        first = (self.random.choice((1, 2)), KEYS[0])
        self.document = make_config(
            Internal__CentralSystemURI="csms.example/ocpp/",
            Internal__RetryBackoffWaitMinimum=5,
            Internal__StoreTimeout=5,
            Security__SecurityProfile=first[0],
            Security__AuthorizationKey=f"hex:{KEYS[0].hex()}",
        )
        self.csms = Choosy()
        self.csms.taken.add(first)
        self.disk = Disk()
        self.steps: list[str] = []
        self.bench: Any

    def state(self, configuration: Any) -> tuple[Offer, Offer | None]:
        """In force, and before, if something is on trial."""
        profile, key = configuration[SECURITY_PROFILE], configuration[AUTHORIZATION_KEY]
        old_profile, old_key = configuration[PREVIOUS_SECURITY_PROFILE], configuration[PREVIOUS_AUTHORIZATION_KEY]
        now = offer_of(profile, key)
        if old_profile is None and old_key is None:
            return now, None
        return now, offer_of(profile if old_profile is None else old_profile, old_key or key)

    def check(self) -> None:
        now, before = self.state(self.bench.charge_point.configuration)
        kept = now if before is None else before
        assert kept in self.csms.proved, f"{kept} was never accepted; {now} is in force"

    async def change(self) -> None:
        name, value = self.random.choice(
            (
                ("AuthorizationKey", self.random.choice(KEYS).hex()),
                ("AuthorizationKey", self.random.choice(KEYS).hex()),
                ("AuthorizationKey", "short"),
                ("SecurityProfile", str(self.random.randint(0, 4))),
                ("SecurityProfile", str(self.random.randint(1, 3))),
            )
        )
        by_host = self.random.random() < 0.5
        self.steps[-1] += f" {name}={value} host={by_host}"
        try:
            if by_host:
                patience = self.random.choice((1000, 1000, 0, 0.5, 2))
                self.steps[-1] += f" {patience}"
                with trio.move_on_after(patience):
                    await self.bench.charge_point.configuration.set(name, value)
            else:
                await self.csms.call("cp001", "ChangeConfiguration", {"key": name, "value": value})
        except (CallFailed, StoreError, ChargePointStopped, ValueError, trio.TooSlowError, KeyError) as error:
            self.steps[-1] += f" -> {type(error).__name__}"

    async def two_changes(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.change)
            if self.random.random() < 0.5:
                await trio.sleep(self.random.choice((0.01, 0.5, 2)))
            nursery.start_soon(self.change)

    async def pass_time(self) -> None:
        seconds = self.random.choice((0.001, 0.05, 1, 5, 30, 120, 400))
        self.steps[-1] += f" {seconds}"
        await trio.sleep(seconds)

    async def takes(self) -> None:
        """What the Central System takes from now on: what is in force at the charge point, what was before, or all."""
        now, before = self.state(self.bench.charge_point.configuration)
        kept = before or now
        self.csms.taken = self.random.choice(({now}, {kept}, {now, kept}, set()))
        self.steps[-1] += f" {self.csms.taken}"

    async def network(self) -> None:
        self.csms.is_reachable = not self.csms.is_reachable
        self.steps[-1] += f" {self.csms.is_reachable}"
        if self.random.random() < 0.7 and "cp001" in self.csms.connected:
            self.csms.abort("cp001")

    async def boots(self) -> None:
        self.csms.boot_status = self.random.choice(("Accepted", "Accepted", "Pending", "Rejected"))
        self.csms.answers_after = self.random.choice((0, 0, 1, 20))
        self.steps[-1] += f" {self.csms.boot_status} {self.csms.answers_after}"

    async def trigger(self) -> None:
        if "cp001" in self.csms.connected:
            try:
                await self.csms.call("cp001", "TriggerMessage", {"requestedMessage": "BootNotification"})
            except (CallFailed, trio.TooSlowError):
                return

    async def fill_disk(self) -> None:
        self.disk.is_full = not self.disk.is_full
        self.steps[-1] += f" {self.disk.is_full}"

    async def hiccup(self) -> None:
        """The disk is full for some seconds in which something is changed."""
        self.disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.two_changes)
            await trio.sleep(self.random.choice((0.5, 2, 4.9, 5.1)))
            self.disk.is_full = False

    async def reconnect(self) -> None:
        if "cp001" in self.csms.connected:
            await self.csms.close("cp001")

    async def restart(self) -> None:
        self.disk.is_full = False
        await self.bench.charge_point.stop()
        await self.bench.charge_point.restart()

    async def end(self) -> None:
        """The Central System takes what it accepted last, and is there: so is the charge point, in the end."""
        csms = self.csms
        self.disk.is_full = False
        csms.is_reachable, csms.boot_status, csms.answers_after = True, "Accepted", 0
        await trio.sleep(200)  # what was accepted is on disk
        if "cp001" in csms.connected:
            csms.abort("cp001")
        now, before = self.state(self.bench.charge_point.configuration)
        csms.taken = {before or now} if self.random.random() < 0.7 else {now}
        self.steps.append(f"end: {csms.taken}")
        for _ in range(4000):
            now, before = self.state(self.bench.charge_point.configuration)
            if before is None and self.bench.charge_point.connection.is_connected:
                break
            await trio.sleep(1)
        else:
            raise AssertionError(f"locked out, or still on trial: {now}, {before}")
        assert {now} == csms.taken

    async def live(self, disk: Disk, steps: int) -> None:
        proved, taken = self.csms.proved, self.csms.taken
        self.csms = Choosy()
        self.csms.proved, self.csms.taken, self.disk = proved, taken, disk
        disk.is_full = False
        options = {"document": self.document, "store": disk, "evse_security": ScriptedSecurity()}
        async with self.open_bench(csms=self.csms, **options) as self.bench:
            await trio.sleep(60)
            for _ in range(steps):
                (act,) = self.random.choices(list(ACTS), list(ACTS.values()))
                self.steps.append(f"{trio.current_time():.3f} {act.__name__}")
                await act(self)
                self.check()
            await self.end()
            self.check()
            assert self.bench.charge_point.counters.internal_errors == 0
            await self.change()

    async def run(self, steps: int) -> None:
        try:
            await self.live(self.disk, self.random.randint(1, steps))
            cut = Disk()  # the power failed after one of the commits
            cut._rows = self.random.choice(self.disk.seen)._rows
            self.steps.append("power cut")
            await self.live(cut, self.random.randint(0, 4))
        except BaseException:
            print(f"{len(self.steps)} steps, the latest of them:", *self.steps[-15:], sep="\n  ")
            raise


ACTS: dict[Callable[[Story], Awaitable[None]], float] = {
    Story.change: 4,
    Story.two_changes: 2,
    Story.hiccup: 2,
    Story.pass_time: 4,
    Story.takes: 3,
    Story.network: 1,
    Story.boots: 1,
    Story.trigger: 1,
    Story.fill_disk: 1,
    Story.reconnect: 1,
    Story.restart: 0.3,
}


def offer_of(profile: int, key: bytes | None) -> Offer:
    """A key that the profile does not use is none."""
    return profile, key if profile in {1, 2} else None


@pytest.mark.parametrize("seed", range(30))
async def test_whatever_happens_somebody_is_let_in(open_bench: Any, make_config: Any, seed: int) -> None:
    await Story(seed, open_bench, make_config).run(20)
