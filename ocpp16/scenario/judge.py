"""What was expected, held against what happens, as it happens: no frame is kept.

Of each charge point and expectation there is one `Standing`: a few numbers and the first thing that was wrong. A CALL
that was cut off with its connection (once, or twice) is no fault of the Central System, and does not count. The Central
System lives in the world, so its answers have the time that is written there, however fast the story goes.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any, Final

from ocpp16.scenario.model import Expectation, Per, Scenario, Seen, Sort
from ocpp16.scenario.outcome import MOST_FAILURES, ExpectationResult, Failure, FleetCount

ANY_ACTION: Final = "*"
DUE: Final = 30.0
"""Seconds of the world after which an answer is missing, where nobody says otherwise."""


class Call:
    """One CALL that was seen, until it is answered."""

    __slots__ = ("action", "at", "payload", "rules", "seen")

    def __init__(self, seen: Seen, action: str, payload: Any, at: float) -> None:
        self.seen: Seen = seen
        self.action: str = action
        self.payload: Any = payload
        self.at: float = at
        self.rules: tuple[Rule, ...] = ()
        """Those that want to see its answer."""


class Standing:
    """How one charge point stands to one expectation. count: CALLs; right: those that were answered as expected; link:
    how much of an order was seen; at, why: the first that was wrong."""

    __slots__ = ("at", "count", "link", "right", "why")

    def __init__(self) -> None:
        self.count: int = 0
        self.right: int = 0
        self.link: int = 0
        self.at: float = 0.0
        self.why: str = ""

    def fail(self, at: float, why: str) -> None:
        """Something was wrong; the first is told."""
        if not self.why:
            self.at, self.why = at, why


class Party:
    """Whose standings these are: a charge point that began at this second, or the whole fleet."""

    __slots__ = ("_standings", "began", "identity", "is_accepted")

    def __init__(self, identity: str, began: float) -> None:
        self.identity: str = identity
        self.began: float = began
        self.is_accepted: bool = False
        """Has the Central System accepted it, at any time?"""
        self._standings: dict[int, Standing] = {}

    def of(self, rule: "Rule") -> Standing:
        """Its standing to this rule."""
        found = self._standings.get(rule.number)
        if found is None:
            found = self._standings[rule.number] = Standing()
        return found


class Rule:
    """One expectation, while it is looked for. `stage_began`: when its stage did; None: not yet. `speed`: seconds of
    the story in one of the world."""

    __slots__ = ("asks_answer", "expected", "is_open", "number", "speed", "stage_began")

    def __init__(self, number: int, expected: Expectation, speed: float) -> None:
        self.number: int = number
        self.speed: float = speed
        self.expected: Expectation = expected
        self.is_open: bool = not expected.stage
        self.stage_began: float | None = None
        self.asks_answer: bool = expected.sort in (Sort.SENT, Sort.RECEIVED) and bool(
            expected.answer.conditions or expected.error or (expected.sort is Sort.SENT and expected.within < inf)
        )

    def is_late(self, party: Party, at: float) -> bool:
        """Is it too late for what is to come within some time?"""
        return at - max(party.began, self.stage_began or 0.0) > self.expected.within

    def is_over(self, party: Party, now: float) -> bool:
        """Is the time over that was given? What is sent may come at any time: it is its answer that has some."""
        return self.expected.sort is not Sort.SENT and self.is_late(party, now)

    def wrong_answer(self, call: Call, at: float, payload: Any, code: str) -> str:
        """Why this is not the answer that was expected; empty if it is. `code`: of a CALLERROR."""
        expected = self.expected
        took = (at - call.at) / self.speed
        if expected.sort is Sort.SENT and took > expected.within:
            return f"{call.action} was answered after {took:.3g} s, not within {expected.within:g} s"
        if expected.error:
            if code == expected.error:
                return ""
            return f"{call.action} was answered with {code or 'a result'}, not with CALLERROR {expected.error}"
        if code:
            return f"{call.action} was answered with CALLERROR {code}"
        why = expected.answer.wrong(payload)
        return f"{call.action}: {why}" if why else ""


class Judge:
    """Of all charge points of one run, whose story goes so many times faster than the world."""

    def __init__(self, expectations: Iterable[Expectation], speed: float = 1.0) -> None:
        self.rules: tuple[Rule, ...] = tuple(Rule(number, one, speed) for number, one in enumerate(expectations))
        self._fleet = Party("", 0.0)
        self._by_call: dict[tuple[Seen, str], list[Rule]] = {}
        self._orders = [rule for rule in self.rules if rule.expected.sort is Sort.ORDER]
        self._states = [rule for rule in self.rules if rule.expected.sort is Sort.STATE]
        for rule in self.rules:
            expected = rule.expected
            ways = {Sort.SENT: (Seen.SENT,), Sort.RECEIVED: (Seen.RECEIVED,), Sort.ABSENT: tuple(Seen)}
            for way in ways.get(expected.sort, ()):
                self._by_call.setdefault((way, expected.of), []).append(rule)

    def stage_begins(self, name: str, at: float) -> None:
        """What is expected in this stage is looked for from here on, of others no more."""
        for rule in self.rules:
            if rule.expected.stage:
                rule.is_open = rule.expected.stage == name
                if rule.is_open:
                    rule.stage_began = at

    def _party(self, rule: Rule, party: Party) -> Party:
        return self._fleet if rule.expected.per is Per.FLEET else party

    def called(self, party: Party, call: Call) -> None:
        """A CALL was sent or received."""
        awaiting: list[Rule] = []
        for action in (call.action, ANY_ACTION):
            for rule in self._by_call.get((call.seen, action), ()):
                if rule.is_open and rule.expected.payload.fits(call.payload):
                    self._count(rule, party, call, awaiting)
        for rule in self._orders:
            if rule.is_open:
                standing = self._party(rule, party).of(rule)
                links = rule.expected.order
                if standing.link < len(links):
                    link = links[standing.link]
                    is_late = rule.is_late(party, call.at)
                    if link.action == call.action and link.payload.fits(call.payload) and not is_late:
                        standing.link += 1
        call.rules = tuple(awaiting)

    def _count(self, rule: Rule, party: Party, call: Call, awaiting: list[Rule]) -> None:
        expected = rule.expected
        standing = self._party(rule, party).of(rule)
        if expected.sort is Sort.ABSENT:
            if not rule.is_late(party, call.at):
                standing.fail(call.at, f"{call.action} was {call.seen}")
            return
        if expected.sort is Sort.RECEIVED and rule.is_late(party, call.at):
            return
        standing.count += 1
        if expected.most is not None and standing.count > expected.most:
            standing.fail(call.at, f"{call.action} was {call.seen} {standing.count} times, not {expected.most} at most")
        if rule.asks_answer:
            awaiting.append(rule)
        else:
            standing.right += 1

    def answered(self, party: Party, call: Call, at: float, payload: Any, code: str) -> None:
        """A CALL that was seen before is answered."""
        for rule in call.rules:
            standing = self._party(rule, party).of(rule)
            why = rule.wrong_answer(call, at, payload, code)
            if not why:
                standing.right += 1
            elif rule.expected.each:
                standing.fail(at, why)

    def cut_off(self, party: Party, call: Call, at: float) -> None:
        """The connection, or the story, ended before a CALL was answered. What was late by then was not answered; the
        rest is nobody's fault."""
        for rule in call.rules:
            if (at - call.at) / rule.speed > min(rule.expected.within, DUE):
                self._unanswered(rule, party, call, at)
            else:
                self._party(rule, party).of(rule).count -= 1

    def never_taken(self, party: Party, call: Call, at: float, times: int) -> None:
        """The Central System has ended the connection with so many CALLs of this action, one after another."""
        for rule in call.rules:
            standing = self._party(rule, party).of(rule)
            if rule.expected.each:
                standing.fail(at, f"{call.action} ended the connection {times} times, and was never answered")

    def unanswered(self, party: Party, call: Call, at: float) -> None:
        """Nobody waits for the answer any more."""
        for rule in call.rules:
            self._unanswered(rule, party, call, at)

    def _unanswered(self, rule: Rule, party: Party, call: Call, at: float) -> None:
        if rule.expected.each:
            why = f"{call.action} was not answered within {(at - call.at) / rule.speed:.3g} s"
            self._party(rule, party).of(rule).fail(at, why)

    def state(self, party: Party, connector: int, status: str, at: float) -> None:
        """A connector has another status."""
        for rule in self._states:
            expected = rule.expected
            is_it = expected.of == status and expected.connector in (None, connector)
            if rule.is_open and is_it and not rule.is_late(party, at):
                standing = self._party(rule, party).of(rule)
                standing.count += 1
                standing.right += 1
                if expected.most is not None and standing.count > expected.most:
                    why = f"connector {connector} was {status}: {standing.count} times, not {expected.most} at most"
                    standing.fail(at, why)

    def results(
        self, parties: Mapping[str, Party], now: float, *, is_cut_short: bool = False
    ) -> list[ExpectationResult]:
        """What came of all expectations. is_cut_short: there was less time, or there were fewer drivers, than is
        written."""
        counts = iter(self.fleet_counts(parties, now, is_cut_short=is_cut_short))
        return [
            of_fleet(rule.expected, [next(counts)])
            if rule.expected.per is Per.FLEET
            else _of_each(rule, parties.values(), now, is_cut_short=is_cut_short)
            for rule in self.rules
        ]

    def fleet_counts(self, parties: Mapping[str, Party], now: float, *, is_cut_short: bool = False) -> list[FleetCount]:
        """By which those that are counted over the whole fleet are judged, in their order."""
        is_accepted = any(party.is_accepted for party in parties.values())
        return [
            self._fleet_count(rule, now, is_accepted=is_accepted, is_cut_short=is_cut_short)
            for rule in self.rules
            if rule.expected.per is Per.FLEET
        ]

    def _fleet_count(self, rule: Rule, now: float, *, is_accepted: bool, is_cut_short: bool) -> FleetCount:
        standing = self._fleet.of(rule)
        return FleetCount(
            count=standing.count,
            right=standing.right,
            link=standing.link,
            at=standing.at,
            why=standing.why,
            now=now,
            is_accepted=is_accepted,
            is_over=rule.is_over(self._fleet, now),
            is_cut_short=is_cut_short,
        )


