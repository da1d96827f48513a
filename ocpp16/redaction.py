"""What must not be shown of a frame: the values of configuration keys that are secrets (AuthorizationKey), and who logs
in where a URL leads to (GetDiagnostics, UpdateFirmware and others).

It works on the structure and not on the text, for a secret can be spelt in many ways: another case, `\\u0041` for an A,
a number or an array as value, members in another order or twice, a text that quotes it.

Rules of this file:
1. Of a frame that names such a key nothing is shown but what cannot be the secret: names of members and keys where they
   belong, truth values, what is shorter than any secret, and whole entries of a list of configuration keys that are
   about another key. All else is `HIDDEN`.
   Of a change of a key that says no plain name of a key (a number, none, letters that only look like others) nobody can
   tell whether it is about a secret: it is taken for one.
2. One that has another shape than frames have, or members that a message about keys does not have, is `UNREADABLE`; so
   is a text that is no JSON and names a secret, or may be a change of a key.
3. Of a URL all is hidden between `://` and the last `@` that may belong to it: a password may hold anything.
4. Other texts than frames (`redacted_prose`) are shown unless they name a secret.
5. What a peer says to a password that it was told is shown without it (`without_password`), decoded or not.
"""

import json
import re
import unicodedata
from base64 import b64decode
from collections.abc import Collection
from typing import Any, Final

from ocpp16.enums import ErrorCode
from ocpp16.messages.actions import ACTIONS

HIDDEN: Final = "***"
UNREADABLE: Final = "*** (a frame that names a secret, or changes a key, and cannot be read)"
UNSAYABLE: Final = "*** (a text that names a secret)"

_NAME: Final = "authorizationkey"
_SECRET: Final = re.compile(r"authori[sz]ation[\W_]*key|basicauthpassword|authorization:\s*basic")
"""In what `_plain` gives: however letters were spelt, and whatever stands between the words."""
_CHANGE: Final = "changeconfiguration"
_ESCAPE: Final = re.compile(r"(?<!\\)\\++[uU]([0-9a-fA-F]{4})")
"""From the first of several backslashes on, and all of them at once: a frame of nothing else is read in one pass."""
_ESCAPES_WITHIN: Final = 8
"""How often escapes may themselves be escaped, as in JSON that is quoted in JSON."""

