"""A fleet: charge points that share one process, one store, and the care not to come all at once."""

import gc
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import trio

from ocpp16.charge_point.argument_check import check_arguments
from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.charge_points import ChargePoints
from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.charge_point.open import open_charge_points
from ocpp16.errors import ChargePointStopped
from ocpp16.fleet.blueprint import USUAL, Blueprint, blueprint, merged
from ocpp16.fleet.files import make_room
from ocpp16.fleet.member import Member
from ocpp16.garbage import settle_memory
from ocpp16.observer import Observer
from ocpp16.rpc.calls import CallListener, FrameListener, LinkListener
from ocpp16.rpc.violations import ViolationListener
from ocpp16.simulation import SimulatedStation
from ocpp16.texts import shown
from ocpp16.transport.interface import local_address_problem
from ocpp16.values import described, finite

if TYPE_CHECKING:
    from ocpp16.store.base import Store
    from ocpp16.store.journal import Journal

MOST_CONNECTING = 200
"""Handshakes at a time: no Central System is helped by more, and few stand it."""
SETTLED = 20
"""Memory is settled at every so many that are opened (see `settle_memory`)."""
UNSETTLED_AT = 0.25
"""Share of those that are open: when so many more were closed, settled memory is looked through for what they left."""
Keys = Mapping[str, Mapping[str, Any]]
"""Configuration keys by section."""


class Fleet:
    """Made by `open_fleet`. Members in the order in which they were added, and each by its id: `fleet[id]`."""

    def __init__(
        self,
        charge_points: ChargePoints,
        nursery: trio.Nursery,
        csms: str,
        usual: Blueprint,
        keys: Callable[[str], Keys],
        options: Callable[[str], Mapping[str, Any]],
        *,
        spread: float,
        seed: int | None,
        source_addresses: tuple[str, ...],
    ) -> None:
        self._charge_points = charge_points
        self._nursery = nursery
        self._csms = csms
        self._usual = usual
        self._keys = keys
        self._options = options
        self._spread = spread
        self._seed = seed
        self._chance = Random(0 if seed is None else seed)  # noqa: S311 - repeatable, not secret
        self._source_addresses = source_addresses
        self._members: dict[str, Member] = {}
        self._opening: set[str] = set()
        self._leaving: dict[str, Member] = {}
        """Those that nobody waits for any more, and that are not closed yet."""
        self._added = 0
        self._opened = 0
        self._looked_for = 0
        """Of how many that were closed no circle is left in settled memory."""
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(tuple(self._members.values()))

    def __contains__(self, identity: object) -> bool:
        return identity in self._members

    def __getitem__(self, identity: str) -> Member:
        """The member of this id. Raises KeyError."""
        return self._members[identity]

    async def add(self, identity: str, made_of: str | Blueprint | None = None, *, keys: Keys | None = None) -> Member:
        """One more: it is opened now, and connects within the `spread` of the fleet.

        made_of: a blueprint or the name of one; None: that of the fleet. keys: configuration keys of this one alone,
        by section. Raises ValueError for an id that is there already and a blueprint that is not, ConfigurationError
        for keys that cannot be, FleetError if there may be no more, ChargePointStopped when the fleet is closed.
        """
        self._check_open()
        if identity in self._members or identity in self._opening:
            raise ValueError(f"the fleet has a charge point {shown(identity)} already")
        self.make_room(1)
        plan = self._usual if made_of is None else blueprint(made_of)
        number, self._added = self._added, self._added + 1
        member = Member(
            identity, plan, partial(self._open, number, keys or {}), self._charge_points, self._nursery, self._chance
        )
        self._opening.add(identity)
        try:
            former = self._leaving.get(identity)
            if former is not None:
                await former.wait_over()
                self._leaving.pop(identity, None)
            await member.open()
            if self._is_closed:
                await self._charge_points.close(member.charge_point)
            self._check_open()
        finally:
            self._opening.remove(identity)
        self._members[identity] = member
        delay = Random(f"{self._seed or 0} {identity}").uniform(0, self._spread)  # noqa: S311
        member.begin(delay)
        return member

    async def add_all(self, ids: Iterable[str], made_of: str | Blueprint | None = None) -> list[Member]:
        """Add one after another, in this order; raises as `add` at the first that cannot be, and FleetError before the
        first if there may not be so many."""
        coming = list(ids)
        self.make_room(len(coming))
        return [await self.add(identity, made_of) for identity in coming]

    def make_room(self, count: int) -> None:
        """For so many more. Raises FleetError if there may not be so many: who will add them knows it before."""
        make_room(len(self._members) + len(self._opening) + count)

    async def remove(self, identity: str) -> bool:
        """Stop one in order, and let go of it; False if it is not there. Who is cancelled leaves it going on; another
        one of its id waits for its end."""
        member = self._members.get(identity)
        if member is None:
            await trio.lowlevel.checkpoint()
            return False
        try:
            await member.end()
        finally:
            if self._members.get(identity) is member:
                del self._members[identity]
            if not member.is_over:
                self._leaving = {name: one for name, one in self._leaving.items() if not one.is_over}
                self._leaving[identity] = member
        return True

    async def wait_registered(self) -> None:
        """Until each that is in the fleet now, and stays, is accepted by the Central System: as long as it takes."""
        for member in self:
            while not member.is_over:
                try:
                    await member.charge_point.wait_registered()
                    break
                except ChargePointStopped:  # it is between two starts
                    with trio.move_on_after(1):
                        await member.wait_for_news()

    def abandon(self) -> None:
        """Cut short what leaving the block waits for: connections end at once, as when the power fails."""
        for member in (*self, *self._leaving.values()):
            member.charge_point.abandon()

    def _check_open(self) -> None:
        if self._is_closed:
            raise ChargePointStopped("the fleet is closed")

    def close(self) -> None:
        """Nobody comes any more, and nobody is begun again."""
        self._is_closed = True
        self._nursery.cancel_scope.cancel()

    def left(self) -> None:
        """All are closed."""
        for member in self:
            member.left()
        self._members.clear()

    async def _open(self, number: int, keys: Keys, member: Member, station: SimulatedStation) -> ChargePoint:
        document = merged(member.blueprint.configuration(member.identity, self._csms), self._keys(member.identity))
        if self._source_addresses:
            address = self._source_addresses[number % len(self._source_addresses)]
            document = merged(document, {"Internal": {"IFace": address}})
        seed = None if self._seed is None else hash((self._seed, number))
        charge_point = await self._charge_points.open(
            merged(document, keys), station, seed=seed, **self._options(member.identity)
        )
        self._settle()
        return charge_point

    def _settle(self) -> None:
        """One more was opened, for the first time or anew. One that is closed leaves circles behind, and the collector
        does not look for them where memory is settled: a fleet that comes and goes would grow all day."""
        self._opened += 1
        if self._opened % SETTLED:
            return
        closed = self._opened - len(self._charge_points)
        if closed - self._looked_for > UNSETTLED_AT * len(self._charge_points):
            gc.unfreeze()
            self._looked_for = closed
        settle_memory()


