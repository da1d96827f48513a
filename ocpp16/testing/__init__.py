"""The test kit: a Central System to be scripted, and conformance checks for what users bring along.

    async with CentralSystem() as csms:
        async with open_charge_point(config, station, connector=csms.connector) as charge_point:
            await charge_point.start()
            await csms.wait_for_call("BootNotification")

Part of the product, with the same care for compatibility.
"""

from ocpp16.testing.answers import CallErrorAnswer, StandardAnswers
from ocpp16.testing.central_system import CentralSystem
from ocpp16.testing.misbehaviour import Fault
from ocpp16.testing.recording import Direction, ReceivedCall, Record, TrafficViolation

__all__ = [
    "CallErrorAnswer",
    "CentralSystem",
    "Direction",
    "Fault",
    "ReceivedCall",
    "Record",
    "StandardAnswers",
    "TrafficViolation",
]
