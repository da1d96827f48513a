"""A long day over a network of faults: transactions, lists and reservations, as a Central System may see them."""

from contextlib import suppress
from random import Random
from typing import Any

import pytest
import trio
from reserving import cancel, kept, reserve
from transaction_check import Fact, Request, check

from ocpp16.enums import Reason, SessionStartedReason
from ocpp16.errors import CallFailed, Offline
from ocpp16.testing import Fault

HOURS = 12
FAULTS = tuple(Fault)


class FoldingIds:
    """StartTransaction of the same content is the same transaction, as a Central System has to see it."""

    def __init__(self) -> None:
        self.given: dict[str, int] = {}

    def __call__(self, payload: dict[str, Any], call: Any) -> dict[str, Any]:
        number = self.given.setdefault(str(sorted(payload.items())), 1000 + len(self.given))
        return {"transactionId": number, "idTagInfo": {"status": "Accepted"}}


class LongDay:
    def __init__(self, bench: Any, seed: int) -> None:
        self.bench = bench
        self.random = Random(seed)
        self.facts: list[Fact] = []
        self.end = trio.current_time() + HOURS * 3600
        self.unheard = 0
        """Requests of the Central System whose answer did not come."""
        self.versions = {0}
        """The local list may be any of these."""
        self.reservations: set[frozenset[int]] = {frozenset()}
        """And what is reserved any of these."""

    @property
    def is_over(self) -> bool:
        return trio.current_time() >= self.end

    async def cars(self, connector_id: int) -> None:
        """One after another."""
        bench, charge_point, energy, number = self.bench, self.bench.charge_point, 1000.0, 0
        while not self.is_over:
            number += 1
            session, id_tag = f"{connector_id}-{number}", f"T{connector_id}-{number}"
            await trio.sleep(self.random.uniform(10, 600))
            bench.measure(connector_id, energy)
            charge_point.on_session_started(connector_id, session, SessionStartedReason.EV_CONNECTED)
            bench.begin(connector_id, session, id_tag, energy)
            for _ in range(self.random.randint(1, 60)):
                await trio.sleep(30)
                energy += 100
                bench.measure(connector_id, energy)
            charge_point.on_transaction_stopped(connector_id, session, Reason.LOCAL, energy)
            charge_point.on_session_stopped(connector_id, session)
            self.facts.append(Fact(connector_id, id_tag, True))

    async def network(self) -> None:
        csms, random = self.bench.csms, self.random
        while not self.is_over:
            await trio.sleep(random.uniform(120, 900))
            chance = random.random()
            if chance < 0.6:
                csms.misbehave(random.choice(FAULTS), seconds=random.uniform(1, 50))
            elif chance < 0.8:
                with suppress(Offline, KeyError):
                    random.choice((csms.abort, csms.go_half_open))("cp001")
            else:
                csms.is_reachable = False
                with suppress(Offline, KeyError):
                    csms.abort("cp001")
                await trio.sleep(random.uniform(10, 3600))
                csms.is_reachable = True

    async def operator(self) -> None:
        """Of the list and the reservations; what is not answered may have happened or not."""
        bench, random, version = self.bench, self.random, 0
        while not self.is_over:
            await trio.sleep(random.uniform(60, 600))
            number = random.randint(1, 3)
            act = random.choice(("list", "reserve", "cancel"))
            try:
                if act == "list":
                    version += 1
                    self.versions.add(version)
                    entries = [{"idTag": f"L{version}", "idTagInfo": {"status": "Accepted"}}]
                    request = {"listVersion": version, "updateType": "Full", "localAuthorizationList": entries}
                    assert await bench.call("SendLocalList", request) == {"status": "Accepted"}
                    self.versions = {version}
                elif act == "reserve":
                    before, may = self.reservations, {one | {number} for one in self.reservations}
                    self.reservations = before | may
                    status = await reserve(bench, 3, f"R{number}", seconds=10 * HOURS * 3600, number=number)
                    self.reservations = may if status == "Accepted" else before
                else:
                    may = {one - {number} for one in self.reservations}
                    self.reservations |= may
                    await cancel(bench, number)
                    self.reservations = may
            except (CallFailed, Offline, KeyError):
                self.unheard += 1
            assert bench.charge_point.for_station.authorization.local_list_version in self.versions


@pytest.mark.parametrize("seed", range(4))
async def test_every_transaction_is_told_and_nothing_is_half_done(open_bench: Any, make_config: Any, seed: int) -> None:
    document = make_config(
        Core__SupportedFeatureProfiles="Core,LocalAuthListManagement,Reservation",
        Core__NumberOfConnectors=3,
        Core__MeterValueSampleInterval=60,
        Core__MeterValuesSampledData="Energy.Active.Import.Register",
        Core__AllowOfflineTxForUnknownId=True,
        Core__WebSocketPingInterval=60,
        LocalAuthListManagement__LocalAuthListEnabled=True,
    )
    async with open_bench(document=document) as bench:
        bench.csms.answers["StartTransaction"] = ids = FoldingIds()
        day = LongDay(bench, seed)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(day.cars, 1)
            nursery.start_soon(day.cars, 2)
            nursery.start_soon(day.network)
            nursery.start_soon(day.operator)
        bench.csms.faults.rules.clear()
        await trio.sleep(2 * 3600)
        charge_point = bench.charge_point
        assert charge_point.connection.queue_depth == 0
        requests = [
            Request(call.action, call.payload, ids.given.get(str(sorted(call.payload.items()))))
            for call in bench.csms.calls()
        ]
        assert check(requests, day.facts) == []
        assert len(day.facts) > 15
        assert day.unheard > 0, "too little went wrong to prove anything"
        assert charge_point.for_station.authorization.local_list_version in day.versions
        assert frozenset(kept(bench)) in day.reservations
        assert charge_point.counters.internal_errors == 0
