"""What must not be shown of a frame: the values of configuration keys that are secrets (AuthorizationKey).

It works on the structure and not on the text, for a secret can be spelt in many ways: another case, `\\u0041` for an A,
a number or an array as value, members in another order or twice, a text that quotes it. Whatever tells of such a key is
shown without its value; a frame that names one, or changes a key, and cannot be read is not shown at all.
"""

import json
import re
from typing import Any, Final

HIDDEN: Final = "***"
UNREADABLE: Final = "*** (a frame that names a secret, or changes a key, and cannot be read)"

_SECRETS: Final = ("authorizationkey",)
_CHANGE: Final = "changeconfiguration"
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_KEPT: Final = frozenset({"key", "readonly"})
_LISTS_OF_NAMES: Final = frozenset({"key", "unknownkey"})


class _Members(list[tuple[str, Any]]):
    """A JSON object with all its members, repeated ones too."""


def redacted(text: str) -> str:
    """`text` of a frame with the values of secrets hidden; most frames come back as they are."""
    plain = text.lower()
    if "\\u" in plain:
        plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text).lower()
    names_secret = any(secret in plain for secret in _SECRETS)
    if not names_secret and _CHANGE not in plain:
        return text
    try:
        frame = json.loads(text, object_pairs_hook=_Members)
        return _written(_without_secrets(frame, "")) if names_secret else text
    except (ValueError, RecursionError):
        return UNREADABLE


def _is_secret(name: Any) -> bool:
    return isinstance(name, str) and any(secret in name.lower() for secret in _SECRETS)


def _without_secrets(value: Any, member: str) -> Any:
    """`value` of a member of that name in lower case, for people to see."""
    if isinstance(value, _Members):
        names_secret = any(name.lower() == "key" and _is_secret(named) for name, named in value)
        return _Members((name, _of_member(name, held, names_secret)) for name, held in value)
    if isinstance(value, list):
        if member in _LISTS_OF_NAMES:
            return value
        shown, is_hidden = [], False
        for item in value:
            shown.append(HIDDEN if is_hidden else _without_secrets(item, ""))
            is_hidden = is_hidden or (isinstance(item, str) and item.strip().lower() in _SECRETS)
        return shown
    return _up_to_the_name(value) if _is_secret(value) and member != "key" else value


def _of_member(name: str, value: Any, names_secret: bool) -> Any:
    lower = name.lower()
    if _is_secret(name) or (names_secret and lower not in _KEPT):
        return HIDDEN
    return _without_secrets(value, lower)


def _up_to_the_name(text: str) -> str:
    """Of a text that quotes a secret's name, nothing after it."""
    lower = text.lower()
    end = min(lower.index(secret) + len(secret) for secret in _SECRETS if secret in lower)
    return text if end == len(text) else text[:end] + HIDDEN


def _written(value: Any) -> str:
    if isinstance(value, _Members):
        return "{" + ",".join(f"{_written(name)}:{_written(held)}" for name, held in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
