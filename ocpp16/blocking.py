"""A charge point for hosts with threads: the same names as in trio, called from any thread, and no `await`.

    with open_charge_point(config, station) as charge_point:
        charge_point.start()
        charge_point.wait_registered()

trio runs in a thread of its own while the block is open. Methods of the station are plain functions; they are called in
other threads, never in trio's, several at the same time, but those about one connector one after another. Async methods
of ChargePoint wait here until they are done, or until a `time_limit` of the calling thread has come. All else is as
`ocpp16.open_charge_point` says.
"""

from ocpp16.hosts.threads import METER_INTERVAL, MOST_THREADS, open_charge_point, open_charge_points, open_fleet
from ocpp16.hosts.time_limit import time_limit

__all__ = ["METER_INTERVAL", "MOST_THREADS", "open_charge_point", "open_charge_points", "open_fleet", "time_limit"]
