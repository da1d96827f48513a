"""The stories of `ocpp16 demo`: a file each, and here their names.

A new one is a `Story` (`story.py`) and a line of the table.
"""

from ocpp16.cli.stories.charging import Charging
from ocpp16.cli.stories.eichrecht import Eichrecht
from ocpp16.cli.stories.plug_and_charge import PlugAndCharge
from ocpp16.cli.stories.story import Story

__all__ = ["STORIES", "Story"]

STORIES: dict[str, type[Story]] = {"charging": Charging, "plug-and-charge": PlugAndCharge, "eichrecht": Eichrecht}
"""By the name that `--story` takes; the first one is told where none is named."""
