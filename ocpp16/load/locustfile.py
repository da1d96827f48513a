"""What `ocpp16 load --locust-master` and `--locust-worker` give to Locust; a file of one's own can be as short."""

import json
import os
from collections.abc import Mapping
from typing import Any, ClassVar

from ocpp16.load.locust import ChargePointUser
from ocpp16.load.locust_command import OPTIONS

_GIVEN = json.loads(os.environ.get(OPTIONS) or "{}")


class ChargePoint(ChargePointUser):
    """The host of Locust is the address of the Central System."""

    scenario: ClassVar[str] = _GIVEN.pop("scenario", "")
    values: ClassVar[Mapping[str, str]] = _GIVEN.pop("values", {})
    options: ClassVar[Mapping[str, Any]] = _GIVEN
