"""What is wrong in the traffic of one fleet: faults of ours, and what the linter finds, on either side."""

from ocpp16.pytest_plugin.fleets import Fleet


class Judgement:
    """Goes on from where it was when last asked."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._told: list[str] = []

    def problems(self, level: str, ignored: tuple[str, ...]) -> list[str]:
        """What is new, as sentences."""
        found: list[str] = []
        self._told += found
        return found

    def told(self) -> list[str]:
        return self._told
