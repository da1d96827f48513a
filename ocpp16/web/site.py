"""The application: the page and its files, the state, pushes, commands, schedules, the trace. A table of addresses.

Of a fleet all of these take `charge_point=ID`, which is then opened; without it, the state and pushes are of all.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, aclosing, contextmanager
from functools import partial
from importlib.resources import files
from typing import Any, Final, cast
from urllib.parse import quote

import orjson
import trio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ocpp16.errors import ChargePointStopped, FeatureNotBuilt
from ocpp16.texts import shown
from ocpp16.web.curves import LONGEST, Unit
from ocpp16.web.feed import FIRST_ROWS
from ocpp16.web.fleet_panel import FleetPanel, NotThere
from ocpp16.web.panel import Panel

LONGEST_BODY: Final = 1_100_000
"""Bytes of a command: its longest text is a million."""
PATIENCE: Final = 10.0
"""Real seconds in which the body of a request has to be here."""
MOST_PAGES: Final = 16
"""That look at a time."""
ALIVE: Final = 5.0
"""Real seconds after which a push says that there is nothing to say."""

_KINDS: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


def site(panel: Panel | FleetPanel) -> Starlette:
    """For a guard to stand before it."""
    return Starlette(routes=_Site(panel).routes())


class _Site:
    def __init__(self, panel: Panel | FleetPanel) -> None:
        self._panel = panel
        self._files = _files()
        self._first = "index.html" if isinstance(panel, Panel) else "fleet.html"
        self._pages = 0

    def routes(self) -> list[Route]:
        return [
            Route("/api/state", self._state),
            Route("/api/stream", self._stream),
            Route("/api/rows", self._rows),
            Route("/api/trace", self._trace),
            Route("/api/curves", self._curves),
            Route("/api/command", self._command, methods=["POST"]),
            Route("/", self._file),
            Route("/{name}", self._file),
        ]

    def _of(self, request: Request) -> Panel | FleetPanel:
        """Whose state is asked for."""
        return self._panel if "charge_point" not in request.query_params else self._one(request)

    def _one(self, request: Request) -> Panel:
        """The charge point that is asked for."""
        if isinstance(self._panel, Panel):
            return self._panel
        identity = request.query_params.get("charge_point")
        if identity is None:
            raise HTTPException(400, "charge_point: which one?")
        try:
            return self._panel.charge_point(identity)
        except NotThere as error:
            raise HTTPException(404, str(error)) from None

    async def _file(self, request: Request) -> Response:
        found = self._files.get(request.path_params.get("name", self._first))
        if found is None:
            raise HTTPException(404, "there is nothing here")
        kind, content = found
        return Response(content, media_type=kind)

    async def _state(self, request: Request) -> Response:
        return _json(await self._of(request).state())

    async def _rows(self, request: Request) -> Response:
        after, most = _whole(request, "after", 0, 2**53, 0), _whole(request, "most", 1, 2 * FIRST_ROWS, FIRST_ROWS)
        feed = self._of(request).feed
        rows = feed.rows(after, most)
        return _json({"instance": feed.instance, "rows": [orjson.Fragment(row.data) for row in rows]})

    async def _trace(self, request: Request) -> Response:
        panel = self._one(request)
        name = quote(f"{shown(panel.identity, 80)}.jsonl")
        return Response(
            panel.trace(),
            media_type="application/jsonl",
            headers={"content-disposition": f"attachment; filename*=UTF-8''{name}"},
        )

    async def _curves(self, request: Request) -> Response:
        panel = self._one(request)
        unit = request.query_params.get("unit", "A")
        if unit not in ("A", "W"):
            raise HTTPException(400, "unit: A or W")
        connector = _whole(request, "connector", 0, 2**31 - 1, 1)
        duration = _whole(request, "duration", 1, LONGEST, 86_400)
        try:
            return _json(panel.curves(connector, duration, cast("Unit", unit)))
        except (ValueError, FeatureNotBuilt, ChargePointStopped) as error:
            raise HTTPException(409, shown(error)) from None

    async def _command(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise HTTPException(415, "application/json is wanted")
        panel = self._one(request)
        body = await _body(request, PATIENCE * panel.speed)
        try:
            asked = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise HTTPException(400, "the body is not JSON") from None
        return _json(await panel.do(asked))

    async def _stream(self, request: Request) -> Response:
        if self._pages >= MOST_PAGES:
            raise HTTPException(503, f"{MOST_PAGES} pages look already")
        instance, after = request.query_params.get("instance", "")[:64], _whole(request, "after", 0, 2**53, 0)
        return _Push(partial(self._push, self._of(request), instance, after), self._looks)

    @contextmanager
    def _looks(self) -> Iterator[None]:
        self._pages += 1
        try:
            yield
        finally:
            self._pages -= 1

    async def _push(self, panel: Panel | FleetPanel, instance: str, after: int, send: Send) -> None:
        """Tell one page what happens, until it goes."""
        first, page = await panel.open(instance, after)
        try:
            await _send(send, first)
            while True:
                data = b": nothing happens\n\n"
                with trio.move_on_after(ALIVE * panel.speed):
                    data = await page.next()
                await _send(send, data)
        finally:
            page.close()


class _Push(Response):
    """Server-sent events, as long as somebody reads them; the page is `counted` before anything is waited for."""

    def __init__(
        self, push: Callable[[Send], Awaitable[None]], counted: Callable[[], AbstractContextManager[None]]
    ) -> None:
        super().__init__(media_type="text/event-stream")
        del self.raw_headers[:]
        self.raw_headers.append((b"content-type", b"text/event-stream"))
        self._push = push
        self._counted = counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._counted():
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._push, send)
                while (await receive())["type"] != "http.disconnect":
                    pass
                nursery.cancel_scope.cancel()


async def _send(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _body(request: Request, patience: float) -> bytes:
    body = bytearray()
    with trio.move_on_after(patience):
        async with aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > LONGEST_BODY:
                    raise HTTPException(413, f"more than {LONGEST_BODY} bytes")
        return bytes(body)
    raise HTTPException(408, "the body did not come in time")


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def _whole(request: Request, name: str, lowest: int, highest: int, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,16}", text) or not lowest <= int(text) <= highest:
        raise HTTPException(400, f"{name}: a whole number from {lowest} to {highest}")
    return int(text)


def _files() -> Mapping[str, tuple[str, bytes]]:
    """What a browser may have, by name."""
    return {
        file.name: (_KINDS[kind], file.read_bytes())
        for file in (files("ocpp16.web") / "page").iterdir()
        if (kind := file.name.rpartition(".")[2]) in _KINDS
    }
