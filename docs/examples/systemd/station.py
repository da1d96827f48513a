"""A charge point as a service: tells systemd that it is ready, that it lives, and that it ends.

Where everything is say STATE_DIRECTORY, LOGS_DIRECTORY and CONFIGURATION_DIRECTORY, as systemd sets them.
"""

import logging
import os
import signal
import socket

import trio

from ocpp16 import open_charge_point
from ocpp16.simulation import Operation, SimulatedStation


def notify(text):
    """One line for systemd, as sd_notify(3) writes it; nothing where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        address = "\0" + address[1:] if address.startswith("@") else address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.setblocking(False)
            channel.sendto(text.encode(), address)


async def live():
    """Beats while the loop of the charge point turns, twice in the time that systemd waits for."""
    seconds = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    while seconds:
        notify("WATCHDOG=1")
        await trio.sleep(seconds / 2)


async def end_by_signal(scope):
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            notify("STOPPING=1")
            scope.cancel()


async def main():
    state, logs, configuration = (os.environ[f"{name}_DIRECTORY"] for name in ("STATE", "LOGS", "CONFIGURATION"))
    station = SimulatedStation()  # yours here: the object with the methods of CoreStation
    async with (
        open_charge_point(
            f"{configuration}/config.json",
            station,
            user_config_path=f"{state}/user_config.json",
            database_path=state,
            certificates_path=f"{state}/certs",
            message_log_path=logs,
        ) as charge_point,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(end_by_signal, nursery.cancel_scope)
        nursery.start_soon(Operation(station, charge_point).run)  # of the simulated station; yours: charge_point.start
        nursery.start_soon(live)
        notify("READY=1")


logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
trio.run(main)