_SHORTEST: Final = 8
"""Characters of the shortest secret (AuthorizationKey)."""
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[^\s"]+', re.DOTALL)
"""A text in quotes, or a word: in either order of reading a URL does not go beyond it."""
_SLASHES: Final = re.compile(r"(?::|\\u003a)(?:\\{0,8}/|\\{1,8}u002f){2}", re.IGNORECASE)
"""Before a name and password, as JSON may have them."""
_AT: Final = re.compile(r"@|\\u0040", re.IGNORECASE)
_BROKEN: Final = re.compile(r"""://([^\s"'@]+)[\s"']""")
"""Up to the first blank or quote, where that is not behind an `@`."""
_HOST: Final = re.compile(r"[^:/]*(?::[0-9]*)?(?:/.*)?")
_PORT: Final = re.compile(r"[^:/]*:[0-9]+")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_KEY: Final = re.compile(r"([A-Z][a-z]+){2,}")
"""As names of keys are written: two words or more, and no digit."""
_PLAIN_NAME: Final = re.compile(r"[\w.:/ -]*", re.ASCII)
"""Of a key, as names of keys are meant to be."""
_CODES: Final = frozenset(map(str, ErrorCode))
_MEMBERS: Final = frozenset({_NAME, "key", "value", "readonly", "configurationkey", "unknownkey"})


class _Members(list[tuple[str, Any]]):
    """A JSON object with all its members, repeated ones too."""


class _UnknownShape(ValueError):
    """It cannot be told what of it is the secret."""


def redacted(text: str, secrets: Collection[str] = ()) -> str:
    """`text` of a frame with the values of secrets hidden; most frames come back as they are.

    secrets: names, in lower case, of the host's own keys that are secrets. Any word may be such a name, so theirs are
    the values that stand in one object with it.
    """
    text = without_logins(text)
    plain = _plain(text)
    may_change = _CHANGE in plain or (plain.lstrip("\ufeff \t\r\n")[:1] in ("[", "{") and "key" in plain)
    names_secret = _SECRET.search(plain) is not None
    if not names_secret and not may_change:
        return text
    try:
        frame = json.loads(text, object_pairs_hook=_Members)
        if (names_secret and _names_secret(frame)) or _may_change_a_secret(frame):
            return _written(_of_frame(frame))
        hidden = _without_values(frame, secrets) if secrets else frame
        return text if hidden == frame else _written(hidden)
    except (ValueError, RecursionError):
        return UNREADABLE


def without_password(text: str, header: str) -> str:
    """What a peer answered to a header Authorization or Proxy-Authorization of HTTP Basic; "" as header: to none."""
    token = header.rpartition(" ")[2]
    try:
        password = b64decode(token).partition(b":")[2]
    except ValueError:
        password = b""
    spelt = (
        token,
        password.decode("latin-1"),
        password.decode("utf-8", "replace"),
        password.hex(),
        password.hex().upper(),
    )
    for secret in spelt:
        if secret:
            text = text.replace(secret, HIDDEN)
    return text


def redacted_prose(text: str) -> str:
    """`text` that is no frame, and may quote one; not if it names a secret."""
    text = _without_broken_logins(without_logins(text))
    return text if _SECRET.search(_plain(text)) is None else UNSAYABLE


def without_logins(text: str) -> str:
    """`text` with names and passwords in URLs hidden; one that has none comes back as it is."""
    if "@" not in text and "u0040" not in text.lower():
        return text
    changed = _TOKEN.sub(_without_login, text)
    return text if changed == text else changed


def _without_login(token: re.Match[str]) -> str:
    text = token[0]
    begin = _SLASHES.search(text)
    ends = [found.end() for found in _AT.finditer(text, begin.end())] if begin else []
    return f"{text[: begin.end()]}{HIDDEN}@{text[ends[-1] :]}" if begin and ends else text


def _without_broken_logins(text: str) -> str:
    """A blank or a quote may be of a password. Where what stands before it is no host, all is hidden up to the last `@`
    of the line; where it may be host and port, or a name and digits, up to the last one before a slash."""
    if "@" not in text or "://" not in text:
        return text
    return "".join(_without_broken_login(line) for line in text.splitlines(keepends=True))


def _without_broken_login(line: str) -> str:
    last = line.rfind("@")
    for begin in _BROKEN.finditer(line, 0, last + 1):
        if not _HOST.fullmatch(begin[1]):
            return f"{line[: begin.start(1)]}{HIDDEN}{line[last:]}"
        if _PORT.fullmatch(begin[1]) is None:
            continue
        path = line.find("/", begin.end())
        end = line.rfind("@", begin.end(), len(line) if path < 0 else path)
        if end >= 0:
            return f"{line[: begin.start(1)]}{HIDDEN}{line[end:]}"
    return line


def _plain(text: str) -> str:
    """In lower case, without escapes and accents, in plain letters; an escape too deep stands for a secret's name."""
    if "\\" in text:
        for _ in range(_ESCAPES_WITHIN):
            before, text = text, _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
            if text == before:
                break
        else:
            text += "AuthorizationKey"
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.lower())
        text = "".join(character for character in decomposed if not unicodedata.combining(character))
    return text.lower()


def _may_change_a_secret(frame: Any) -> bool:
    """Is it a change of a key that cannot be told from one of a secret?"""
    match frame:
        case [2, _, str(action), payload] if _plain(action).strip() == _CHANGE:
            names = [held for name, held in payload if name == "key"] if isinstance(payload, _Members) else []
            return not (len(names) == 1 and isinstance(names[0], str) and _PLAIN_NAME.fullmatch(names[0]))
    return False


def _names_secret(value: Any) -> bool:
    """Does a name or a text anywhere in it name a secret?"""
    if isinstance(value, _Members):
        return any(_names_secret(name) or _names_secret(held) for name, held in value)
    if isinstance(value, list):
        return any(map(_names_secret, value))
    return isinstance(value, str) and _SECRET.search(_plain(value)) is not None


