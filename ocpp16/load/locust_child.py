"""The process with the charge points, as a process of Locust holds it: by greenlets, and without trio.

What goes over its pipes are lines of JSON, and what comes out of them is checked. Rules of this file:
1. A child that ends by itself, says what cannot be, or does not read, is lost: that is told, and it is begun again with
   all its charge points, `MOST_BEGINNINGS` times in all. Then it is given up, and whoever adds a charge point is told.
2. Every wait has an end, but that for the next line: a child that is alive may have nothing to tell.
3. The child ends with its standard input, so none is left behind, however this process ends.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import gevent
from gevent.lock import RLock
from gevent.subprocess import PIPE, Popen, TimeoutExpired

from ocpp16.texts import shown

MOST_BEGINNINGS: Final = 4
PAUSE: Final = 1.0
"""Seconds before the second beginning, then twice as long each time."""
WRITING: Final = 10.0
"""Seconds that the child may take to read a line."""
GRACE: Final = 15.0
"""Seconds that it may take to end in order."""
ENDING: Final = 1.0
"""Seconds that it may live on after it has closed its standard output."""
LONGEST_LINE: Final = 16_000_000
"""Bytes."""
NAME_LENGTH: Final = 64
MOST_LINKS: Final = 100_000
"""That one line may tell of: each is a request of Locust."""

log: Final = logging.getLogger("ocpp16")

OUTCOMES: Final = frozenset({"result", "error", "timeout", "lost"})


class FleetLost(Exception):
    """The process with the charge points ended or cannot be used; its text says why."""


class Call(NamedTuple):
    """One CALL that ended. seconds: from when it was due. code: of the CALLERROR, "" where there is none."""

    action: str
    seconds: float
    outcome: str
    code: str


class Links(NamedTuple):
    """What became of connections, so many times. reason: why there is none; "": there is one."""

    reason: str
    times: int


class Violations(NamedTuple):
    """What the Central System did against the protocol, so many times. why: of the first."""

    rule: str
    why: str
    times: int


class Story(NamedTuple):
    """A scenario that a charge point played once. seconds: it took. unmet: the first expectation that was not met, "":
    it passed; why: of that."""

    scenario: str
    charge_point: str
    seconds: float
    unmet: str
    why: str


class ChildFleet:
    """Charge points in one child, added and removed one by one; it is begun with the first.

    command: what to run. first: its first line. on_call is told each call that ended, on_links the connections that
    came to be or did not, on_violations what the Central System did against the protocol, on_story each scenario that
    was played. on_lost is told why the child was lost, and whether it is given up for good.
    """

    def __init__(
        self,
        command: Sequence[str],
        first: Mapping[str, Any],
        on_call: Callable[[Call], None],
        on_lost: Callable[[FleetLost, bool], None],
        *,
        on_links: Callable[[Links], None] = lambda links: None,
        on_violations: Callable[[Violations], None] = lambda violations: None,
        on_story: Callable[[Story], None] = lambda story: None,
        pause: float = PAUSE,
    ) -> None:
        self._on_links = on_links
        self._on_violations = on_violations
        self._on_story = on_story
        self._command = list(command)
        self._first = dict(first)
        self._on_call = on_call
        self._on_lost = on_lost
        self._pause = pause
        self._lock = RLock()
        self._added: dict[str, Mapping[str, Any]] = {}
        self._process: Any = None
        self._reader: gevent.Greenlet | None = None
        self._beginnings = 0
        self._failure: FleetLost | None = None
        self._is_closed = False

    @property
    def process_id(self) -> int | None:
        """Of the child that is alive; None if there is none."""
        return None if self._process is None else int(self._process.pid)

    def add(self, identity: str, **more: Any) -> None:
        """more: what else its order says. Raises FleetLost if the child was given up."""
        if self._failure is not None:
            raise self._failure
        with self._lock:
            self._added[identity] = {"do": "add", "charge_point": identity, **more}
            if self._reader is None:
                self._reader = gevent.spawn(self._run)
            else:
                self._send(self._added[identity])

    def remove(self, identity: str) -> None:
        """Of one that is not there, nothing."""
        with self._lock:
            if identity in self._added:
                del self._added[identity]
                self._send({"do": "remove", "charge_point": identity})

    def close(self) -> None:
        """End the child in order, or by force after `GRACE`."""
        self._is_closed = True
        with self._lock:
            self._send({"do": "stop"})
        if self._reader is not None:
            self._reader.join(GRACE)
            self._reader.kill()
        self._end()

    def _run(self) -> None:
        """Begin the child, and again, until this is closed or it is given up."""
        while True:
            why = self._live()
            if self._is_over():
                return
            lost = FleetLost(f"the process with the charge points {why}")
            is_final = self._beginnings >= MOST_BEGINNINGS
            if is_final:
                lost = FleetLost(f"{lost}; given up after {MOST_BEGINNINGS} beginnings")
                self._failure = lost
            self._on_lost(lost, is_final)
            if is_final:
                return
            gevent.sleep(self._pause * 2 ** (self._beginnings - 1))
            if self._is_over():
                return

    def _is_over(self) -> bool:
        """It changes while others run."""
        return self._is_closed

    def _live(self) -> str:
        """One life of the child; how it ended."""
        self._beginnings += 1
        try:
            process = Popen(self._command, stdin=PIPE, stdout=PIPE, start_new_session=True)  # Ctrl-C is Locust's
        except OSError as error:
            return f"cannot be begun: {error}"
        with self._lock:
            self._process = process
            self._send(self._first)
            for order in list(self._added.values()):
                self._send(order)
            if self._is_closed:  # while it was begun
                self._send({"do": "stop"})
        try:
            why = self._read(process.stdout)
            if why:
                process.kill()
        finally:
            code = self._end()
        return why or (f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}")

    def _read(self, lines: Any) -> str:
        """Take what it tells until it ends; "" if it ended by itself."""
        while True:
            try:
                line = lines.readline(LONGEST_LINE)
            except (OSError, ValueError) as error:  # closed here, since it did not read
                return f"cannot be read from: {error}"
            if not line:
                return ""
            try:
                told = _read(line)
                calls, links, stories = _calls(told), _links(told), _stories(told)
                violations = _violations(told)
            except ValueError as error:
                return f"told what cannot be: {error}"
            if not self._is_closed:  # what ends because it is stopped is not the Central System's doing
                for call in calls:
                    self._on_call(call)
                for one in links:
                    self._on_links(one)
                for broken in violations:
                    self._on_violations(broken)
                for story in stories:
                    self._on_story(story)
            if "wrong" in told:
                log.warning("the process with the charge points: %s", shown(told["wrong"]))
            if "failed" in told:
                return f"could not go on: {shown(told['failed'])}"

    def _send(self, message: Mapping[str, Any]) -> None:
        """A child that does not read is ended; then whoever reads from it sees that."""
        process = self._process
        if process is None:
            return
        try:
            with gevent.Timeout(WRITING):
                process.stdin.write(json.dumps(message).encode() + b"\n")
                process.stdin.flush()
        except (OSError, ValueError):
            process.kill()
        except gevent.Timeout:
            process.kill()

    def _end(self) -> int:
        """No child is left; the code that it ended with."""
        process, self._process = self._process, None
        if process is None:
            return 0
        try:
            process.wait(GRACE if self._is_closed else ENDING)
        except TimeoutExpired:
            process.kill()
            process.wait(GRACE)
        for stream in (process.stdin, process.stdout):
            with suppress(OSError, ValueError):  # it had more to be told, and is not there any more
                stream.close()
        code: int | None = process.returncode
        return 0 if code is None else code


def _read(line: bytes) -> dict[str, Any]:
    """Raises ValueError."""
    try:
        found = json.loads(line)
    except RecursionError:
        raise ValueError("a line is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError(f"a line must be an object, not {shown(found, NAME_LENGTH)}")
    return found


def _list(found: Mapping[str, Any], name: str) -> list[Any]:
    """What a line tells of them. Raises ValueError."""
    told = found.get(name, [])
    if not isinstance(told, list):
        raise ValueError(f"{name} must be a list, not {shown(told, NAME_LENGTH)}")
    return told


def _calls(found: Mapping[str, Any]) -> list[Call]:
    """Raises ValueError, as those that follow."""
    return [_call(one) for one in _list(found, "calls")]


def _links(found: Mapping[str, Any]) -> list[Links]:
    return [_link(one) for one in _list(found, "links")]


def _violations(found: Mapping[str, Any]) -> list[Violations]:
    return [_violation(one) for one in _list(found, "violations")]


def _stories(found: Mapping[str, Any]) -> list[Story]:
    return [_story(one) for one in _list(found, "stories")]


def _link(found: Any) -> Links:
    if not isinstance(found, list) or len(found) < 2 or not isinstance(found[0], str):
        raise ValueError(f"links must be a list of reason and count, not {shown(found, NAME_LENGTH)}")
    times = found[1]
    if type(times) is not int or not 0 < times <= MOST_LINKS:
        raise ValueError(f"links must be so many times from 1 to {MOST_LINKS:,}, not {shown(times, NAME_LENGTH)}")
    return Links(shown(found[0], 200), times)


def _violation(found: Any) -> Violations:
    if not isinstance(found, list) or len(found) < 3 or not all(isinstance(one, str) for one in found[:2]):
        raise ValueError(f"violations must be a list of rule, why and count, not {shown(found, NAME_LENGTH)}")
    rule, why, times = found[:3]
    if type(times) is not int or not 0 < times <= MOST_LINKS:
        raise ValueError(f"violations must be so many from 1 to {MOST_LINKS:,}, not {shown(times, NAME_LENGTH)}")
    return Violations(shown(rule, NAME_LENGTH), shown(why, 200), times)


def _story(found: Any) -> Story:
    if not isinstance(found, list) or len(found) < 5:
        raise ValueError(f"a story must be a list of five, not {shown(found, NAME_LENGTH)}")
    scenario, identity, seconds, unmet, why = found[:5]
    if not all(isinstance(one, str) for one in (scenario, identity, unmet, why)) or not scenario:
        raise ValueError(f"of a story all but its seconds must be texts, not {shown(found, NAME_LENGTH)}")
    return Story(
        shown(scenario, NAME_LENGTH),
        shown(identity, NAME_LENGTH),
        _seconds(seconds, "a story"),
        shown(unmet, 200),
        shown(why, 300),
    )


def _seconds(found: Any, of: str) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < 1e9:
        raise ValueError(f"seconds of {of} must be a number from 0 on, not {shown(found, NAME_LENGTH)}")
    return float(found)


def _call(found: Any) -> Call:
    if not isinstance(found, list) or len(found) < 3:
        raise ValueError(f"a call must be a list of action, seconds and outcome, not {shown(found, NAME_LENGTH)}")
    action, seconds, outcome, *more = found
    if not isinstance(action, str) or not action:
        raise ValueError(f"an action must be a text, not {shown(action, NAME_LENGTH)}")
    took = _seconds(seconds, "a call")
    if not isinstance(outcome, str) or outcome not in OUTCOMES:
        raise ValueError(f"an outcome must be one of {', '.join(sorted(OUTCOMES))}, not {shown(outcome, NAME_LENGTH)}")
    code = more[0] if more and isinstance(more[0], str) else ""
    return Call(shown(action, NAME_LENGTH), took, outcome, shown(code, NAME_LENGTH))
