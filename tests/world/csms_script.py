"""What the commands of csms_process.py changed of its answers, and which transactions it knows."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any


class Script:
    """What the commands changed, for all connections."""

    def __init__(self, interval: int, ahead: float) -> None:
        self.interval = interval
        self.ahead = timedelta(seconds=ahead)
        self.transactions: dict[tuple[Any, ...], int] = {}
        self.judgements: dict[int, str] = {}
        """Transaction id → status of its id tag, where that is not Accepted."""
        self.reset()

    def reset(self) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self.next: dict[str, list[dict[str, Any] | str | None]] = {}
        self.drops: dict[str, int] = {}
        self.delay = 0.0
        self.judgement, self.judged = "", 0
        self.refusals = 0
        self.refusal = HTTPStatus.OK

    def now(self) -> str:
        return (datetime.now(UTC) + self.ahead).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def transaction_id(self, *content: Any) -> int:
        if content not in self.transactions:
            self.transactions[content] = 1000 + len(self.transactions)
            if self.judged > 0:
                self.judged -= 1
                self.judgements[self.transactions[content]] = self.judgement
        return self.transactions[content]
