"""What is wrong with a scenario, and where in it."""

from typing import NamedTuple

from ocpp16.errors import Ocpp16Error
from ocpp16.texts import shown


class ScenarioError(Ocpp16Error):
    """A scenario that cannot be played. The text says file, table and key; so do `file`, `table` and `key`."""

    def __init__(self, file: str, table: str, key: str, why: str) -> None:
        where = " ".join(part for part in (table, key) if part)
        super().__init__(": ".join(part for part in (file, where, why) if part))
        self.file = file
        self.table = table
        self.key = key


class Place(NamedTuple):
    """Where a value stands: the file, the table in it (`[[stage]] 2`) and the key, dotted where it leads further in."""

    file: str
    table: str = ""
    key: str = ""

    def at(self, key: str) -> "Place":
        """A member of what stands here."""
        return self._replace(key=f"{self.key}.{key}" if self.key else shown(key, 64))

    def within(self, table: str) -> "Place":
        """A table of the file."""
        return Place(self.file, table)

    def wrong(self, why: str) -> ScenarioError:
        """What stands here cannot be meant."""
        return ScenarioError(self.file, self.table, self.key, why)
