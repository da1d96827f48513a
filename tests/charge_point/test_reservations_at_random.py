"""Reservations over random stories of everything that can come between, beside a plain model (reservation_model.py).

After each step: who may have which connector, what each connector is, what is kept, and what is on disk.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
import trio
from random_story import SECOND, STORE_TIMEOUT, Story
from reservation_model import Kept, Site

from ocpp16._core import format_datetime
from ocpp16.enums import ChargePointErrorCode, Reason, SessionStartedReason
from ocpp16.errors import CallFailed, StoreError
from ocpp16.models import ErrorInfo
from ocpp16.state.clock import to_datetime, to_micros
from ocpp16.testing.central_system import CentralSystem

TAGS = ("A", "a", "B", "C")
PARENTS = (None, "P", "p", "Q")


class Reservations(Story):
    """`site` is the model."""

    def __init__(self, seed: int, open_bench: Any, document: Any, *, cuts: float) -> None:
        super().__init__(seed, open_bench, document, cuts=cuts)
        self.site = Site()
        self.between: list[dict[int, Kept]] = []
        """What may be reserved if the power goes in the middle of the step: what nobody was told yet."""
        self.numbers = 0
        self.started: dict[int, int | None] = {}
        """meterStart, which no two have, → the reservationId that it is to name."""

    def script(self, csms: CentralSystem) -> None:
        csms.answers["Authorize"] = self.authorize_conf
        csms.answers["StartTransaction"] = self.start_conf

    def authorize_conf(self, payload: dict[str, Any], call: Any) -> dict[str, Any]:
        status = self.chance.choice(("Accepted", "Accepted", "Accepted", "Blocked"))
        parent = self.chance.choice(PARENTS)
        self.site.learn(payload["idTag"], parent if status == "Accepted" else None)
        return {"idTagInfo": {"status": status, **({"parentIdTag": parent} if parent else {})}}

    def start_conf(self, payload: dict[str, Any], call: Any) -> dict[str, Any]:
        assert payload.get("reservationId") == self.started[payload["meterStart"]]
        return {"transactionId": payload["meterStart"], "idTagInfo": {"status": "Accepted"}}

    def begins(self) -> None:
        self.site.start_again()

    def begun(self) -> None:
        station = self.bench.station
        station.answers["disable_evse"] = lambda number: self.bench.charge_point.on_disabled(number) or True
        station.answers["enable_evse"] = self.enable

    def enable(self, connector_id: int) -> bool:
        """A station tells real changes only."""
        if self.bench.charge_point._runtime.ctx.connectors[connector_id].base == "Unavailable":
            self.bench.charge_point.on_enabled(connector_id)
        return True

    # What is compared

    def kept(self, charge_point: Any) -> dict[int, Kept]:
        return {
            one.reservation_id: Kept(
                one.reservation_id, one.connector_id, one.id_tag, one.parent_id_tag, to_micros(one.expiry_date)
            )
            for one in charge_point.for_station.reservations.all()
        }

    def before(self) -> dict[int, Kept]:
        self.between.clear()
        return dict(self.site.kept)

    async def compare(self) -> None:
        self.site.expire(self.now())
        if self.is_online:
            self.site.answered()
        charge_point, site = self.bench.charge_point, self.site
        door = charge_point.for_station.reservations
        assert self.kept(charge_point) == site.kept
        for number, place in site.places.items():
            assert str(charge_point.connector_status(number).status) == place.status, f"connector {number}"
            if not number:
                continue
            for id_tag in TAGS:
                for parent in (None, "P"):
                    found = door.is_token_reserved_for_connector(number, id_tag, parent)
                    assert str(found) == site.check(number, id_tag, parent), f"connector {number}, {id_tag}, {parent}"

    def check_start(self, bench: Any, before: dict[int, Kept]) -> None:
        """One that is over may be there still: nobody has told the time."""
        now, found = self.now(), self.kept(bench.charge_point).items()
        assert any(
            {number: one for number, one in kept.items() if one.expiry > now}.items() <= found <= kept.items()
            for kept in (before, self.site.kept, *self.between)
        ), f"after a power cut: {found}"

    # What happens

    def wanted(self, seconds: Sequence[int] = (-10, 0, 3, 60, 600, 3600, 90_000)) -> Kept:
        random = self.random
        return Kept(
            random.randint(1, 3),
            random.choice((0, 0, 1, 1, 2, 2, 3)),
            random.choice(TAGS),
            random.choice(PARENTS),
            self.now() + random.choice(seconds) * SECOND - SECOND // 4,
        )

    async def ask_reserve(self, wanted: Kept, by_host: bool) -> str:
        if by_host:
            door = self.bench.charge_point.for_station.reservations
            expiry = to_datetime(wanted.expiry)
            try:
                return str(await door.reserve(wanted.connector_id, wanted.id_tag, expiry, wanted.number, wanted.parent))
            except StoreError:
                return "not stored"
            except ValueError:
                return "Rejected"
        request = {
            "connectorId": wanted.connector_id,
            "expiryDate": format_datetime(wanted.expiry, 6),
            "idTag": wanted.id_tag,
            "reservationId": wanted.number,
            **({"parentIdTag": wanted.parent} if wanted.parent else {}),
        }
        try:
            return str((await self.call("ReserveNow", request))["status"])
        except CallFailed:
            return "not stored"

    async def ask_cancel(self, number: int, by_host: bool) -> str:
        try:
            if by_host:
                is_cancelled = await self.bench.charge_point.for_station.reservations.cancel(number)
                return "Accepted" if is_cancelled else "Rejected"
            return str((await self.call("CancelReservation", {"reservationId": number}))["status"])
        except (CallFailed, StoreError):
            return "not stored"

    def by_host(self) -> bool:
        return not self.is_online or self.random.random() < 0.3

    async def reserve(self) -> None:
        wanted = self.random.choice((self.wanted(), *self.site.kept.values()))
        expected = self.site.answer(wanted, self.now())
        self.note(wanted, expected)
        if expected == "Accepted":
            self.site.reserve(wanted)
        assert await self.ask_reserve(wanted, self.by_host()) == expected

    async def cancel(self) -> None:
        number = self.random.randint(1, 3)
        expected = "Accepted" if number in self.site.kept else "Rejected"
        self.note(number, expected)
        self.site.end(number)
        assert await self.ask_cancel(number, self.by_host()) == expected

    async def on_a_slow_disk(self) -> None:
        """Asked for, then something happens, then it is on disk, or given up: decided by what is so in the end."""
        random, site = self.random, self.site
        is_stored = random.random() < 0.7
        by_host = self.by_host()
        answers: list[str] = []
        seconds: list[str] = []
        wanted, number = self.wanted((0, 60, 600)), random.randint(1, 3)
        second = self.wanted((0, 60, 600)) if is_stored and random.random() < 0.5 else None
        cancels = random.random() < 0.4
        self.note(number if cancels else wanted, "stored" if is_stored else "given up")
        at_first = ("Accepted" if number in site.kept else "Rejected") if cancels else site.answer(wanted, self.now())
        is_nothing_new = not cancels and at_first == "Accepted" and site.kept.get(wanted.number) == wanted

        async def ask() -> None:
            answers.append(await (self.ask_cancel(number, by_host) if cancels else self.ask_reserve(wanted, by_host)))

        async def ask_for_second(wanted: Kept) -> None:
            seconds.append(await self.ask_reserve(wanted, True))

        self.disk.is_full = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.sleep(0.1)
            await random.choice((self.plug, self.start, self.fault, self.unplug, self.stop))()
            # A car that waits where one is given up may be there before the next one, or after it.
            waits = any(place.session is not None for place in site.connectors.values())
            if second is not None and at_first == "Accepted" and not (is_nothing_new or waits):
                self.note("and", second)
                nursery.start_soon(ask_for_second, second)
            await trio.sleep(1 if is_stored else STORE_TIMEOUT + 1)
            site.expire(self.now())
            if at_first == "Accepted":  # on disk, and perhaps not in force: decided once more
                without = {
                    other: one for other, one in site.kept.items() if other != (number if cancels else wanted.number)
                }
                self.between.append(without if cancels else {**without, wanted.number: wanted})
            self.disk.is_full = False
        await self.bench.charge_point.stored()
        site.expire(self.now())
        if at_first != "Accepted" or is_nothing_new:
            expected = at_first
        elif not is_stored:
            expected = "not stored"
        elif cancels:
            expected = "Accepted" if number in site.kept else "Rejected"
            site.end(number)
        else:
            expected = site.answer(wanted, self.now())
            if expected == "Accepted":
                site.reserve(wanted)
        await trio.sleep(2)
        assert answers == [expected]
        if second is not None and seconds:
            expected = site.answer(second, self.now())
            if expected == "Accepted":
                self.between.append(dict(site.kept))
                site.reserve(second)
            assert seconds == [expected], "one after the other"

    async def fault(self) -> None:
        number, uuid = self.random.randint(0, 2), self.random.choice("xy")
        place = self.site.places[number]
        self.note("fault", number, uuid)
        if uuid in place.faults:
            place.faults.discard(uuid)
            self.bench.charge_point.on_error_cleared(number, uuid)
        else:
            place.faults.add(uuid)
            error = ErrorInfo(ChargePointErrorCode.GROUND_FAILURE, is_fault=True, uuid=uuid)
            self.bench.charge_point.on_error(number, error)
        self.site.settle()

    async def availability(self) -> None:
        number, is_operative = self.random.choice((0, 1, 1, 2, 2)), self.random.random() < 0.6
        concerned = [place for other, place in self.site.places.items() if number in (0, other)]
        if is_operative and any(place.session is not None for place in concerned):
            return  # a station tells what there is when it is in service again
        expected = self.site.change_availability(number, is_operative)
        self.note(number, is_operative, expected)
        if self.is_online:
            kind = "Operative" if is_operative else "Inoperative"
            assert await self.call("ChangeAvailability", {"connectorId": number, "type": kind}) == {"status": expected}
        else:
            kind = "Operative" if is_operative else "Inoperative"
            assert str(await self.bench.charge_point.on_change_availability(number, kind)) == expected

    def new_session(self) -> str:
        self.numbers += 1
        return f"s{self.numbers}"

    async def plug(self) -> None:
        number = self.random.randint(1, 2)
        place = self.site.places[number]
        if place.session is not None:
            return
        session, by_plug = self.new_session(), self.random.random() < 0.8
        self.note("plug", number, by_plug)
        self.site.begin_session(number, session, by_plug=by_plug)
        reason = SessionStartedReason.EV_CONNECTED if by_plug else SessionStartedReason.AUTHORIZED
        self.bench.charge_point.on_session_started(number, session, reason)

    async def unplug(self) -> None:
        number = self.random.randint(1, 2)
        place = self.site.places[number]
        if place.session is None or place.id_tag is not None:
            return
        self.note("unplug", number)
        session = place.session
        self.site.end_session(number)
        self.bench.charge_point.on_session_stopped(number, session)

    async def start(self) -> None:
        random, site, charge_point = self.random, self.site, self.bench.charge_point
        number = random.randint(1, 2)
        place = site.places[number]
        if place.id_tag is not None or place.base == "Finishing":
            return
        id_tag, session = random.choice(TAGS), place.session or self.new_session()
        usable = site.usable(number, id_tag)
        self.numbers += 1
        named: int | None = None
        how = random.choice(("found", "found", "use", "named"))
        self.note("start", number, id_tag, how)
        if how == "use":
            used = charge_point.for_station.reservations.use(number, id_tag)
            assert (used is not None) == bool(usable)
            if used is not None:
                named = used.reservation_id
                assert named in usable
                site.use(named, number)
        elif how == "named":
            named = random.randint(1, 4)
        charge_point.on_transaction_started(number, session, id_tag, self.numbers, reservation_id=named)
        if named is None and usable:
            named = next(one for one in usable if one not in self.kept(charge_point))
        self.started[self.numbers] = named
        site.begin(number, session, id_tag, named)

    async def stop(self) -> None:
        number = self.random.randint(1, 2)
        place = self.site.places[number]
        if place.id_tag is None:
            return
        self.note("stop", number)
        session = place.session
        self.site.stop(number)
        self.bench.charge_point.on_transaction_stopped(number, session, Reason.LOCAL, self.numbers + 100)

    async def authorize(self) -> None:
        id_tag = self.random.choice(TAGS)
        self.note(id_tag)
        await self.bench.charge_point.authorize_id_token(id_tag)

    async def remote_start(self) -> None:
        if not self.is_online:
            return
        id_tag, number = self.random.choice(TAGS), self.random.choice((None, 1, 2))
        expected = "Accepted" if self.site.remote_start(number, id_tag) else "Rejected"
        self.note(id_tag, number, expected)
        request = {"idTag": id_tag, **({} if number is None else {"connectorId": number})}
        assert await self.call("RemoteStartTransaction", request) == {"status": expected}

    async def host_reserves(self) -> None:
        number, ends = self.random.randint(1, 2), self.random.random() < 0.7
        self.note(number, ends)
        self.site.host_reserves(number, ends=ends)
        if ends:
            self.bench.charge_point.on_reservation_end(number)
        else:
            self.bench.charge_point.on_reservation_start(number)

    acts: ClassVar = {
        reserve: 12,
        cancel: 4,
        on_a_slow_disk: 5,
        fault: 3,
        availability: 3,
        plug: 4,
        unplug: 4,
        start: 5,
        stop: 4,
        authorize: 4,
        remote_start: 3,
        Story.pass_time: 4,
        Story.set_clock: 2,
        Story.network: 2,
        host_reserves: 2,
        Story.restart: 1,
    }


@pytest.mark.parametrize("seed", range(40))
async def test_a_story(open_bench: Any, make_config: Any, seed: int) -> None:
    document = make_config(
        Reservation__ReserveConnectorZeroSupported=True,
        Internal__StoreTimeout=STORE_TIMEOUT,
        Core__AllowOfflineTxForUnknownId=True,
    )
    await Reservations(seed, open_bench, document, cuts=0.1).run(lives=2, steps=40)
