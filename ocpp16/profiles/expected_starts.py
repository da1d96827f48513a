"""Charging profiles that came with a remote start and wait for its transaction (OCPP 1.6 ed. 2 §5.11; E 3.41, 3.42).

They are kept beside the store. One is dropped when another transaction begins there, when its id tag is refused, or
when ConnectionTimeOut has passed since it was accepted. What happens at a connector, or to an id tag, is looked up.
"""

from functools import partial
from typing import TypeVar

from ocpp16.configuration.keys import core
from ocpp16.patience import of_others
from ocpp16.profiles.context import Context, Payload
from ocpp16.profiles.id_tags import AUTHORIZE_TIMEOUT
from ocpp16.state.authorization import id_tag_key
from ocpp16.state.timers import Timer

LONGEST_WAIT = 86_400
"""Seconds a profile waits for its remote start where ConnectionTimeOut is 0."""
MOST_EXPECTED = 1000
"""Profiles that wait for remote starts at most; beyond it the oldest goes."""


class _ExpectedStart:
    """A charging profile that waits for the transaction it was sent with."""

    __slots__ = ("profile", "since", "timer")

    def __init__(self, profile: Payload) -> None:
        self.profile = profile
        self.since = 0.0
        """Monotonic seconds from which ConnectionTimeOut counts."""
        self.timer: Timer | None = None

    def end(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


N = TypeVar("N", int, str)
_Key = tuple[int, str]
"""Connector and id tag, the latter as it is compared."""


class ExpectedStarts:
    """Of one charge point."""

    __slots__ = ("_ctx", "_of_connector", "_of_id_tag", "_starts")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._starts: dict[_Key, _ExpectedStart] = {}
        """The oldest first."""
        self._of_connector: dict[int, set[_Key]] = {}
        self._of_id_tag: dict[str, set[_Key]] = {}

    def expect(self, connector_id: int, id_tag: str, profile: Payload) -> None:
        """The profile waits from now on; it takes the place of an earlier one for the same start."""
        key = (connector_id, id_tag_key(id_tag))
        self._drop(key)
        if len(self._starts) >= MOST_EXPECTED:
            self._drop(next(iter(self._starts)))
        self._starts[key] = expected = _ExpectedStart(profile)
        self._of_connector.setdefault(key[0], set()).add(key)
        self._of_id_tag.setdefault(key[1], set()).add(key)
        self._await(key, expected, self._ctx.configuration[core.AUTHORIZE_REMOTE_TX_REQUESTS])

    def decided(self, id_tag: str, *, is_accepted: bool) -> None:
        """It is known whether this id tag may charge."""
        for key in tuple(self._of_id_tag.get(id_tag_key(id_tag), ())):
            if is_accepted:
                self._await(key, self._starts[key], False)
            else:
                self._drop(key)

    def started(self, connector_id: int, id_tag: str) -> Payload | None:
        """A transaction began: its profile, if one waited for it. Nothing else waits at its connector any more."""
        expected = self._starts.get((connector_id, id_tag_key(id_tag)))
        for key in tuple(self._of_connector.get(connector_id, ())):
            self._drop(key)
        return None if expected is None else expected.profile

    def time_out_changed(self) -> None:
        """ConnectionTimeOut is another one: it holds for those that wait, too, from when their time began."""
        for key, expected in self._starts.items():
            self._arm(key, expected)

    def stop(self) -> None:
        for key in tuple(self._starts):
            self._drop(key)

    def _await(self, key: _Key, expected: _ExpectedStart, is_to_be_authorized: bool) -> None:
        expected.since = self._ctx.clock.monotonic() + (of_others(AUTHORIZE_TIMEOUT) if is_to_be_authorized else 0)
        self._arm(key, expected)

    def _arm(self, key: _Key, expected: _ExpectedStart) -> None:
        expected.end()
        seconds = self._ctx.configuration[core.CONNECTION_TIME_OUT] or LONGEST_WAIT
        expected.timer = self._ctx.timers.at(expected.since + seconds, partial(self._drop, key))

    def _drop(self, key: _Key) -> None:
        expected = self._starts.pop(key, None)
        if expected is None:
            return
        expected.end()
        _take_out(self._of_connector, key[0], key)
        _take_out(self._of_id_tag, key[1], key)


def _take_out(index: dict[N, set[_Key]], name: N, key: _Key) -> None:
    keys = index[name]
    keys.discard(key)
    if not keys:
        del index[name]
