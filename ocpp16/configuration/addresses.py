"""Kinds of configuration values that a connection is made of: what can never work is refused when it is read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ocpp16.address import address_problems, identity_problems, proxy_problems, without_credentials
from ocpp16.configuration.lists import TextList
from ocpp16.configuration.values import Text


@dataclass(frozen=True, slots=True)
class Address(Text):
    """str: CentralSystemURI, with or without ws:// or wss:// (OCPP-J 1.6 §3.1). White space around it is removed."""

    def from_json(self, native: object) -> str:
        text = Text.from_json(self, native).strip()
        _raise(address_problems(text))
        return text

    def harmless(self, native: Any) -> Any:
        return _harmless(native)


@dataclass(frozen=True, slots=True)
class Identity(Text):
    """str: ChargePointId, a segment of a path (OCPP-J 1.6 §3.1.1) and the name of a file."""

    def from_json(self, native: object) -> str:
        text = Text.from_json(self, native)
        _raise(identity_problems(text))
        return text


@dataclass(frozen=True, slots=True)
class Header(Text):
    """str that can stand in a header of HTTP (RFC 9110 §5.5): printable ASCII on one line."""

    def from_json(self, native: object) -> str:
        text = Text.from_json(self, native)
        if not (text.isascii() and text.isprintable()) or text != text.strip():
            raise ValueError("must be printable ASCII characters without a blank at the ends")
        return text


@dataclass(frozen=True, slots=True)
class AddressList(TextList):
    """tuple[str, ...]: further addresses of the Central System, each as `Address`. A comma separates them."""

    def check_item(self, item: str) -> None:
        _raise(address_problems(item))

    def harmless(self, native: Any) -> Any:
        return _harmless(native)


@dataclass(frozen=True, slots=True)
class Proxy(Text):
    """str: a proxy of HTTP, with what it asks for (`ocpp16.address.proxy_problems`)."""

    def from_json(self, native: object) -> str:
        text = Text.from_json(self, native).strip()
        _raise(proxy_problems(text))
        return text

    def harmless(self, native: Any) -> Any:
        return _harmless(native)


_BETWEEN_TWO = re.compile(r",(?=\s*\w+://)")
"""A comma alone may be one of a password."""


def _harmless(native: Any) -> Any:
    """Without credentials, also where it is of another type than it should be: a list where one text is wanted, say."""
    if isinstance(native, str):
        return ",".join(map(without_credentials, _BETWEEN_TWO.split(native)))
    if isinstance(native, list | tuple):
        return [_harmless(one) for one in native]
    return {name: _harmless(one) for name, one in native.items()} if isinstance(native, dict) else native


def _raise(problems: Sequence[str]) -> None:
    if problems:
        raise ValueError("; ".join(problems))
