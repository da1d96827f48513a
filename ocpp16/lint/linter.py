"""The linter: takes frames of any number of charge points one after another, and tells what is wrong at once."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from ocpp16.lint.bounds import MOST_CONNECTORS
from ocpp16.lint.case import Case
from ocpp16.lint.finding import Finding
from ocpp16.lint.frame import Frame
from ocpp16.lint.public_keys import PublicKeys
from ocpp16.lint.rules import RULES
from ocpp16.lint.signed_transactions import SignedTransactions, Transaction
from ocpp16.lint.verdict import SIGNED_RULES, verdict
from ocpp16.texts import shown

MOST_CHARGE_POINTS: Final = 20_000
"""Of which something is kept; beyond that the one that was silent longest is forgotten."""
_MOST_WAITING: Final = 100
"""Transactions that wait for a key; beyond that the oldest is judged without one."""
_MOST_IDS: Final = 200_000
"""Ids of CALLs that are remembered, of all charge points together and for each side."""
_MOST_RUNNING: Final = 1_000_000
"""Transactions that are remembered while they run, of all charge points together."""


class Linter:
    """Judges traffic as it comes.

    Parameters: `rules`: names of those that are told, all if None (KeyError names one that does not exist); `keys`: the
    public keys of meters, else those count that the traffic publishes before they are needed.
    """

    def __init__(self, rules: Collection[str] | None = None, *, keys: PublicKeys | None = None) -> None:
        names = frozenset(RULES if rules is None else rules)
        for name in names:
            if name not in RULES:
                raise KeyError(f"there is no rule {shown(name, 60)}")
        self._rules = names - SIGNED_RULES.keys()
        self._signed = names & SIGNED_RULES.keys()
        self._keys = PublicKeys() if keys is None else keys
        self._transactions = SignedTransactions()
        self._waiting: list[Transaction] = []
        """Those that are complete while their meter's key was not published yet."""
        self._cases: dict[str, Case] = {}
        self._now: int | None = None

    def take(self, frame: Frame) -> list[Finding]:
        """What is wrong with the next frame, or is known to be wrong since it was seen."""
        found: list[Finding] = []
        if self._rules:
            case = self._case(frame.charge_point)
            found = case.take(frame)
            self._now = case.docket.now or self._now
        if self._signed:
            found += self._signed_in(frame)
        return found

    def end(self) -> list[Finding]:
        """What is known to be wrong since no frame comes any more. The linter is as new after it."""
        found: list[Finding] = []
        for case in self._cases.values():
            found += case.end(self._now)
        if self._signed:
            for transaction in (*self._waiting, *self._transactions.unfinished()):
                found += self._judged(transaction)
        self._waiting.clear()
        self._cases.clear()
        self._transactions = SignedTransactions()
        self._now = None
        return found

    def _case(self, charge_point: str) -> Case:
        case = self._cases.pop(charge_point, None)
        if case is None:
            count = len(self._cases) + 1
            most_running = min(MOST_CONNECTORS, max(64, _MOST_RUNNING // count))
            case = Case(charge_point, self._rules, min(1_000, max(20, _MOST_IDS // count)), most_running)
            if len(self._cases) >= MOST_CHARGE_POINTS:
                del self._cases[next(iter(self._cases))]
        self._cases[charge_point] = case
        return case

    def _signed_in(self, frame: Frame) -> list[Finding]:
        found: list[Finding] = []
        if not self._keys.given and isinstance(frame.payload, dict) and "configurationKey" in frame.payload:
            self._keys.take(frame)
            ready = [transaction for transaction in self._waiting if self._has_key(transaction)]
            for transaction in ready:
                self._waiting.remove(transaction)
                found += self._judged(transaction)
        for transaction in self._transactions.read(frame):
            if not transaction.values or self._has_key(transaction):
                found += self._judged(transaction)
                continue
            self._waiting.append(transaction)
            if len(self._waiting) > _MOST_WAITING:
                found += self._judged(self._waiting.pop(0))
        return found

    def _has_key(self, transaction: Transaction) -> bool:
        return bool(self._keys.given or self._keys.published(transaction.charge_point, transaction.connector_id))

    def _judged(self, transaction: Transaction) -> tuple[Finding, ...]:
        return verdict(transaction, self._keys, self._signed).findings


def lint(frames: Iterable[Frame], rules: Collection[str] | None = None) -> Iterator[Finding]:
    """What is wrong in all of these, as it is found: a stream, whose state is bounded. Raises KeyError for a rule that
    does not exist."""
    linter = Linter(rules)
    for frame in frames:
        yield from linter.take(frame)
    yield from linter.end()
