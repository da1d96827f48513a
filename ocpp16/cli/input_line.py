"""The input line of the console: prompt_toolkit in a thread of its own, since it brings its own event loop.

Ctrl-C empties the line, on an empty line it ends the program; Ctrl-D is the end of input.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

import trio
from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import patch_stdout

from ocpp16.cli.completion import CommandCompleter
from ocpp16.cli.failure import INTERRUPTED
from ocpp16.cli.running import Ending
from ocpp16.configuration.keys import internal
from ocpp16.simulation import Commands


class InputLine:
    """Use it as a context: within, everything printed appears above the line, the log too."""

    def __init__(self, ending: Ending) -> None:
        self._ending = ending
        self._is_reading = False
        self._is_over = False
        self._patch: AbstractContextManager[None] = patch_stdout(raw=True)

    def __enter__(self) -> Self:
        self._patch.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._patch.__exit__(kind, error, traceback)

    async def write(self, data: bytes) -> None:
        """Print above the line."""
        sys.stdout.write(data.decode())
        sys.stdout.flush()

    async def typed(self, commands: Commands) -> AsyncIterator[str]:
        """The lines typed, up to the end of input."""
        session: PromptSession[str] = PromptSession(
            f"{commands.charge_point.configuration[internal.CHARGE_POINT_ID]}> ",
            completer=CommandCompleter(commands.charge_point.for_station.number_of_connectors),
            complete_while_typing=False,
            key_bindings=_bindings(),
        )
        while True:
            line = await self._read(session)
            if line is None:
                return
            yield line

    async def _read(self, session: PromptSession[str]) -> str | None:
        """One line, None at the end. The thread is never left behind: it has the terminal in its hands."""
        line = None
        self._is_reading = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._leave_when_cancelled, session.app)
            try:
                line = await trio.to_thread.run_sync(partial(session.prompt, pre_run=partial(self._begun, session.app)))
            except EOFError:
                pass
            except KeyboardInterrupt:
                self._ending.begin("SIGINT", INTERRUPTED)
            self._is_reading = False
            nursery.cancel_scope.cancel()
        return line

    def _begun(self, app: Application[Any]) -> None:
        if self._is_over:
            _leave(app)

    async def _leave_when_cancelled(self, app: Application[Any]) -> None:
        try:
            await trio.sleep_forever()
        finally:
            if self._is_reading:
                self._is_over = True  # before the look at the loop: if it has not begun, `_begun` sees this
                loop = app.loop
                if loop is not None:
                    with suppress(RuntimeError):  # it has just been closed
                        loop.call_soon_threadsafe(_leave, app)


def _leave(app: Application[Any]) -> None:
    if app.is_running and not app.is_done:
        app.exit(exception=EOFError)


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("c-c")
    def interrupt(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt)

    return bindings
