"""Keys that are many on the wire and one in the file: `MeterPublicKey<n>` and `DefaultPriceText,<language>`.

A family finds its index in a name, lists its entries, and puts a changed entry into the whole value. Names are compared
without regard to case, like all others.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from ocpp16.configuration.documents import compact_json, native_of
from ocpp16.configuration.key import WIRE_TEXT_LIMIT, Key
from ocpp16.configuration.keys.cost_and_price import (
    CUSTOM_MULTI_LANGUAGE_MESSAGES,
    DEFAULT_PRICE_TEXT,
    SUPPORTED_LANGUAGES,
)
from ocpp16.configuration.keys.internal import METER_PUBLIC_KEYS

Get = Callable[[Key[Any]], Any]
"""Value of a key in the configuration at hand."""


class FamilyEntry:
    """One name on the wire of a family; `text` is "" if there is nothing yet, None if it does not fit."""

    __slots__ = ("family", "index", "name", "text")

    def __init__(self, family: "Family", index: Any, name: str, text: str | None) -> None:
        self.family: Family = family
        self.index: Any = index
        self.name: str = name
        self.text: str | None = text


class Family(Protocol):
    key: Key[Any]

    def find(self, name: str, get: Get) -> FamilyEntry | None:
        """The entry of that name, None if the name is not one of this family or does not exist here."""
        ...

    def matches(self, name: str) -> bool: ...
    def entries(self, get: Get) -> Iterator[FamilyEntry]: ...
    def replaced(self, entry: FamilyEntry, text: str, get: Get) -> Any:
        """Native form of the whole value with one entry changed. ValueError with the reason."""
        ...


class MeterPublicKeys:
    """`MeterPublicKey1` is the first item of the array MeterPublicKeys: connector 1."""

    key: Key[Any] = METER_PUBLIC_KEYS
    _NAME: Final = re.compile(r"meterpublickey([1-9][0-9]{0,8})", re.ASCII | re.IGNORECASE)

    def matches(self, name: str) -> bool:
        return self._NAME.fullmatch(name) is not None

    def find(self, name: str, get: Get) -> FamilyEntry | None:
        match = self._NAME.fullmatch(name)
        items = get(self.key) or ()
        if match is None or int(match[1]) > len(items):
            return None
        return self._entry(int(match[1]), items)

    def entries(self, get: Get) -> Iterator[FamilyEntry]:
        items = get(self.key) or ()
        for number in range(1, len(items) + 1):
            yield self._entry(number, items)

    def replaced(self, entry: FamilyEntry, text: str, get: Get) -> list[str]:
        items = list(get(self.key))
        items[entry.index - 1] = text
        return items

    def _entry(self, number: int, items: tuple[str, ...]) -> FamilyEntry:
        text = items[number - 1]
        return FamilyEntry(self, number, f"MeterPublicKey{number}", text if len(text) <= WIRE_TEXT_LIMIT else None)


class DefaultPriceTexts:
    """`DefaultPriceText,en` is the entry of language en in DefaultPriceText.

    One by one they exist for the languages of SupportedLanguages, and only with CustomMultiLanguageMessages; the
    entry of a language without text is empty and may be set. The full read lists what is there.
    """

    key: Key[Any] = DEFAULT_PRICE_TEXT
    _PREFIX: Final = "defaultpricetext,"

    def matches(self, name: str) -> bool:
        return name.lower().startswith(self._PREFIX)

    def find(self, name: str, get: Get) -> FamilyEntry | None:
        if not self.matches(name) or not get(CUSTOM_MULTI_LANGUAGE_MESSAGES):
            return None
        asked = name[len(self._PREFIX) :].strip().lower()
        language = next((one for one in get(SUPPORTED_LANGUAGES) or () if one.lower() == asked), None)
        if language is None:
            return None
        item = next((one for one in self._items(get) if one["language"] == language), None)
        return self._entry(language, item)

    def entries(self, get: Get) -> Iterator[FamilyEntry]:
        for item in self._items(get):
            yield self._entry(item["language"], item)

    def replaced(self, entry: FamilyEntry, text: str, get: Get) -> dict[str, Any]:
        native = native_of(text)
        if not isinstance(native, dict):
            raise ValueError("must be an object")
        changed = {**native, "language": entry.index}
        items = list(self._items(get))
        for place, item in enumerate(items):
            if item["language"] == entry.index:
                items[place] = changed
                break
        else:
            items.append(changed)
        return {"priceTexts": items}

    def _items(self, get: Get) -> list[dict[str, Any]]:
        value = get(self.key)
        return value.get("priceTexts", []) if value else []

    def _entry(self, language: str, item: dict[str, Any] | None) -> FamilyEntry:
        text = ""
        if item is not None:
            text = compact_json({name: value for name, value in item.items() if name != "language"})
        return FamilyEntry(
            self, language, f"DefaultPriceText,{language}", text if len(text) <= WIRE_TEXT_LIMIT else None
        )


FAMILIES: Final[tuple[Family, ...]] = (MeterPublicKeys(), DefaultPriceTexts())
BY_KEY: Final = {family.key: family for family in FAMILIES}
