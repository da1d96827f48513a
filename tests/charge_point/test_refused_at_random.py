"""Id tags that are refused after the start, over random stories, beside a few words of docs/charge-point.md.

Every status × StopTransactionOnInvalidId × MaxEnergyOnInvalidId × answers that come late, again, or with another mind ×
transactions that have ended meanwhile: who is paused, who is stopped, and nobody else.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import trio
from random_story import Story

from ocpp16.enums import AuthorizationStatus, Reason
from ocpp16.testing.central_system import CentralSystem

LOOK, BLIND = 5.0, 300.0
"""Seconds between two looks at a register, and until one is too old to count with."""
STATUSES = ("Accepted", *map(str, AuthorizationStatus))


@dataclass
class Charge:
    """A transaction, by the register it began with, which no two have."""

    connector_id: int
    begun: int
    is_running: bool = True
    is_over: bool = False
    """Refused, and nothing is left."""
    from_register: int | None = None
    """Refused: what is taken from here on counts."""
    next_look: float = 0.0
    is_paused: bool = False
    is_stopped: bool = False


class Refusals(Story):
    def __init__(self, seed: int, open_bench: Any, document: Any) -> None:
        super().__init__(seed, open_bench, document, cuts=0)
        self.charges: dict[int, Charge] = {}
        self.registers = {1: 1_000_000, 2: 2_000_000}
        self.read_at = dict.fromkeys(self.registers, 0.0)
        self.opinions = {number: self.random.choice(STATUSES) for number in self.registers}
        """What the Central System thinks of who charges at a connector."""
        self.most, self.stops = 2000, False
        """MaxEnergyOnInvalidId, StopTransactionOnInvalidId."""
        self.paused: set[int] = set()
        self.stopped: set[int] = set()

    # The model

    def running(self, connector_id: int) -> Charge | None:
        return next((it for it in self.charges.values() if it.is_running and it.connector_id == connector_id), None)

    def look(self) -> None:
        """All looks until now; before anything changes that they see."""
        now = trio.current_time()
        for charge in self.charges.values():
            while charge.is_running and charge.from_register is not None and charge.next_look <= now:
                taken = self.registers[charge.connector_id] - charge.from_register
                is_blind = charge.next_look - self.read_at[charge.connector_id] >= BLIND
                charge.next_look += LOOK
                if taken >= self.most or is_blind:
                    self.use_up(charge)

    def use_up(self, charge: Charge) -> None:
        charge.is_over, charge.from_register, charge.is_paused = True, None, True
        if self.stops:
            charge.is_running, charge.is_stopped = False, True

    def answered(self, charge: Charge, status: str) -> None:
        if not charge.is_running:
            return
        if status == "Accepted":
            charge.is_over, charge.from_register = False, None
        elif charge.is_over or self.most == 0 or status == "ConcurrentTx":
            self.use_up(charge)
        elif charge.from_register is None:
            charge.from_register = self.registers[charge.connector_id]
            charge.next_look = trio.current_time() + LOOK

    # The Central System, and the station

    def script(self, csms: CentralSystem) -> None:
        csms.answers["StartTransaction"] = self.start_conf

    async def start_conf(self, payload: dict[str, Any], call: Any) -> dict[str, Any]:
        """Often without an id, so that it is asked again."""
        await trio.sleep(0.13)
        charge = self.charges[payload["meterStart"]]
        status = self.opinions[charge.connector_id]
        self.look()
        if self.is_online:
            self.answered(charge, status)
        is_last = self.chance.random() < 0.3
        return {"idTagInfo": {"status": status}, **({"transactionId": charge.begun} if is_last else {})}

    def begun(self) -> None:
        station = self.bench.station
        stop = station.answers["stop_transaction"]

        def pause(connector_id: int) -> bool:
            transaction = self.bench.charge_point.transaction(connector_id)
            self.paused.add(transaction.meter_start)
            return True

        def stop_it(connector_id: int, reason: Reason) -> Any:
            if reason is Reason.DE_AUTHORIZED:
                self.stopped.add(self.bench.charge_point.transaction(connector_id).meter_start)
            return stop(connector_id, reason)

        station.answers["pause_charging"] = pause
        station.answers["stop_transaction"] = stop_it

    def before(self) -> None:
        self.read()

    def read(self) -> None:
        self.look()
        for number, register in self.registers.items():
            self.bench.measure(number, register)
            self.read_at[number] = trio.current_time()

    async def settled(self) -> None:
        """Long enough for a look."""
        await trio.sleep(6.37)
        await self.compare()

    async def compare(self) -> None:
        self.look()
        assert self.paused == {it.begun for it in self.charges.values() if it.is_paused}
        assert self.stopped == {it.begun for it in self.charges.values() if it.is_stopped}
        for number in self.registers:
            found, expected = self.bench.charge_point.transaction(number), self.running(number)
            assert (None if found is None else found.meter_start) == (None if expected is None else expected.begun)

    # Steps

    async def begin(self) -> None:
        number = self.random.randint(1, 2)
        if self.running(number) is None:
            self.registers[number] += 1
            self.read()
            charge = Charge(number, self.registers[number])
            self.charges[charge.begun] = charge
            self.note(number)
            self.bench.begin(number, f"s{charge.begun}", "TAG", charge.begun)

    async def end(self) -> None:
        number = self.random.randint(1, 2)
        charge = self.running(number)
        if charge is not None:
            self.note(number)
            self.look()
            charge.is_running = False
            session = f"s{charge.begun}"
            self.bench.charge_point.on_transaction_stopped(number, session, Reason.LOCAL, self.registers[number])
            if self.random.random() < 0.5:  # at once the next one
                await self.begin()

    async def flow(self) -> None:
        number = self.random.randint(1, 2)
        self.look()
        self.registers[number] += self.random.choice((100, 400, 900, 2500))
        self.note(number, self.registers[number])
        self.read()

    async def think(self) -> None:
        number = self.random.randint(1, 2)
        self.opinions[number] = self.random.choice(STATUSES)
        self.note(number, self.opinions[number])

    async def change_key(self) -> None:
        self.look()
        if self.random.random() < 0.5:
            key, value = "StopTransactionOnInvalidId", str(self.random.random() < 0.4).lower()
            self.stops = value == "true"
        else:
            self.most = self.random.choice((0, 500, 2000))
            key, value = "MaxEnergyOnInvalidId", str(self.most)
        self.note(key, value)
        assert str(await self.bench.charge_point.configuration.set(key, value)) == "Accepted"

    async def stay_blind(self) -> None:
        await trio.sleep(self.random.choice((100, 350)))

    acts: ClassVar = {begin: 8, end: 4, flow: 10, think: 6, change_key: 4, stay_blind: 1, Story.network: 3}


@pytest.mark.parametrize("seed", range(30))
async def test_a_story(open_bench: Any, make_config: Any, seed: int) -> None:
    document = make_config(
        Core__MaxEnergyOnInvalidId=2000,
        Core__StopTransactionOnInvalidId=False,
        Core__TransactionMessageAttempts=500,
        Core__TransactionMessageRetryInterval=1,
        Core__AllowOfflineTxForUnknownId=True,
    )
    await Refusals(seed, open_bench, document).run(lives=1, steps=40)