@asynccontextmanager
async def open_fleet(
    csms: str,
    made_of: str | Blueprint = USUAL,
    *,
    keys: Keys | Callable[[str], Keys] | None = None,
    store: "Store | Journal | None" = None,
    database_path: str | Path | None = None,
    most_connecting: int = MOST_CONNECTING,
    spread: float = 0.0,
    source_addresses: Iterable[str] = (),
    observer: Callable[[str], Observer | None] | None = None,
    connector: StreamOpener | None = None,
    connector_of: Callable[[str], StreamOpener | None] | None = None,
    certificates_path: str | Path | None = None,
    trace_messages: bool = False,
    seed: int | None = None,
    calls: CallListener | None = None,
    frames: FrameListener | None = None,
    links: LinkListener | None = None,
    violations: ViolationListener | None = None,
) -> AsyncIterator[Fleet]:
    """A block with a fleet, empty at first; leaving it stops all members, each in order.

    csms: URL of the Central System, to which the id is appended. made_of: what a station is made of where nothing else
    is said, a `Blueprint` or the name of one. keys: configuration keys over those of the blueprint, by section, or a
    function that gives them for an id. store, database_path: as of `open_charge_points`; with neither, all is kept in
    memory. most_connecting: handshakes at a time. spread: seconds over which those that are added connect, each at a
    moment of its own. source_addresses: local addresses to connect from, by turns, where one has too few ports.
    observer: gives that of an id, or None; with trace_messages it is told every text frame. connector: opens the stream
    to an endpoint instead of TCP; connector_of: gives that of an id, or None for `connector` (see
    `ocpp16.wire.disturbed`). certificates_path: folder whose `ca/csms` is trusted for wss://. seed: makes ids of
    messages and waits repeatable, which costs 2.5 KiB each; moments of the spread and noise of meters always are.
    calls, frames, links, violations: told how each CALL of each of them ended, each frame, each change of a connection,
    and what the Central System does against the protocol, as of `ChargePoints.open`.

    Raises ValueError and ConfigurationError for arguments that cannot be meant, StoreError.
    """
    listeners = {"calls": calls, "frames": frames, "links": links, "violations": violations}
    check_arguments(
        {
            "store": store,
            "database_path": database_path,
            "most_connecting": most_connecting,
            "connector": connector,
            "certificates_path": certificates_path,
            "trace_messages": trace_messages,
            "seed": seed,
            **listeners,
        }
    )
    if not isinstance(csms, str):
        raise ValueError(f"csms must be a URL, not {described(csms)}")
    for name, of_id in (("observer", observer), ("connector_of", connector_of)):
        if of_id is not None and not callable(of_id):
            raise ValueError(f"{name} must be a function of an id, not {described(of_id)}")
    usual = blueprint(made_of)
    seconds = finite(spread, "spread")
    if seconds < 0:
        raise ValueError(f"spread must be 0 s or more, not {seconds:g}")
    if isinstance(source_addresses, str) or not isinstance(source_addresses, Iterable):
        raise ValueError(f"source_addresses must be a list of addresses, not {described(source_addresses)}")
    addresses = tuple(source_addresses)
    for address in addresses:
        if problem := local_address_problem(address):
            raise ValueError(f"source_addresses: {problem}")

    def options(identity: str) -> Mapping[str, Any]:
        own = None if connector_of is None else connector_of(identity)
        found: dict[str, Any] = {"connector": own or connector, "certificates_path": certificates_path}
        if observer is not None:
            found["observer"] = observer(identity)
            found["trace_messages"] = trace_messages and found["observer"] is not None
        found |= {name: listener for name, listener in listeners.items() if listener is not None}
        return found

    of_all = keys if callable(keys) else merged({}, {} if keys is None else keys)
    given = of_all if callable(of_all) else lambda identity: of_all
    fleet: Fleet | None = None
    try:
        async with (
            open_charge_points(
                store=store, database_path=database_path, most_connecting=most_connecting
            ) as charge_points,
            trio.open_nursery() as nursery,
        ):
            fleet = Fleet(
                charge_points,
                nursery,
                csms,
                usual,
                given,
                options,
                spread=seconds,
                seed=seed,
                source_addresses=addresses,
            )
            try:
                yield fleet
            finally:
                fleet.close()
    finally:
        if fleet is not None:
            fleet.left()