def _of_each(rule: Rule, parties: Iterable[Party], now: float, *, is_cut_short: bool) -> ExpectationResult:
    failures: list[Failure] = []
    checked = met = unseen = 0
    for party in parties:
        standing = party.of(rule)
        at, why = _judged(rule.expected, standing, now)
        if not why:
            met += 1
        elif is_cut_short and _had_no_time(rule.expected, standing, party.is_accepted, rule.is_over(party, now)):
            unseen += 1
            continue
        elif len(failures) < MOST_FAILURES:
            failures.append(Failure(party.identity, at, why))
        checked += 1
    is_met = are_enough(rule.expected, checked, met, unseen)
    return ExpectationResult(rule.expected.name, is_met, checked, met, failures, unseen)


def are_enough(expected: Expectation, checked: int, met: int, unseen: int) -> bool:
    """Is it met, where so many of the charge points that were looked at did so?"""
    return checked + unseen > 0 and met >= expected.share * checked - 1e-9


def of_fleet(expected: Expectation, counts: Sequence[FleetCount]) -> ExpectationResult:
    """What came of an expectation that is counted over the whole fleet, by the counts of all who have a part of it. An
    order is seen only by who sees all (`needs_one_eye`)."""
    if not counts:
        return ExpectationResult(expected.name, False, 0, 0, [])
    now = max(one.now for one in counts)
    total = Standing()
    total.count = sum(one.count for one in counts)
    total.right = sum(one.right for one in counts)
    total.link = max(one.link for one in counts)
    wrong = [(one.at, one.why) for one in counts if one.why]
    if wrong:
        total.fail(*min(wrong))
    elif expected.most is not None and total.count > expected.most:
        total.fail(now, f"{expected.of} was {_SEEN[expected.sort]} {total.count} times, not {expected.most} at most")
    at, why = _judged(expected, total, now)
    is_accepted, is_over = any(one.is_accepted for one in counts), any(one.is_over for one in counts)
    if why and any(one.is_cut_short for one in counts) and _had_no_time(expected, total, is_accepted, is_over):
        return ExpectationResult(expected.name, True, 0, 0, [], 1)
    failures = [Failure("", at, why)] if why else []
    met = int(not why)
    return ExpectationResult(expected.name, are_enough(expected, 1, met, 0), 1, met, failures)


