"""What `ocpp16 load --locust-master` and `--locust-worker` give to Locust; a file of one's own can be as short."""

import json
import os

from ocpp16.load.locust import ChargePointUser
from ocpp16.load.locust_command import OPTIONS

_GIVEN = json.loads(os.environ.get(OPTIONS) or "{}")


class ChargePoint(ChargePointUser):
    """The host of Locust is the address of the Central System."""

    scenario = _GIVEN.pop("scenario", "")
    values = _GIVEN.pop("values", {})
    options = _GIVEN
