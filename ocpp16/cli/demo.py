"""`ocpp16 demo`: a Central System, a charging station and its cars in one process, over a real WebSocket.

Nothing is pretended but the hardware, and the time: the clock of the whole process runs faster than in reality, so that
a charging session of some minutes takes less than half a minute to watch.
"""

from collections.abc import Mapping
from functools import partial
from time import time
from typing import TYPE_CHECKING, Any

import click
import trio
from rich.console import Console

from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.open import open_charge_point
from ocpp16.cli.demo_view import Tone, View, view_for
from ocpp16.cli.event_lines import EventLines
from ocpp16.cli.failure import ENDED, UNEXPECTED, CommandFailed, listening_failed
from ocpp16.cli.finite_range import FiniteRange
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.cli.running import Ending, run
from ocpp16.cli.stories import STORIES, Story
from ocpp16.cli.web_panel import Observers, Web, chosen_web, panel_of, serve_panel, web_options
from ocpp16.observer import MessageExchanged, ObserverEvent
from ocpp16.simulation import Commands, Operation, SimulatedStation
from ocpp16.testing import CentralSystem

if TYPE_CHECKING:
    from ocpp16.web.panel import Panel

HOST = "127.0.0.1"
IDENTITY = "demo"
PATIENCE = 30.0
"""Real seconds that a step may take before it counts as failed."""
FRAME = 0.1
"""Real seconds between two pictures."""


@click.command(short_help="Show a whole charging session, from boot to unplugging.")
@click.option(
    "--speed",
    type=FiniteRange(0.5, 200.0),
    default=10.0,
    show_default=True,
    help="How many times faster than in reality time passes.",
)
@click.option(
    "--story",
    type=click.Choice(list(STORIES)),
    default=next(iter(STORIES)),
    show_default=True,
    help="What is shown: " + "; ".join(f"{name}: {story.text}" for name, story in STORIES.items()) + ".",
)
@click.option(
    "--connectors", type=click.IntRange(1, 12), default=2, show_default=True, help="Connectors, with a car each."
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, help="Port of the Central System; 0 takes a free one."
)
@web_options
@log_options
@click.pass_obj
def demo(
    choice: LogChoice,
    speed: float,
    story: str,
    connectors: int,
    port: int,
    web: int | None,
    web_host: str,
    web_token: str | None,
    web_open: bool,
) -> int:
    """Show a whole charging session, from boot to unplugging.

    Ends by itself; the exit code is 0 if everything happened as it should. With --web it goes on when the story is
    told, for you to work the station in the browser, until Ctrl-C.
    """
    choice.begin("error")
    wanted = chosen_web(web, web_host, web_token, web_open=web_open)
    program = partial(_run_beside, wanted, STORIES[story], speed, connectors, port)
    return run(program, exit_code_of_sigterm=ENDED, speed=speed, is_calendar_faster=True)


async def _run_beside(web: Web, kind: type[Story], speed: float, connectors: int, port: int, ending: Ending) -> None:
    """The demonstration, and the panel if there is to be one: its address is a part of the title."""
    panel = panel_of(web, speed)
    if panel is None:
        await _run(kind, speed, connectors, port, None, "", ending)
        return
    async with trio.open_nursery() as nursery:
        url = await serve_panel(nursery, panel, web)
        await _run(kind, speed, connectors, port, panel, url, ending)
        nursery.cancel_scope.cancel()


