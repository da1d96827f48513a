"""What code of others raises: is it a fault of that code, or the end of what runs here? And what is said of a fault.

Callbacks, stations, observers, strategies, streams and drivers may raise anything, also what is no Exception: another
loop's cancellation, a panic of a native extension, GeneratorExit, trio's cancellation of another task. All of that is a
fault. What ends more than the code it came from is Ctrl-C, exit, and the cancellation of the present task. Whoever runs
such code catches BaseException, and says first

    obey(error)         where the code was awaited,
    obey_exit(error)    where it was called: nobody can cancel what does not wait.

Both return for a fault. What a fault says is shown as any text of others, without secrets, and within bounds.

An exception of others is an object of others: its attributes may raise or lie, as may its type. So what it is, holds
and follows is read from where the interpreter keeps it, past whatever its class makes of that; and what cannot be shown
even so is left out.
"""

import traceback
from collections.abc import Iterator
from math import inf
from typing import Any, Final

import trio

from ocpp16.redaction import redacted_prose
from ocpp16.texts import kind_of, plain, shown

__all__ = ["as_exception", "end_in", "name_of", "obey", "obey_exit", "sentence", "text_of", "traceback_of"]

_EXIT: Final = (KeyboardInterrupt, SystemExit)

FRAMES: Final = 12
"""Frames of one exception that are shown: the innermost."""
LINES: Final = 40
"""Lines of a traceback that are shown: the last."""
LINE_LENGTH: Final = 200
"""Characters of such a line."""
_MOST_BEHIND: Final = 4
"""Exceptions that are shown behind one, and members of a group."""
_LONGEST: Final = 65_536
"""Characters of what an exception says that are looked at."""

# As the interpreter keeps them, whatever a class puts in their place.
_MEMBERS_OF: Final = vars(BaseExceptionGroup)["exceptions"].__get__
_CAUSE_OF: Final = vars(BaseException)["__cause__"].__get__
_CONTEXT_OF: Final = vars(BaseException)["__context__"].__get__
_HIDES_CONTEXT: Final = vars(BaseException)["__suppress_context__"].__get__
_TRACEBACK_OF: Final = vars(BaseException)["__traceback__"].__get__


def obey(error: BaseException) -> None:
    """Raise what of `error`, which awaited code raised, ends the program or the present task. Returns for a fault."""
    end = end_in(error)
    if end is not None:
        try:
            raise end
        finally:
            del end, error  # this frame is in its traceback: a circle would keep all that the task had


def obey_exit(error: BaseException) -> None:
    """The same for code that was called and not awaited: only Ctrl-C and exit are raised."""
    end = _exit_in(error)
    if end is not None:
        try:
            raise end
        finally:
            del end, error


def end_in(error: BaseException) -> BaseException | None:
    """What of `error` ends the program or the present task; None: nothing, all of it is a fault."""
    end = _exit_in(error)
    if end is not None or _is(error, Exception):
        return end
    for leaf in _leaves(error):
        if _is(leaf, trio.Cancelled) and _is_cancelled():
            return leaf
        if _is(leaf, GeneratorExit) and not _is_in_task():  # the coroutine is being thrown away
            return leaf
    return None


def _exit_in(error: BaseException) -> BaseException | None:
    if not _is(error, BaseExceptionGroup):
        return error if _is(error, _EXIT) else None
    return next((leaf for leaf in _leaves(error) if _is(leaf, _EXIT)), None)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Of a group of groups, however deep they are."""
    waiting = [error]
    while waiting:
        found = waiting.pop()
        if _is(found, BaseExceptionGroup):
            waiting += reversed(_MEMBERS_OF(found))
        else:
            yield found


def _is(error: BaseException, kind: type[BaseException] | tuple[type[BaseException], ...]) -> bool:
    """Is it one? Unlike `isinstance`, this does not ask the exception itself."""
    return issubclass(type(error), kind)


def _is_cancelled() -> bool:
    return _is_in_task() and trio.current_effective_deadline() == -inf


def _is_in_task() -> bool:
    return trio.lowlevel.in_trio_task()


def as_exception(fault: BaseException) -> Exception:
    """A fault as something that may be raised again elsewhere, where it must end nothing either."""
    if _is(fault, Exception):
        return fault  # type: ignore[return-value]
    wrapped = RuntimeError(sentence(fault))
    wrapped.__cause__ = fault
    return wrapped


def text_of(error: BaseException) -> str:
    """What an exception tells, as it is; "(no text)" where it fails even at this, and no more than can be looked at."""
    return plain(error)[:_LONGEST]


def sentence(error: BaseException) -> str:
    """Type and text of an exception on one line: harmless, bounded, and without secrets."""
    kind, text = shown(kind_of(error), 60), redacted_prose(text_of(error))
    return f"{kind}: {shown(text)}" if text else kind


def name_of(code: object) -> str:
    """The name of a function of others, or of the type of something else that can be called."""
    try:
        name: Any = getattr(code, "__qualname__", None)
    except BaseException as failure:  # an attribute of theirs
        obey_exit(failure)
        name = None
    return kind_of(code) if name is None else plain(name)


def traceback_of(error: BaseException) -> str:
    """Where an exception came from, and what stands behind it: at most `LINES` lines, each harmless and indented.

    No text of others is a line of its own, so that none looks like one of the log.
    """
    try:
        lines = list(_traceback(error, _MOST_BEHIND))
    except BaseException as failure:  # of what finds the source of a line: that is theirs, too
        obey_exit(failure)
        lines = [sentence(error)]
    surplus = len(lines) - LINES
    if surplus > 0:
        lines[:surplus] = [f"…(+{surplus} lines)"]
    return "\n  ".join(["Traceback:", *(shown(line, LINE_LENGTH) for line in lines)])


def _traceback(error: BaseException, depth: int) -> Iterator[str]:
    behind = _CAUSE_OF(error)
    if behind is None and not _HIDES_CONTEXT(error):
        behind = _CONTEXT_OF(error)
    if behind is not None and depth:
        yield from _traceback(behind, depth - 1)
        yield "which led to"
    for frame in traceback.StackSummary.extract(traceback.walk_tb(_TRACEBACK_OF(error)), limit=-FRAMES):
        yield f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}"
    yield sentence(error)
    if _is(error, BaseExceptionGroup) and depth:
        members = _MEMBERS_OF(error)
        for number, inner in enumerate(members[:_MOST_BEHIND], 1):
            yield f"{number} of {len(members)} in it:"
            yield from _traceback(inner, depth - 1)
