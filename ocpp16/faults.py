"""What code of others raises: is it a fault of that code, or the end of what runs here? And what is said of a fault.

Callbacks, stations, observers, strategies, streams and drivers may raise anything, also what is no Exception: another
loop's cancellation, a panic of a native extension, GeneratorExit, trio's cancellation of another task. All of that is a
fault. What ends more than the code it came from is Ctrl-C, exit, and the cancellation of the present task. Whoever runs
such code catches BaseException, and says first

    obey(error)         where the code was awaited,
    obey_exit(error)    where it was called: nobody can cancel what does not wait.

Both return for a fault. What a fault says is shown as any text of others, without secrets, and within bounds.
"""

import traceback
from collections.abc import Iterator
from math import inf
from typing import Final

import trio

from ocpp16.redaction import redacted_prose
from ocpp16.texts import shown

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


def obey(error: BaseException) -> None:
    """Raise what of `error`, which awaited code raised, ends the program or the present task. Returns for a fault."""
    end = end_in(error)
    if end is not None:
        raise end


def obey_exit(error: BaseException) -> None:
    """The same for code that was called and not awaited: only Ctrl-C and exit are raised."""
    end = _exit_in(error)
    if end is not None:
        raise end


def end_in(error: BaseException) -> BaseException | None:
    """What of `error` ends the program or the present task; None: nothing, all of it is a fault."""
    end = _exit_in(error)
    if end is not None or isinstance(error, Exception):
        return end
    for leaf in _leaves(error):
        if isinstance(leaf, trio.Cancelled) and _is_cancelled():
            return leaf
        if isinstance(leaf, GeneratorExit) and not _is_in_task():  # the coroutine is being thrown away
            return leaf
    return None


def _exit_in(error: BaseException) -> BaseException | None:
    return next((leaf for leaf in _leaves(error) if isinstance(leaf, _EXIT)), None)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _is_cancelled() -> bool:
    return _is_in_task() and trio.current_effective_deadline() == -inf


def _is_in_task() -> bool:
    return trio.lowlevel.in_trio_task()


def as_exception(fault: BaseException) -> Exception:
    """A fault as something that may be raised again elsewhere, where it must end nothing either."""
    if isinstance(fault, Exception):
        return fault
    wrapped = RuntimeError(sentence(fault))
    wrapped.__cause__ = fault
    return wrapped


def text_of(error: BaseException) -> str:
    """What an exception tells, as it is; "(no text)" where it fails even at this."""
    try:
        return str(error)
    except BaseException as failure:
        obey_exit(failure)
        return "(no text)"


def sentence(error: BaseException) -> str:
    """Type and text of an exception on one line: harmless, bounded, and without secrets."""
    kind, text = shown(type(error).__name__, 60), redacted_prose(text_of(error))
    return f"{kind}: {shown(text)}" if text else kind


def name_of(code: object) -> str:
    """The name of a function of others, or of the type of something else that can be called."""
    try:
        return str(getattr(code, "__qualname__", type(code).__qualname__))
    except BaseException as failure:  # an attribute of theirs
        obey_exit(failure)
        return type(code).__qualname__


def traceback_of(error: BaseException) -> str:
    """Where an exception came from, and what stands behind it: at most `LINES` lines, each harmless and indented.

    No text of others is a line of its own, so that none looks like one of the log.
    """
    lines = list(_traceback(error, _MOST_BEHIND))
    surplus = len(lines) - LINES
    if surplus > 0:
        lines[:surplus] = [f"…(+{surplus} lines)"]
    return "\n  ".join(["Traceback:", *(shown(line, LINE_LENGTH) for line in lines)])


def _traceback(error: BaseException, depth: int) -> Iterator[str]:
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if behind is not None and depth:
        yield from _traceback(behind, depth - 1)
        yield "which led to"
    for frame in traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), limit=-FRAMES):
        yield f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}"
    yield sentence(error)
    if isinstance(error, BaseExceptionGroup) and depth:
        for number, inner in enumerate(error.exceptions[:_MOST_BEHIND], 1):
            yield f"{number} of {len(error.exceptions)} in it:"
            yield from _traceback(inner, depth - 1)