async def _run(
    kind: type[Story], speed: float, connectors: int, port: int, panel: "Panel | None", url: str, ending: Ending
) -> None:
    began, anchor = trio.current_time(), time()
    async with CentralSystem(now=lambda: round((anchor + trio.current_time() - began) * 1e6)) as central_system:
        try:
            port = await central_system.listen(HOST, port)
        except OSError as error:
            raise listening_failed(HOST, port, error) from error
        title = f"OCPP 1.6J on ws://{HOST}:{port}/{IDENTITY}, time runs {speed:g} times as fast"
        if url:
            title += f"; panel: {url}"
        on_closed = partial(ending.begin, "standard output was closed", UNEXPECTED)
        view = view_for(Console(highlight=False), title, lambda: trio.current_time() - began, on_closed)
        with view:
            view.say(title, Tone.STORY)
            with kind(central_system, partial(view.say, tone=Tone.STORY), PATIENCE * speed) as story:
                station = story.station()
                watcher = Watcher(view, story)
                async with open_charge_point(
                    configuration(port, connectors, story.keys()),
                    station,
                    certificates_path=story.certificates_path(),
                    observer=watcher if panel is None else Observers(panel, watcher),
                    anchor=anchor,
                    trace_messages=True,
                    frames=None if panel is None else panel.frame,
                    links=None if panel is None else panel.link,
                ) as charge_point:
                    station.attach(charge_point)
                    view.look_at(station, charge_point)
                    await _tell(charge_point, station, story, view, FRAME * speed, panel, ending)
            if ending.exit_code:
                return
            problems = story.problems(connectors)
            if not problems:
                number = len(central_system.calls())
                result = story.result(connectors)
                view.say(f"all went well: {number} messages, none against the rules; {result}", Tone.GOOD)
    if problems:
        raise CommandFailed(*problems, exit_code=1)


async def _tell(
    charge_point: ChargePoint,
    station: SimulatedStation,
    story: Story,
    view: View,
    interval: float,
    panel: "Panel | None",
    ending: Ending,
) -> None:
    """Run the station while the story is told, or until the program is to end."""
    operation = Operation(station, charge_point)
    if panel is not None:
        panel.follow(Commands(station, charge_point, operation))
    pictures = charge_point.for_station.timers.every(interval, view.draw, charge_point.for_station.clock.monotonic())
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(operation.run)
            nursery.start_soon(_run_story, story, charge_point, station, view, panel is not None, ending)
            await ending.wait()
            nursery.cancel_scope.cancel()
        if panel is not None:
            panel.end(ending.reason)
        await operation.stop()
        if panel is not None:
            await panel.finish()
    finally:
        pictures.cancel()


async def _run_story(
    story: Story, charge_point: ChargePoint, station: SimulatedStation, view: View, is_looked_at: bool, ending: Ending
) -> None:
    await story.run(charge_point, station)
    if is_looked_at:
        view.say("the story is told; the station is yours in the browser, until Ctrl-C", Tone.STORY)
    else:
        ending.begin("the story is told")


class Watcher:
    """The observer: hands what happens to the story and to the view."""

    def __init__(self, view: View, story: Story) -> None:
        self._view = view
        self._story = story
        self._lines = EventLines()

    async def notify(self, event: ObserverEvent) -> None:
        for line in self._lines.of(event):
            self._view.say(line, Tone.MESSAGE if isinstance(event, MessageExchanged) else Tone.EVENT)
        self._story.notice(event)


def configuration(port: int, connectors: int, more: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Of the demonstration's charge point; `more`: keys of a story, by section, over these."""
    keys: dict[str, dict[str, Any]] = {
        "Internal": {
            "ChargePointId": IDENTITY,
            "CentralSystemURI": f"ws://{HOST}:{port}/",
            "ChargePointVendor": "ocpp16",
            "ChargePointModel": "Demonstration",
            "RetryBackoffWaitMinimum": 1,
            "RetryBackoffRandomRange": 0,
        },
        "Core": {
            "NumberOfConnectors": connectors,
            "MeterValueSampleInterval": 20,
            "MeterValuesSampledData": "Energy.Active.Import.Register,Power.Active.Import,SoC",
            "StopTxnSampledData": "Energy.Active.Import.Register",
            "ClockAlignedDataInterval": 0,
            "WebSocketPingInterval": 0,
        },
        "Security": {"SecurityProfile": 0},
    }
    for section, given in more.items():
        keys[section] = {**keys.get(section, {}), **given}
    return keys
