"""The car in front of a connector: a plan of what it does when, and what it would draw.

A car knows its plan and its plug, not whether it may charge: the EVSE tells it when current is offered. It never takes
time by itself; its next step is one entry in the charge point's timers. Steps, in order:

    plug → (waits without limit for current) → draw → unplug
                                                    → diode fault (stays plugged in)

With a battery it draws until that is full (battery.py), and a second timer wakes its connector for the battery's next
step, as long as current flows.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Protocol

from ocpp16.simulation.battery import Battery, Pack
from ocpp16.state.timers import Timer, Timers
from ocpp16.values import described, finite, flag, text, whole

BATTERY_CAPACITY = 60_000.0
"""Wh, of a car of whose battery nothing is said."""
STATE_OF_CHARGE_AT_ARRIVAL = 20.0
"""Percent."""
CABLE_RATING = 63.0
"""Amperes on each phase; no cable carries more, so no car may ask for more."""
LONGEST_EMAID = 36
"""Characters."""
LONGEST_WAIT = 1e9
"""Seconds of one step of a plan."""
_MAC = re.compile(r"[0-9A-F]{12}")


@dataclass(frozen=True, slots=True)
class Contract:
    """What a car has of a contract: its eMAID, its chain in PEM, leaf first; `installs`: it is yet to be installed.
    Raises ValueError for what is no eMAID."""

    emaid: str
    chain: str
    installs: bool = False

    def __post_init__(self) -> None:
        text(self.emaid, "emaid", LONGEST_EMAID, 1)
        text(self.chain, "chain")


@dataclass(frozen=True, slots=True)
class CarPlan:
    """What a car will do, and how it says who it is.

    plug_after: seconds until it plugs in. draw_after: seconds from the first offered current until it draws. current,
    phases: amperes per phase, and phases, that it would draw. draw_for: seconds of drawing until it unplugs (inf: never
    by itself). diode_fault_after: seconds of drawing until its diode fails. contract: by what it says who it is, but
    for external_payment, which its driver has chosen; mac: or by this address of its modem.

    With a `battery` it draws what that takes, until its target, and unplugs `stay_after_full` seconds later (inf: not
    for that). `current` and `phases` are then those of its on-board charger, for AC. Without one it draws the same all
    the time. Raises ValueError, naming the argument, for what no car does.
    """

    plug_after: float = 1.0
    draw_after: float = 1.0
    current: float = 32.0
    phases: int = 1
    draw_for: float = 200.0
    diode_fault_after: float | None = None
    contract: Contract | None = None
    external_payment: bool = False
    mac: str = ""
    battery: Battery | None = None
    stay_after_full: float = inf

    def __post_init__(self) -> None:
        for name in ("plug_after", "draw_after", "draw_for", "diode_fault_after", "stay_after_full"):
            value = getattr(self, name)
            if value is not None or name != "diode_fault_after":
                _seconds(value, name)
        finite(self.current, "current")
        whole(self.phases, "phases", 1, 3)
        check_draw(self.current, self.phases)
        if self.contract is not None and not isinstance(self.contract, Contract):
            raise ValueError(f"contract must be a Contract, not {described(self.contract)}")
        flag(self.external_payment, "external_payment")
        if text(self.mac, "mac"):
            mac_tag(self.mac)
        if self.battery is not None and not isinstance(self.battery, Battery):
            raise ValueError(f"battery must be a Battery, not {described(self.battery)}")


def mac_tag(mac: str) -> str:
    """The id tag of Autocharge. Raises ValueError for what is no address of a modem."""
    digits = mac.replace(":", "").replace("-", "").upper()
    if _MAC.fullmatch(digits) is None:
        raise ValueError("mac must be 12 hexadecimal digits, as 00:7D:FA:07:1E:4B")
    return f"VID:{digits}"


def check_draw(current: float | None, phases: int | None) -> None:
    """Raises ValueError if no car draws so many amperes on so many phases; None: as before."""
    if current is not None and not 0 <= finite(current, "current") <= CABLE_RATING:
        raise ValueError(f"current must be 0 to {CABLE_RATING:g} A on each phase, which is what a cable carries")
    if phases is not None:
        whole(phases, "phases", 1, 3)


def _seconds(value: float, name: str) -> None:
    if name in ("draw_for", "stay_after_full") and value == inf:
        return
    if not 0 <= finite(value, name) <= LONGEST_WAIT:
        raise ValueError(f"{name} must be 0 to {LONGEST_WAIT:g} seconds")


DRAWING_ON = CarPlan(plug_after=0.0, draw_after=0.0, draw_for=inf)
"""The car found on a resumed transaction: nobody knows when it means to leave."""


def state_of_charge(energy: float) -> float:
    """Percent of the battery, once `energy` Wh were taken in since the arrival."""
    return min(100.0, STATE_OF_CHARGE_AT_ARRIVAL + 100.0 * energy / BATTERY_CAPACITY)


class Socket(Protocol):
    """What a car does to the connector it is at."""

    def car_plugged(self) -> None: ...

    def car_changed(self) -> None:
        """It began or ceased to draw, or draws otherwise, or its battery came to its next step."""
        ...

    def diode_failed(self) -> None: ...

    def unplug(self) -> None: ...


class Car:
    """One car at one connector, from its arrival to its departure. `now` is monotonic seconds."""

    __slots__ = (
        "_due",
        "_has_failed",
        "_is_waited_for",
        "_next_look",
        "_plan",
        "_socket",
        "_step",
        "_timer",
        "_timers",
        "_wants_current",
        "current",
        "has_begun",
        "is_plugged",
        "pack",
        "phases",
    )

    def __init__(self, plan: CarPlan, socket: Socket, timers: Timers, now: float, *, pack: Pack | None = None) -> None:
        self._plan = plan
        self._socket = socket
        self._timers = timers
        self._timer: Timer | None = None
        self._step: Callable[[], None] | None = None
        self._due = 0.0
        self._wants_current = True
        self._has_failed = False
        self._is_waited_for = True
        self._next_look: Timer | None = None
        self.pack: Pack | None = pack
        """Its battery; None: it has none that is simulated."""
        self.current: float = plan.current
        self.phases: int = plan.phases
        self.is_plugged: bool = False
        self.has_begun: bool = False
        """Did it ever come to the point of drawing?"""
        self._next(now + plan.plug_after, self._plug)

    @classmethod
    def found_charging(
        cls,
        socket: Socket,
        timers: Timers,
        now: float,
        plan: CarPlan = DRAWING_ON,
        pack: Pack | None = None,
        began: float = 0.0,
    ) -> "Car":
        """A car that is plugged in and draws already, and stands still until it may go on. began: when it began to."""
        car = cls(plan, socket, timers, now, pack=pack)
        car._is_waited_for = False
        car.is_plugged = car.has_begun = True
        car.hold()
        car._step = None
        if plan is not DRAWING_ON:
            car._plan_departure(began)
            car.hold()
        return car

    @property
    def plan(self) -> CarPlan:
        """What it was to do when it came."""
        return self._plan

    @property
    def is_drawing(self) -> bool:
        """Would it draw if it were given current (control pilot C)?"""
        if not (self.is_plugged and self.has_begun and self._wants_current) or self._has_failed:
            return False
        return self.pack is None or not self.pack.is_full

    @property
    def has_failed(self) -> bool:
        """Is its diode broken?"""
        return self._has_failed

    def is_about_to_draw(self, now: float) -> bool:
        """Is drawing the next thing that happens, in this very instant?"""
        return self._step == self._draw and self._due <= now

    def current_offered(self, now: float) -> None:
        """The EVSE offers current. The first time, the rest of the plan begins."""
        if self._is_waited_for:
            self._is_waited_for = False
            self._next(now + self._plan.draw_after, self._draw)

    def pause(self) -> None:
        """Cease to draw; the plan runs on."""
        self._wants_current = False
        self._socket.car_changed()

    def resume(self, current: float | None = None, phases: int | None = None) -> None:
        """Draw again, if the plan has come to drawing, with another current or other phases if given.

        Raises ValueError, and changes nothing, for what no car draws.
        """
        check_draw(current, phases)
        if self.pack is not None and self.pack.is_dc and not (current is None and phases is None):
            named = "phases" if current is None else "current"
            raise ValueError(f"{named} is of the on-board charger, and this car is given DC")
        self._wants_current = True
        self.current = self.current if current is None else current
        self.phases = self.phases if phases is None else phases
        self._socket.car_changed()

    def hold(self) -> None:
        """Stand still: the charge point is off and its timers do not run."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.wake_at(inf)

    def wake_at(self, when: float) -> None:
        """Have the connector look at the battery at this time; inf: not before something happens."""
        look = self._next_look
        if look is not None and look.is_active:
            if look.when == when:
                return
            look.cancel()
        self._next_look = None if when == inf else self._timers.at(when, self._socket.car_changed)

    def is_filled(self, at: float) -> None:
        """The battery has been full since `at`: it leaves in a while, unless its plan has it leave, or fail, before."""
        due = at + self._plan.stay_after_full
        if self.has_begun and not self._has_failed and due < self._due:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._next(due, self._unplug)

    def go_on(self) -> None:
        """Take the plan up again; what came due meanwhile happens now."""
        if self._timer is None and self._step is not None:
            self._timer = self._timers.at(self._due, self._step)

    def stay(self, socket: Socket, timers: Timers) -> None:
        """The station has another charge point: the car is as it was, and stands still until it may go on."""
        self.hold()
        self._socket, self._timers = socket, timers

    def leave(self) -> None:
        """The car is gone."""
        self.hold()
        self._step = None

    def _next(self, due: float, step: Callable[[], None]) -> None:
        self._due = due
        self._step = step
        self._timer = self._timers.at(due, step)

    def _done(self) -> float:
        """The pending step happens now; returns when it was due, which is where the next one counts from."""
        self._timer = None
        self._step = None
        return self._due

    def _plug(self) -> None:
        self._done()
        self.is_plugged = True
        self._socket.car_plugged()

    def _draw(self) -> None:
        began = self._done()
        self.has_begun = True
        self._plan_departure(began)
        if self.pack is not None and self.pack.is_full:
            self.is_filled(began)
        self._socket.car_changed()

    def _plan_departure(self, began: float) -> None:
        plan = self._plan
        if plan.diode_fault_after is not None and plan.diode_fault_after < plan.draw_for:
            self._next(began + plan.diode_fault_after, self._fail)
        else:
            self._next(began + plan.draw_for, self._unplug)

    def _unplug(self) -> None:
        self._socket.unplug()

    def _fail(self) -> None:
        self._done()
        self._has_failed = True
        self._socket.diode_failed()
