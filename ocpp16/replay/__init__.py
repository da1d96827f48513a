"""A trace played again: the charge point's side against a Central System, or the other way round.

`read_stories` takes a trace apart by charge points, `play_charge_point` and `play_central_system` play a side each, and
say in an `Outcome` what went otherwise than in the trace.
"""

from ocpp16.replay.central_system_side import play_central_system
from ocpp16.replay.charge_point_side import play_charge_point
from ocpp16.replay.outcome import Difference, Outcome
from ocpp16.replay.story import Answer, Break, Exchange, ReplayError, Story, read_stories

__all__ = [
    "Answer",
    "Break",
    "Difference",
    "Exchange",
    "Outcome",
    "ReplayError",
    "Story",
    "play_central_system",
    "play_charge_point",
    "read_stories",
]
