"""Many simulated charge points in one process: the very charge point that firmware runs, by the thousand.

`open_fleet` is the door; `Fleet` adds, removes and finds its `Member`s. `Blueprint` says what a station is made of,
`identities` and `TagPool` name charge points and cards.
"""

from ocpp16.fleet.blueprint import BLUEPRINTS, Blueprint, blueprint
from ocpp16.fleet.files import FleetError
from ocpp16.fleet.fleet import Fleet, open_fleet
from ocpp16.fleet.member import Member, MemberState
from ocpp16.fleet.names import TagPool, identities
from ocpp16.fleet.violations import ViolationCount, ViolationTally, breach, by_rule
from ocpp16.rpc.calls import CallEnded, CallListener, FrameListener, LinkListener
from ocpp16.rpc.violations import ProtocolViolation, ViolationListener

__all__ = [
    "BLUEPRINTS",
    "Blueprint",
    "CallEnded",
    "CallListener",
    "Fleet",
    "FleetError",
    "FrameListener",
    "LinkListener",
    "Member",
    "MemberState",
    "ProtocolViolation",
    "TagPool",
    "ViolationCount",
    "ViolationListener",
    "ViolationTally",
    "blueprint",
    "breach",
    "by_rule",
    "identities",
    "open_fleet",
]
