"""A charge point as a service: tells systemd that it is ready, that it lives, and that it ends.

Where everything is say STATE_DIRECTORY, LOGS_DIRECTORY and CONFIGURATION_DIRECTORY, as systemd sets them.
"""

import logging
import os
import signal
import socket
from contextlib import suppress

import trio

from ocpp16 import open_charge_point
from ocpp16.simulation import Operation, SimulatedStation


def notify(text):
    """One line for systemd, as sd_notify(3) writes it; nothing where nobody listens, and no fault of ours either."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        address = "\0" + address[1:] if address.startswith("@") else address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
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


class Service(Operation):
    """The main program of the simulated station. Yours says the same after `await charge_point.start()`."""

    async def start(self, *arguments):
        await super().start(*arguments)
        notify("READY=1")


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
        nursery.start_soon(live)
        nursery.start_soon(Service(station, charge_point).run)


logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
trio.run(main)
