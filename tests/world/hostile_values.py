"""Values whose own code raises: subclasses of text and number, and exceptions of every such kind."""

from collections.abc import Callable
from typing import Any


def _raises(*_: Any, **__: Any) -> Any:
    raise RuntimeError("of the host")


class Text(str):
    """Holds a text, and raises whatever it is asked."""

    __slots__ = ()
    __eq__ = __ne__ = __len__ = __str__ = __repr__ = __iter__ = __getitem__ = __contains__ = _raises
    __hash__ = _raises
    encode = isascii = lower = isprintable = _raises


class Number(int):
    """Holds a number, and raises whatever it is asked."""

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __int__ = __index__ = __str__ = __repr__ = _raises
    __hash__ = _raises


class Mute(Exception):
    __str__ = __repr__ = _raises


class TellsNoText(Exception):
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]


class TellsSubclass(Exception):
    def __str__(self) -> str:
        return Text("a text")


class NoMembers(BaseExceptionGroup[BaseException]):
    exceptions = property(_raises)


class MemberOfItself(BaseExceptionGroup[BaseException]):
    @property
    def exceptions(self) -> Any:
        return (self,)


class NoCause(Exception):
    __cause__ = property(_raises)
    __context__ = property(_raises)


class CauseIsText(Exception):
    __cause__ = "a text"  # type: ignore[assignment]


class NoTraceback(Exception):
    __traceback__ = "a text"  # type: ignore[assignment]


class NoClass(Exception):
    __class__ = property(_raises)


class _NoName(type):
    __name__ = property(_raises)


class WithoutName(Exception, metaclass=_NoName):
    pass


def _untrue() -> BaseException:
    class Untrue(Exception):
        __bool__ = _raises

    error = ValueError("of an untrue one")
    error.__cause__ = Untrue()
    return error


def _deep() -> BaseException:
    error: Exception = ValueError("inmost")
    for _ in range(5000):
        error = ExceptionGroup("around", [error])
    return error


EXCEPTIONS: dict[str, Callable[[], BaseException]] = {
    "no text": Mute,
    "a text that is none": TellsNoText,
    "a text of a kind of its own": TellsSubclass,
    "a huge text": lambda: ValueError("x" * 5_000_000),
    "a group without members": lambda: NoMembers("group", [GeneratorExit()]),
    "a group that is its own member": lambda: MemberOfItself("group", [GeneratorExit()]),
    "no cause": NoCause,
    "a cause that is none": CauseIsText,
    "an untrue cause": _untrue,
    "a traceback that is none": NoTraceback,
    "no class": NoClass,
    "no name": lambda: WithoutName("without"),
    "a deep group": _deep,
    "arguments that cannot be shown": lambda: ValueError(Mute()),
}
"""By what it is: makes one to raise."""
