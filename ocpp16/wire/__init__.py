"""A bad network on the charge point's side of the wire: what happens to bytes and frames, by a seed.

`WireFaults` says what goes wrong how often, as data; `disturbed` puts it between a charge point and its stream. The
same seed and the same traffic give the same faults.
"""

from ocpp16.wire.disturbed import Disturbed, DisturbedStream, disturbed
from ocpp16.wire.faults import Fault, Junk, Way, WireFaults, Word

__all__ = ["Disturbed", "DisturbedStream", "Fault", "Junk", "Way", "WireFaults", "Word", "disturbed"]
