"""Changes of the configuration in two steps: checked, and in force.

Between the two lies the disk: what is answered Accepted must be there after a power cut, and what could not be written
must never be in force. So a change is prepared first, which changes nothing; its documents are written; then it is
applied. Rules of this file:

1. What is accepted fits what is in force and what will be in force after the next start, both by all rules between
   keys. A key that waits for a reboot changes the second only; the same change again is RebootRequired again.
2. Several changes may be under way at a time (`with prepared:`). Their documents build on one another, so that the one
   written last has them all.
3. `apply` checks again if anything changed meanwhile. It cannot half happen: it raises, or all of it is done.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self

from ocpp16.configuration.custom_keys import CUSTOM, section_of
from ocpp16.configuration.documents import check_no_null
from ocpp16.configuration.key import WIRE_TEXT_LIMIT, Access, Change, Key
from ocpp16.configuration.key_families import FamilyEntry, Get
from ocpp16.configuration.keys.internal import KEY_ACCESS
from ocpp16.configuration.keys.security import AUTHORIZATION_KEY, AUTHORIZATION_KEY_FORM
from ocpp16.configuration.layers import Layers, is_same
from ocpp16.configuration.loading import ABSENT, Values, access_faults, base, parsed, value_of
from ocpp16.configuration.report import text_on_the_wire
from ocpp16.configuration.rules import violations
from ocpp16.configuration.values import AuthorizationKey
from ocpp16.enums import ConfigurationStatus
from ocpp16.texts import shown

NOT_BUILT = "is not built yet"


class Prepared:
    """A change that was checked, and what is to be written for it. Nothing of it is in force before `apply`.

    - `change`: what it comes to; if it is not accepted there is nothing to write and nothing to apply.
    - `old_text`, `new_text`: text on the wire of what is in force and of what was asked for, as GetConfiguration would
      report it; None: absent, or a secret.

    Written in full::

        prepared = configuration.prepare_change(name, text)
        if prepared.change.is_accepted and not prepared.change.is_unchanged:
            with prepared:  # under way: the documents of later changes have it, too
                ...  # write prepared.overrides and prepared.secrets; if that fails, leave the block
                prepared.apply()

    Whoever leaves the block without `apply` writes `configuration.overrides` and `.secrets` again if the first write
    may still happen: by then they are without this change.
    """

    __slots__ = ("_again", "_is_applied", "_layers", "_revision", "change", "new_text", "old_text", "value")

    def __init__(self, layers: Layers, change: Change, again: "Callable[[], Prepared]", value: Any = ABSENT) -> None:
        """For `prepare_change` and its like: `again` makes the same from what is there by then."""
        self._layers = layers
        self._again = again
        self._revision = layers.revision
        self._is_applied = False
        self.change: Change = change
        self.value: Any = value
        """What was asked for, read."""
        self.old_text: str | None = None
        self.new_text: str | None = None

    def __repr__(self) -> str:
        return f"<Prepared {self.change.wire_name or '(unknown key)'}: {self.change.status}>"

    @property
    def key(self) -> Key[Any]:
        """The key that is to change; of an accepted change."""
        assert self.change.key is not None  # there is one wherever anything is accepted
        return self.change.key

    @property
    def is_applied(self) -> bool:
        """Did it come into force?"""
        return self._is_applied

    @property
    def overrides(self) -> dict[str, Any]:
        """The overlay to be written, without secrets: with this change, and with all that is pending or under way."""
        return self._layers.overlay(self._wanted(), is_secret=False)

    @property
    def secrets(self) -> dict[str, Any]:
        """The secrets to be written, in the same form. For the secret store only."""
        return self._layers.overlay(self._wanted(), is_secret=True)

    def apply(self) -> Change:
        """Put it into force, or let it wait for the reboot. The second call of one that is applied does nothing.

        Raises ValueError with the reason if it was not accepted, or no longer fits what was changed meanwhile; then
        nothing has changed.
        """
        if self._is_applied:
            return self.change
        with self._apart():
            if self._revision != self._layers.revision:
                self.renew()
            if not self.change.is_accepted:
                raise ValueError(self.change.reason)
            if not self.change.is_unchanged:
                self._store()
            self._is_applied = True
        return self.change

    def __enter__(self) -> Self:
        if self.change.is_accepted and not self.change.is_unchanged and not self._is_applied:
            self._layers.under_way = (*self._layers.under_way, self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._apart():
            pass

    # --- inside

    def _wanted(self) -> Values:
        values = self._layers.wanted()
        if self.change.is_accepted and not self._is_applied and self not in self._layers.under_way:
            self._layers.put(values, self.key, self.value)
        return values

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """No longer under way, and what came later not yet; afterwards that is built anew on what there is."""
        layers = self._layers
        everything = layers.under_way
        place = everything.index(self) if self in everything else len(everything)
        layers.under_way, later = everything[:place], everything[place + 1 :]
        try:
            yield
        finally:
            for change in later:
                if change.renew():
                    layers.under_way = (*layers.under_way, change)

    def renew(self) -> bool:
        """For the layers it is on its way through: check it again, on what holds by now. Whether it is accepted."""
        self._take(self._again())
        return self.change.is_accepted

    def _take(self, fresh: "Prepared") -> None:
        self.change, self.value, self._revision = fresh.change, fresh.value, fresh._revision
        self.old_text, self.new_text = fresh.old_text, fresh.new_text

    def _store(self) -> None:
        layers, key = self._layers, self.key
        if key.needs_reboot:
            pending = {one: value for one, value in layers.pending.items() if one is not key}
            if not is_same(key, self.value, in_force(layers, key)):
                pending[key] = self.value
            layers.pending = pending
        else:
            changed = dict(layers.changed)
            layers.put(changed, key, self.value)
            layers.changed = changed
            if key in layers.overlaid:  # a frozenset made anew, and empty, is another 216 bytes
                layers.overlaid -= {key}
        layers.revision += 1


def in_force(layers: Layers, key: Key[Any]) -> Any:
    """The value the charge point works with; ABSENT if an optional key has none."""
    return layers.changed.get(key, layers.main.get(key, base(key)))


def prepare_change(layers: Layers, name: str, text: str) -> Prepared:
    """ChangeConfiguration (OCPP 1.6 ed. 2 §5.3). See `Configuration.prepare_change`."""
    for argument, given in (("name", name), ("text", text)):
        if not isinstance(given, str):
            raise ValueError(f"{argument} must be text")
    again = partial(prepare_change, layers, name, text)
    get = _get(layers, layers.wanted())
    key, entry = layers.addressed(name, get)
    access = Access.HIDDEN if key is None else layers.access(key)
    if key is None or access is Access.HIDDEN or not (layers.is_known(key) or not key.is_built):
        reason = f"unknown key {shown(name, 60)}"
        return Prepared(layers, Change(ConfigurationStatus.NOT_SUPPORTED, reason=reason), again)
    if not key.is_built:
        return Prepared(layers, Change(ConfigurationStatus.NOT_SUPPORTED, key, key.name, reason=NOT_BUILT), again)
    wire_name = key.name if entry is None else entry.name
    may_create = key.is_creatable or access is Access.WO or entry is not None
    if not layers.has_value(key) and not may_create:
        reason = "not configured"
        return Prepared(layers, Change(ConfigurationStatus.NOT_SUPPORTED, key, key.name, reason=reason), again)
    value: Any
    try:
        if access is Access.RO:
            raise ValueError("read-only")
        if len(text) > WIRE_TEXT_LIMIT:
            raise ValueError(f"has {len(text)} characters, at most {WIRE_TEXT_LIMIT} are allowed")
        if key is AUTHORIZATION_KEY:
            value = AuthorizationKey(layers[AUTHORIZATION_KEY_FORM]).from_text(text)
        elif entry is None:
            value = key.parse_text(text)
        else:
            value = key.parse_json(entry.family.replaced(entry, text, get))
        if key.rises and value <= get(key):
            raise ValueError(f"must be above {get(key)}")
        return _checked(layers, key, value, wire_name, again, entry)
    except ValueError as reason:
        return _rejected(layers, key, wire_name, again, reason)


def prepare_set(layers: Layers, key: Key[Any], value: Any) -> Prepared:
    """A change by the host. See `Configuration.prepare_set`."""
    again = partial(prepare_set, layers, key, value)
    try:
        if value is None:
            if key in layers.main or not key.is_optional:
                raise ValueError("has a value in the main configuration and cannot be removed")
            return prepare_reset(layers, key)
        if not key.is_built:
            raise ValueError(NOT_BUILT)
        taken = parsed(key, key.to_json(value), layers[AUTHORIZATION_KEY_FORM])
        check_no_null(key.to_json(taken))
        return _checked(layers, key, taken, key.name, again)
    except (ValueError, TypeError, AttributeError, OverflowError) as reason:
        return _rejected(layers, key, key.name, again, ValueError("" if key.is_secret else str(reason)))


def prepare_reset(layers: Layers, key: Key[Any]) -> Prepared:
    """Back to the main configuration. See `Configuration.prepare_reset`."""
    again = partial(prepare_reset, layers, key)
    try:
        return _checked(layers, key, layers.main.get(key, base(key)), key.name, again)
    except ValueError as reason:
        return _rejected(layers, key, key.name, again, reason)


def _rejected(
    layers: Layers, key: Key[Any], wire_name: str, again: Callable[[], Prepared], reason: ValueError
) -> Prepared:
    return Prepared(layers, Change(ConfigurationStatus.REJECTED, key, wire_name, reason=str(reason)), again)


def _checked(
    layers: Layers,
    key: Key[Any],
    value: Any,
    wire_name: str,
    again: Callable[[], Prepared],
    entry: FamilyEntry | None = None,
) -> Prepared:
    """A change to a value of the right kind; ValueError with the reason if a rule forbids it."""
    if key is KEY_ACCESS and value is not ABSENT:
        for fault in access_faults(value, layers.custom):
            raise ValueError(fault)
    stored = layers.pending.get(key, in_force(layers, key))
    is_moving = any(prepared.key is key for prepared in layers.under_way)
    is_unchanged = not is_moving and is_same(key, value, stored)
    waits = key.needs_reboot and not is_same(key, value, in_force(layers, key))
    status = ConfigurationStatus.REBOOT_REQUIRED if waits else ConfigurationStatus.ACCEPTED
    views = [layers.wanted()] if key.needs_reboot else [layers.wanted(), dict(layers.changed)]
    for values in views:
        layers.put(values, key, value)
        if not is_unchanged:
            _check_rules(layers, key, _get(layers, values))
    change = Change(status, key, wire_name, layers.patch(key, views[0]), is_unchanged=is_unchanged)
    prepared = Prepared(layers, change, again, value)
    if not key.is_secret:
        prepared.old_text = text_on_the_wire(layers, key, entry, layers.__getitem__)
        prepared.new_text = text_on_the_wire(layers, key, entry, _get(layers, views[0]))
    return prepared


def _check_rules(layers: Layers, key: Key[Any], get: Get) -> None:
    for violation in violations(get, key):
        rule = violation.rule
        raise ValueError(violation.reason if rule.key is key else f"does not go with {rule.key.name}")
    if key.section == CUSTOM:
        layers.schema.check_section(section_of(layers.custom.values(), get))


def _get(layers: Layers, values: Values) -> Get:
    return lambda key: value_of(key, layers.main, values)
