"""GetConfiguration and ChangeConfiguration (OCPP 1.6 ed. 2 §5.4, §5.8), for the Central System and for the host.

What a key accepts is its row in `configuration.keys`; what a change does is the business of the feature that asked to
be told.
An accepted change is on disk before it is answered, and in force from then on (`configuration_changes`).
GetConfiguration.conf is never larger than MaxMessageSize: of a request that asks for more, the rest is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, cast

import orjson

from ocpp16 import messages
from ocpp16._core import parse_datetime_tolerant
from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import internal, security
from ocpp16.configuration.keys.cost_and_price import NEXT_TIME_OFFSET_TRANSITION_DATE_TIME
from ocpp16.enums import ConfigurationStatus
from ocpp16.profiles.base import Context, FeatureProfile, Payload, Reply, on
from ocpp16.profiles.configuration_changes import ConfigurationChanges

_OVERHEAD = 400
"""Bytes of a GetConfiguration.conf frame without its keys, generously."""


class CredentialChanges(Protocol):
    """Who changes SecurityProfile and AuthorizationKey, on trial."""

    async def change(self, name: str, value: str) -> tuple[ConfigurationStatus, Callable[[], None] | None]:
        """The answer, and what is to happen once it has been given."""
        ...


class Settings(FeatureProfile):
    """`credentials` changes what the connection is opened with."""

    __slots__ = ("_changes", "_credentials", "_was_cut")

    def __init__(self, ctx: Context, *, changes: ConfigurationChanges, credentials: CredentialChanges) -> None:
        super().__init__(ctx)
        self._changes = changes
        self._credentials = credentials
        self._was_cut = False

    def get(self, keys: Sequence[str] = ()) -> Payload:
        """The GetConfiguration.conf for these key names; for all keys if there are none."""
        known, unknown = self.ctx.configuration.report(keys or None)
        payload: Payload = {}
        if known:
            payload["configurationKey"] = known
        if unknown:
            payload["unknownKey"] = unknown
        return payload

    async def change(self, key: str, value: str) -> ConfigurationStatus:
        """Change a key as ChangeConfiguration does. Raises StoreError if it could not be kept; then it is as it was."""
        status, then = await self._change(key, value)
        if then is not None:
            then()
        return status

    async def _change(self, key: str, value: str) -> tuple[ConfigurationStatus, Callable[[], None] | None]:
        configuration = self.ctx.configuration
        if configuration.lookup(key) in _OF_THE_CONNECTION:
            return await self._credentials.change(key, value)
        if configuration.lookup(key) is NEXT_TIME_OFFSET_TRANSITION_DATE_TIME and self._is_past(key, value):
            return ConfigurationStatus.REJECTED, None
        change = await self._changes.carry_out(partial(configuration.prepare_change, key, value))
        return change.status, None

    def _is_past(self, key: str, value: str) -> bool:
        """Is it a value that could be taken, and a time that does not lie ahead? The configuration knows no clock."""
        prepared = self.ctx.configuration.prepare_change(key, value)
        return prepared.change.is_accepted and parse_datetime_tolerant(value) <= self.ctx.clock.now()

    async def reset(self, key: Key[Any]) -> ConfigurationStatus:
        """Back to the main configuration. Raises StoreError if it could not be kept; then it is as it was."""
        change = await self._changes.carry_out(partial(self.ctx.configuration.prepare_reset, key))
        return change.status

    async def set_all(self, values: Callable[[], Mapping[Key[Any], Any]]) -> None:
        """Keys of the station itself, which the Central System cannot change: all of them, or none. `values` is asked
        when its turn has come.

        Raises ValueError that names the key, StoreError if it could not be kept; then everything is as it was.
        """
        await self._changes.set_all(values)

    @on("GetConfiguration")
    def get_configuration(self, request: "messages.GetConfigurationRequest") -> "messages.GetConfigurationResponse":
        payload = self.get(request.get("key") or ())
        room = self.ctx.configuration[internal.MAX_MESSAGE_SIZE] - _OVERHEAD
        for member, found in list(payload.items()):
            fits, room = _fitting(found, room)
            if fits < len(found):
                self._say_cut(member, len(found) - fits)
                payload[member] = found[:fits]
                if not fits:
                    del payload[member]
        return cast("messages.GetConfigurationResponse", payload)

    def _say_cut(self, member: str, left_out: int) -> None:
        """Once: a Central System that asks so, asks again."""
        if not self._was_cut:
            self._was_cut = True
            self.ctx.log.warning(
                "GetConfiguration.conf would be larger than MaxMessageSize: %d of its %s are left out",
                left_out,
                member,
            )

    @on("ChangeConfiguration")
    async def change_configuration(
        self, request: "messages.ChangeConfigurationRequest"
    ) -> "Reply[messages.ChangeConfigurationResponse]":
        # What follows of it follows its answer, which goes out on the connection that the old key opened (SecWP A03).
        status, then = await self._change(request["key"], request["value"])
        return Reply({"status": str(status)}, then=then)


_OF_THE_CONNECTION = (security.SECURITY_PROFILE, security.AUTHORIZATION_KEY)


def _fitting(found: Sequence[Any], room: int) -> tuple[int, int]:
    """How many of the first items fit into so many bytes of JSON, and how many bytes are left then."""
    for number, item in enumerate(found):
        size = len(orjson.dumps(item)) + 1
        if size > room:
            return number, 0
        room -= size
    return len(found), room
