"""What others raise: a fault of theirs, unless it ends the program or the present task; and what is shown of it."""

import gc
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import trio
from hostile_values import EXCEPTIONS
from hypothesis import given
from hypothesis import strategies as st
from strange_errors import STRANGE

from ocpp16.faults import (
    LINE_LENGTH,
    LINES,
    as_exception,
    end_in,
    name_of,
    obey,
    obey_exit,
    sentence,
    text_of,
    traceback_of,
)

EXITS: list[Callable[[], BaseException]] = [
    KeyboardInterrupt,
    lambda: SystemExit(3),
    lambda: BaseExceptionGroup("all", [ValueError(), BaseExceptionGroup("inner", [KeyboardInterrupt()])]),
]


class Mute(Exception):
    def __str__(self) -> str:
        raise GeneratorExit


@pytest.mark.parametrize("kind", STRANGE)
async def test_what_ends_nothing_is_a_fault(kind: str) -> None:
    obey(STRANGE[kind]())
    obey_exit(STRANGE[kind]())


@pytest.mark.parametrize("make", EXITS)
async def test_ctrl_c_and_exit_are_obeyed_everywhere(make: Callable[[], BaseException]) -> None:
    for heed in (obey, obey_exit):
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            heed(make())


@pytest.mark.parametrize("heed", [obey, obey_exit])
def test_what_is_obeyed_keeps_nothing_alive(heed: Callable[[BaseException], None]) -> None:
    """An exception that its own traceback leads to keeps every frame, and all that is in them, for the collector."""

    class Large:
        pass

    def raise_from(held: Large) -> None:
        try:
            raise KeyboardInterrupt
        except BaseException as error:
            heed(error)

    large = Large()
    seen = weakref.ref(large)
    gc.disable()
    try:
        with suppress(KeyboardInterrupt):
            raise_from(large)
        del large
        assert seen() is None
    finally:
        gc.enable()


async def test_the_cancellation_of_the_present_task_is_obeyed() -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.lowlevel.checkpoint()
        except BaseException as error:
            obey_exit(error)
            obey(error)
            raise AssertionError from error
    assert scope.cancelled_caught


async def test_a_fault_beside_the_cancellation_stays_behind() -> None:
    """A group would come apart in the scope, and its other half go on up."""
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.lowlevel.checkpoint()
        except trio.Cancelled as error:
            obey(BaseExceptionGroup("both", [ValueError("in a finally"), error]))
    assert scope.cancelled_caught


async def test_a_scope_that_is_shielded_is_not_cancelled() -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        with trio.CancelScope(shield=True):
            await trio.lowlevel.checkpoint()
            obey(STRANGE["another task's cancellation"]())


def test_outside_of_trio_nothing_is_cancelled_but_a_coroutine_may_be_thrown_away() -> None:
    obey(STRANGE["another task's cancellation"]())
    assert isinstance(end_in(GeneratorExit()), GeneratorExit)

    async def waits() -> None:
        while True:
            try:
                await trio.sleep_forever()
            except BaseException as error:
                obey(error)

    coroutine = waits()
    coroutine.close()


def test_a_fault_raised_again_elsewhere_is_an_exception() -> None:
    known = ValueError("x")
    assert as_exception(known) is known
    panic = STRANGE["a panic"]()
    wrapped = as_exception(panic)
    assert str(wrapped).startswith("PanicException: called")
    assert wrapped.__cause__ is panic


def test_sentences() -> None:
    assert sentence(ValueError("a\r\nb\x1b[2J")) == "ValueError: a\\r\\nb\\x1b[2J"
    assert sentence(GeneratorExit()) == "GeneratorExit"
    assert sentence(Mute()) == "Mute: (no text)"
    assert text_of(Mute()) == "(no text)"
    assert "s3cr3t" not in sentence(ValueError('refused: {"key":"AuthorizationKey","value":"s3cr3t-P4ssw0rd"}'))
    assert sentence(type("x\n\x1b", (Exception,), {})()) == "x\\n\\x1b"


def test_names() -> None:
    class Odd:
        def __getattr__(self, name: str) -> Any:
            raise STRANGE["a panic"]()

    assert name_of(test_names) == "test_names"
    assert name_of(Odd()).endswith("Odd")


def raised(error: Exception, depth: int = 0) -> Exception:
    try:
        if depth:
            raised(error, depth - 1)
        raise error
    except Exception as caught:
        return caught


@given(st.text(st.characters(categories=None, exclude_categories=()), max_size=3000), st.integers(0, 30))
def test_no_traceback_forges_a_line_or_grows(text: str, depth: int) -> None:
    error = raised(ValueError(text), depth)
    for number in range(depth):
        error.__cause__ = RuntimeError(text)
        error = raised(ExceptionGroup(text, [error] * (number + 1)))
    lines = traceback_of(error).split("\n")
    assert len(lines) <= LINES + 2
    assert lines[0] == "Traceback:"
    assert all(line.startswith("  ") and line.isprintable() for line in lines[1:])
    assert max(map(len, lines)) <= LINE_LENGTH + len("  …(+999999)")


def test_a_traceback_tells_where_and_why() -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error
    except ValueError as error:
        lines = traceback_of(error).split("\n  ")
    assert lines[1].endswith('in test_a_traceback_tells_where_and_why: raise KeyError("first")')
    assert lines[2:4] == ["KeyError: 'first'", "which led to"]
    assert lines[-1] == "ValueError: second"


def test_an_error_that_was_raised_over_and_over_is_shown_all_the_same() -> None:
    error = ValueError("shared")
    for _ in range(5000):
        raised(error)
    assert len(traceback_of(error)) < 4000


@pytest.mark.parametrize("kind", EXCEPTIONS)
async def test_what_is_said_of_an_exception_never_raises(kind: str) -> None:
    error = _raised(EXCEPTIONS[kind])
    obey(error)
    obey_exit(error)
    assert end_in(error) is None
    assert len(sentence(error)) < 400
    assert len(traceback_of(error).split("\n")) <= LINES + 1
    assert isinstance(as_exception(error), Exception)
    assert type(text_of(error)) is str


def _raised(make: Callable[[], BaseException]) -> BaseException:
    try:
        raise make()
    except BaseException as error:
        return error


async def test_ctrl_c_deep_in_groups_is_found() -> None:
    error: BaseException = KeyboardInterrupt()
    for _ in range(5000):
        error = BaseExceptionGroup("around", [ValueError(), error])
    with pytest.raises(KeyboardInterrupt):
        obey_exit(error)


async def test_what_an_exception_says_of_its_text_may_be_ctrl_c() -> None:
    class Interrupted(Exception):
        def __str__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sentence(Interrupted())
