"""A charge point with its key in a TPM, of which the process has OpenSSL's provider: `FOLDER PORT`, the folder being
that of its certificates. Prints what the Central System says, or why there is no connection."""

import sys
import time
from pathlib import Path

import trio

from ocpp16.charge_point.built_in_security import built_in
from ocpp16.charge_point.dialing import Dialer
from ocpp16.configuration.configuration import Configuration
from ocpp16.errors import ConfigurationError, ConnectionFailed
from ocpp16.log import FoldingLog
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.transport.dial import Endpoint


def failed(place: str, error: BaseException) -> None:
    print(place, repr(error), file=sys.stderr)


def overran(name: str, seconds: float) -> None:
    print(name, seconds, file=sys.stderr)


async def main(folder: Path, port: int) -> None:
    document = {
        "Internal": {
            "ChargePointId": "cp001",
            "CentralSystemURI": f"wss://127.0.0.1:{port}/",
            "ChargePointModel": "M1",
            "ChargePointVendor": "V1",
        },
        "Core": {"NumberOfConnectors": 1},
        "Security": {"SecurityProfile": 3},
    }
    configuration = Configuration.load(document)
    security = AskedSecurity(built_in(folder, {}, configuration, now=time.time), failed, overran)
    dial = Dialer(configuration, security, FoldingLog("cp001", time.monotonic))
    try:
        stream = await dial(Endpoint(True, "127.0.0.1", port, "/cp001", wants_certificate=True))
        print((await stream.receive_some()).decode())
        await stream.aclose()
    except (ConfigurationError, ConnectionFailed) as error:
        print(error)


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]), int(sys.argv[2]))