_SEEN: Final = {Sort.SENT: "sent", Sort.RECEIVED: "received", Sort.STATE: "reported"}


def needs_one_eye(scenario: Scenario) -> str:
    """The name of an expectation that only who sees all charge points can judge: the order of CALLs of the whole fleet;
    "" if there is none."""
    return next(
        (one.name for one in scenario.expectations if one.sort is Sort.ORDER and one.per is Per.FLEET),
        "",
    )


def _had_no_time(expected: Expectation, standing: Standing, is_accepted: bool, is_over: bool) -> bool:
    """Is it nobody's fault that this did not come? Not where the Central System never accepted the charge point, where
    an answer was wrong, nor where the time that was given is over."""
    is_wrong = bool(standing.why) or (expected.sort is Sort.SENT and standing.count >= expected.count)
    return is_accepted and not is_over and not is_wrong


def _judged(expected: Expectation, standing: Standing, now: float) -> tuple[float, str]:
    """When and why it was not met; an empty reason if it was."""
    if standing.why:
        return standing.at, standing.why
    if expected.sort is Sort.ORDER:
        if standing.link == len(expected.order):
            return now, ""
        link = expected.order[standing.link]
        before = f" after {expected.order[standing.link - 1].action}" if standing.link else ""
        return now, f"there was no {link.action}{before}"
    if expected.sort is Sort.ABSENT or standing.right >= expected.count:
        return now, ""
    within = f" within {expected.within:g} s" if expected.within < inf and expected.sort is not Sort.SENT else ""
    if expected.sort is Sort.STATE:
        where = "no connector was" if expected.connector is None else f"connector {expected.connector} was not"
        return now, f"{where} {expected.of}{within}"
    if standing.count >= expected.count:
        seen = f"{expected.of} was {expected.sort} {standing.count} times"
        return now, f"{seen}, of which {standing.right} were answered as expected"
    if standing.count:
        return now, f"{expected.of} was {expected.sort} only {standing.count} of {expected.count} times{within}"
    return now, f"{expected.of} was not {expected.sort}{within}"
