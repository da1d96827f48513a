"""The options of the panel in the browser, and serving it beside a station."""

import os
import re
import secrets
import webbrowser
from collections.abc import Callable
from functools import partial
from importlib import import_module
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click
import trio
from click.core import ParameterSource

from ocpp16.cli.failure import CommandFailed, listening_failed
from ocpp16.log import log
from ocpp16.observer import Observer, ObserverEvent

if TYPE_CHECKING:
    from ocpp16.web.fleet_panel import FleetPanel
    from ocpp16.web.guard import Guard
    from ocpp16.web.panel import Panel

HOST = "127.0.0.1"
ENVIRONMENT = "OCPP16_WEB_TOKEN"
SHORTEST_TOKEN = 16
LONGEST_TOKEN = 200
TIME_TO_OPEN = 60.0
"""Seconds that a browser has to show the page that --open opens."""
_TOKEN = re.compile(r"[A-Za-z0-9._~-]+", re.ASCII)
C = TypeVar("C", bound=Callable[..., Any])


class Web(NamedTuple):
    """What was asked for. `port` None: no panel."""

    port: int | None = None
    host: str = HOST
    token: str | None = None
    is_opened: bool = False


def web_options(command: C) -> C:
    """The options, as parameters web, web_host, web_token and web_open."""
    for option in (
        click.option("--open", "web_open", is_flag=True, help="Open the panel in a browser."),
        click.option(
            "--web-token",
            metavar="TEXT",
            envvar=ENVIRONMENT,
            help=f"Token of the panel's URL, so that it is the same after a restart; better as ${ENVIRONMENT}, which"
            " others on this machine do not see.  [made at random]",
        ),
        click.option("--web-host", metavar="HOST", default=HOST, show_default=True, help="Address of the panel."),
        click.option(
            "--web",
            type=click.IntRange(0, 65_535),
            is_flag=False,
            flag_value=0,
            metavar="[PORT]",
            help="A panel in the browser on this port; 0, or none given, takes a free one.",
        ),
    ):
        command = option(command)
    return command


def chosen_web(web: int | None, web_host: str, web_token: str | None, *, web_open: bool) -> Web:
    """Raises CommandFailed for what cannot be."""
    if web is None:
        if web_open:
            raise CommandFailed("--open: there is no panel without --web")
        context = click.get_current_context(silent=True)
        for name in ("web_host", "web_token"):
            if context is not None and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise CommandFailed(f"--{name.replace('_', '-')}: there is no panel without --web")
        return Web()
    if web_token is not None:
        length = f"{SHORTEST_TOKEN} to {LONGEST_TOKEN}"
        if not SHORTEST_TOKEN <= len(web_token) <= LONGEST_TOKEN or not _TOKEN.fullmatch(web_token):
            raise CommandFailed(f"--web-token: {length} letters, digits and characters of ._~- are a token")
    try:
        import_module("ocpp16.web.site")
        import_module("ocpp16.web.door")
    except ImportError:
        raise CommandFailed('--web needs an extra: pip install "ocpp16[web]"') from None
    return Web(web, web_host, web_token, web_open)


def panel_of(web: Web, speed: float) -> "Panel | None":
    """The panel that was asked for."""
    if web.port is None:
        return None
    from ocpp16.web.panel import Panel  # only where it is shown

    return Panel(speed)


class Observers:
    """Panel and face, in this order: the panel never waits."""

    def __init__(self, panel: "Panel", face: Observer) -> None:
        self._panel = panel
        self._face = face

    async def notify(self, event: ObserverEvent) -> None:
        self._panel.note(event)
        await self._face.notify(event)


async def serve_panel(nursery: trio.Nursery, panel: "Panel | FleetPanel", web: Web) -> str:
    """Serve it in this nursery; returns the URL. Raises CommandFailed if it cannot be listened there."""
    from ocpp16.web.door import serve  # of an extra
    from ocpp16.web.guard import Guard
    from ocpp16.web.site import site

    assert web.port is not None
    token = web.token or secrets.token_urlsafe(24)
    guard = Guard(site(panel), token, [web.host])
    try:
        port = await nursery.start(partial(serve, guard, web.port, web.host, speed=panel.speed))
    except (OSError, UnicodeError) as error:
        raise listening_failed(web.host, web.port, error) from error
    nursery.start_soon(panel.run)
    if not is_loopback(web.host):
        log.warning("the panel on %s can be reached from other machines, and nothing of it is encrypted", web.host)
    host = f"[{web.host}]" if ":" in web.host else web.host
    address = f"http://{host}:{port}/#"
    if web.is_opened:
        nursery.start_soon(_open, address, guard, panel.speed)
    return address + token


def is_loopback(host: str) -> bool:
    """Can nobody but this machine reach it there?"""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


async def _open(address: str, guard: "Guard", speed: float) -> None:
    """All users of the machine can read what a browser is started with, and for as long as it runs: that is a code."""
    url = f"{address}once:{guard.new_code()}"

    def opened() -> bool:
        try:
            return webbrowser.open(url)
        except (webbrowser.Error, OSError):
            return False

    # The token is for this person alone: a browser of the terminal would take the terminal away.
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER")):
        log.warning("--open: there is no display here; open the URL yourself")
    elif not await trio.to_thread.run_sync(opened, abandon_on_cancel=True):
        log.warning("--open: there is no browser that can be started; open the URL yourself")
    else:
        await trio.sleep(TIME_TO_OPEN * speed)
    guard.forget_code()
