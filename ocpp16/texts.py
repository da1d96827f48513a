"""Texts of others, as a person or a log may see them (CWE-117, CWE-150).

What a Central System, a charge point, a station or a file says may hold anything: control characters that move the
cursor, line ends that forge lines of a log, marks that turn the direction of writing around. Everything that is shown
goes through `shown`, everywhere.

What a value says of itself is code of its type, which may raise, lie, or answer with a text of its own kind: it is
asked in `plain` and `kind_of`, and nowhere else.
"""

from typing import Any, Final

SHOWN_LENGTH: Final = 255
"""Characters of a foreign text that are shown where nobody says otherwise."""


def shown(text: object, limit: int = SHOWN_LENGTH) -> str:
    """`text` on one line, harmless and of at most `limit` characters.

    Whatever is not printable (control characters, escape sequences, line ends, marks of direction, invisible and
    unassigned characters, lone surrogates) becomes visible as `\\x1b`, `\\u202e` and the like. What is left out at the
    end is said in its place: `…(+2745)`.
    """
    whole = plain(text)
    part = whole if len(whole) <= limit else whole[:limit]
    if not part.isprintable():
        part = "".join(character if character.isprintable() else _visible(character) for character in part)
    surplus = len(whole) - limit
    if len(part) > limit:  # made longer by what had to be made visible
        surplus, part = max(surplus, 0) + len(part) - limit, part[:limit]
    return part if surplus <= 0 else f"{part}…(+{surplus})"


def plain(value: object) -> str:
    """The text that `value` is, or what it says of itself, as a text of Python's own; "(no text)" where it fails even
    at this. Only Ctrl-C and exit are raised."""
    if type(value) is str:
        return value
    try:
        return str.__str__(value if issubclass(type(value), str) else str(value))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:
        return "(no text)"


def kind_of(value: object) -> str:
    """The name of its type, whatever the type's own type says."""
    name: Any = _NAME_OF(type(value))
    return plain(name)


_NAME_OF: Final = vars(type)["__name__"].__get__


def _visible(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