def _of_frame(frame: Any) -> list[Any]:
    """A frame for people to see. Raises _UnknownShape."""
    if type(frame) is list and frame and type(frame[0]) is int:
        match frame:
            case [2, unique_id, "GetConfiguration", _Members([("key", list(names))])]:
                return [2, _id(unique_id), "GetConfiguration", _Members([("key", list(map(_name, names)))])]
            case [2, unique_id, action, payload]:
                return [2, _id(unique_id), _one_of(action, ACTIONS), _shown(payload)]
            case [3, unique_id, _Members() as payload]:
                return [3, _id(unique_id), _Members((name, _of_answer(name, held)) for name, held in payload)]
            case [4, unique_id, code, description, details]:
                return [4, _id(unique_id), _one_of(code, _CODES), _up_to_the_name(description), _shown(details)]
    raise _UnknownShape


def _id(unique_id: Any) -> Any:
    return unique_id if isinstance(unique_id, str) and _UUID.fullmatch(unique_id) else _one_of(unique_id, ())


def _one_of(word: Any, known: Collection[str]) -> Any:
    """`word`, if it is known, or too short for a secret."""
    return word if isinstance(word, str) and (word in known or len(word) < _SHORTEST) else HIDDEN


def _name(name: Any) -> Any:
    """The name of a key, where nothing else may stand."""
    return name if isinstance(name, str) and _KEY.fullmatch(name) else _one_of(name, ())


def _up_to_the_name(text: Any) -> Any:
    """Of a text that begins with a secret's name, nothing after it; of another nothing, unless it is short."""
    beginning = text[: len(_NAME)] if isinstance(text, str) and text.lower().startswith(_NAME) else ""
    return text if text == beginning else beginning + HIDDEN if beginning else _one_of(text, ())


def _shown(value: Any) -> Any:
    """A value without a place of its own."""
    if isinstance(value, _Members):
        return _Members((name, _of_member(name.lower(), held)) for name, held in value)
    if isinstance(value, list):
        return list(map(_shown, value))
    is_name = isinstance(value, str) and value.lower() == _NAME
    return value if is_name or isinstance(value, bool) or value is None else HIDDEN


def _of_member(name: str, value: Any) -> Any:
    if name not in _MEMBERS:
        raise _UnknownShape
    if name == "key" and isinstance(value, str):
        return value if value.lower() == _NAME else _one_of(value, ())
    return value if name == "readonly" and isinstance(value, bool) else HIDDEN


def _of_answer(name: str, value: Any) -> Any:
    """A member of a confirmation."""
    if type(value) is list:
        if name == "configurationKey":
            return [entry if _is_about_another(entry) else _shown(entry) for entry in value]
        if name == "unknownKey":
            return list(map(_name, value))
    return _of_member(name.lower(), value)


def _is_about_another(entry: Any) -> bool:
    """Is it an entry of GetConfiguration.conf as it has to be, of a key that is no secret?"""
    if not isinstance(entry, _Members) or _names_secret(entry):
        return False
    members = dict(entry)
    if len(members) != len(entry) or not members.keys() <= {"key", "readonly", "value"}:
        return False
    is_valued = isinstance(members.get("value", ""), str)
    return isinstance(members.get("key"), str) and isinstance(members.get("readonly"), bool) and is_valued


def _without_values(value: Any, secrets: Collection[str]) -> Any:
    """The same, but for what stands in an object whose `key` is one of these."""
    if isinstance(value, _Members):
        is_one = any(
            _plain(name).strip() == "key" and isinstance(held, str) and _plain(held).strip() in secrets
            for name, held in value
        )
        return _Members(
            (name, _shown(held) if is_one and _plain(name).strip() != "key" else _without_values(held, secrets))
            for name, held in value
        )
    return [_without_values(held, secrets) for held in value] if isinstance(value, list) else value


def _written(value: Any) -> str:
    if isinstance(value, _Members):
        return "{" + ",".join(f"{_written(name)}:{_written(held)}" for name, held in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    # A lone surrogate, which was an escape, stays one: no file and no frame can have it otherwise.
    return json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace").decode()
