"""Texts for a driver, in the form of EVerest (MessageContent)."""

from collections.abc import Iterable
from typing import Any, Final

from ocpp16.prices import DisplayMessageContent

__all__ = ["contents"]

FORMATS: Final = frozenset({"ASCII", "HTML", "URI", "UTF8", "QRCODE"})


def contents(messages: Iterable[DisplayMessageContent]) -> list[dict[str, Any]]:
    """A format that EVerest has no word for is left out."""
    return [_content(message) for message in messages]


def _content(message: DisplayMessageContent) -> dict[str, Any]:
    found: dict[str, Any] = {"content": message.message}
    if message.language is not None:
        found["language"] = message.language
    if message.message_format in FORMATS:
        found["format"] = message.message_format
    return found
