"""`ocpp16 load --locust-master` and `--locust-worker`: Locust takes this process over."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ocpp16.cli.failure import CommandFailed
from ocpp16.load.locust_command import OPTIONS, LocustMissing


def become(command: Callable[[], list[str]], options: Mapping[str, Any]) -> NoReturn:
    """Run Locust instead of this program. options: of the charge points. Raises CommandFailed."""
    try:
        words = command()
    except (LocustMissing, ValueError) as error:
        raise CommandFailed(str(error)) from None
    given = {name: value for name, value in options.items() if value}
    environment = {**os.environ, OPTIONS: json.dumps(given)}
    os.execve(words[0], words, environment)  # noqa: S606 - our own interpreter, without a shell
