"""`charge_point.configuration`: the configuration keys, read and changed.

What is changed here is checked like ChangeConfiguration of the Central System, stored, and then in force: the machine
behind, which knows no disk, is not for hosts.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from ocpp16.charge_point.runtime import Runtime
from ocpp16.configuration.key import Key
from ocpp16.ctrl_c import only_at_waits
from ocpp16.enums import ConfigurationStatus
from ocpp16.values import described, items, text

T = TypeVar("T")


@only_at_waits
class ConfigurationDoor:
    """Made anew each time it is asked for. `configuration[KEY]` has the type of the key."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def __getitem__(self, key: Key[T]) -> T:
        """The value in force, else the default of the key. Raises TypeError for a name: that is for `text`."""
        if not isinstance(key, Key):
            raise TypeError(f"a key of ocpp16.configuration.keys is needed, not {described(key)}; by name: text(…)")
        return self._runtime.configuration[key]

    def is_present(self, key: Key[Any]) -> bool:
        """Whether the key exists here: it has a value or a default, and its feature is on. Access does not matter."""
        return self._runtime.configuration.is_present(key)

    def is_pending(self, key: Key[Any]) -> bool:
        """Whether another value than the one in force waits for the next start."""
        return self._runtime.configuration.is_pending(key)

    def text(self, name: str) -> str | None:
        """The value in force as GetConfiguration would report it, by the name on the wire, whatever the access.

        None: there is no such key, it has no value, or it is a secret.
        """
        return self._runtime.configuration.text(name)

    @property
    def secret_names(self) -> frozenset[str]:
        """Of the host's own keys those that are secrets, in lower case, for `ocpp16.redaction.redacted`."""
        return self._runtime.configuration.secret_names

    def origin(self, name: str) -> str:
        """Where the value in force comes from: "default", "main", "overlay" of an earlier run, or "runtime".

        It is "default" also when the main configuration gives the same value. KeyError for an unknown name.
        """
        return self._runtime.configuration.origin(name)

    def origins(self) -> dict[str, str]:
        """`origin` of every key that has not its default, by name; secrets are among them, their values are not."""
        return self._runtime.configuration.origins()

    def get(self, keys: Sequence[str] = ()) -> dict[str, Any]:
        """What GetConfiguration answers for these keys; for all keys if there are none.

        `configurationKey` and `unknownKey` are both there, also where one is empty and would not go on the wire. Raises
        ValueError for a text in place of a list of names.
        """
        self._runtime.guard.check()
        found = self._runtime.features.settings.get([text(key, "keys") for key in items(keys, "keys", "names")])
        return {"configurationKey": [], "unknownKey": [], **found}

    async def set(self, key: str, value: str) -> ConfigurationStatus:
        """What ChangeConfiguration does, asked for by the host; returns once it is on disk and in force.

        Raises ValueError for what is no text, StoreError if it could not be kept within StoreTimeout,
        ChargePointStopped if the charge point is stopped before: then the key has its old value.
        """
        self._runtime.guard.check()
        return await self._runtime.features.settings.change(text(key, "key"), text(value, "value"))

    async def reset(self, key: str) -> ConfigurationStatus:
        """Give a key the value of the main configuration again, or its default, whoever changed it and whatever its
        access; returns once that is on disk, and in force as `set` has it.

        Rejected if another key does not go with it. Raises ValueError for an unknown name, and as `set`.
        """
        self._runtime.guard.check()
        found = self._runtime.configuration.lookup(text(key, "key"))
        if found is None:
            raise ValueError(f"key: there is no configuration key {described(key)}")
        return await self._runtime.features.settings.reset(found)

    def problem(self, key: str, value: str) -> str:
        """Why `set` would not be Accepted now, in words; empty if nothing speaks against it. Raises ValueError too."""
        self._runtime.guard.check()
        prepared = self._runtime.configuration.prepare_change(text(key, "key"), text(value, "value"))
        return prepared.change.reason
