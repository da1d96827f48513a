"""Stands before the application: who asks must have been meant, and must know the token.

Rules of this file:
1. Host has to be an address, localhost or a name that was given: a page of somebody else's whose name was made to point
   here (DNS rebinding) says its own name.
2. A browser says where a request comes from (Origin, Sec-Fetch-Site): only from here. There are no headers of CORS, so
   nothing of ours is read elsewhere either.
3. Everything below /api needs the token, in a header that no page of others can send. It is compared in a time that
   tells nothing of it. The rest is the same for everybody, and holds no secret.
4. Whoever must be told of the token where others can look, as a browser on its command line, is told a code instead,
   which is changed for the token once.
5. What fails here is answered, logged with its cause, and ends nothing.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from hmac import compare_digest
from ipaddress import ip_address
from secrets import token_urlsafe
from typing import Any, Final

import trio

from ocpp16.faults import obey, sentence
from ocpp16.log import FoldingLog

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_REQUESTS: Final = 64
"""At a time, pages that look among them."""
HEADERS: Final = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
            b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""Of every answer."""

_EXCHANGE: Final = "/api/token"
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_ASKED_FROM_HERE: Final = frozenset({b"same-origin", b"none"})
"""Sec-Fetch-Site of a page of ours, and of an address that a person typed."""


class Guard:
    """Parameters: `token` is needed below /api; `names`: those that Host may have, besides addresses and localhost."""

    def __init__(self, app: App, token: str, names: Iterable[str] = ()) -> None:
        self._app = app
        self._token = b"Bearer " + token.encode()
        self._code = b""
        self._names: Collection[str] = frozenset({"localhost", *(name.lower() for name in names)})
        self._requests = 0
        self._log = FoldingLog("web", trio.current_time)

    def new_code(self) -> str:
        """Which `POST /api/token` changes for the token, once; one that was made before is good no more."""
        code = token_urlsafe(24)
        self._code = b"Bearer " + code.encode()
        return code

    def forget_code(self) -> None:
        """It is good no more, whether it was used or not."""
        self._code = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close"})
            return
        has_begun = False

        async def sending(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
            await send(message)

        problem = self._problem(scope)
        if problem is not None:
            await _refuse(sending, *problem)
            return
        if scope["path"] == _EXCHANGE:
            self.forget_code()
            await _say(sending, 200, self._token.removeprefix(b"Bearer "))
            return
        self._requests += 1
        try:
            await self._app(scope, receive, sending)
        except BaseException as error:
            obey(error)
            self._log.error("a request failed: %s", sentence(error), error=error)
            if not has_begun:
                await _refuse(sending, 500, "see the log")
        finally:
            self._requests -= 1

    def _problem(self, scope: Scope) -> tuple[int, str] | None:
        """Status and text of the refusal."""
        headers: list[tuple[bytes, bytes]] = list(scope["headers"])
        if scope["http_version"] not in _VERSIONS:
            return 505, "HTTP/1.1 is spoken here"
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or not self._is_meant(hosts[0]):
            return 403, "Host is not this machine"
        origin = b"http://" + hosts[0]
        for name, value in headers:
            if name == b"origin" and value.lower() != origin.lower():
                return 403, "asked by another site's page"
            if name == b"sec-fetch-site" and value not in _ASKED_FROM_HERE:
                return 403, "asked by another site's page"
        if self._requests >= MOST_REQUESTS:
            return 503, f"{MOST_REQUESTS} requests are in work already"
        if scope["path"].startswith("/api"):
            given = [value for name, value in headers if name == b"authorization"]
            wanted = self._code if scope["path"] == _EXCHANGE else self._token
            if len(given) != 1 or not wanted or not compare_digest(given[0], wanted):
                return 401, "the token of the printed URL is needed"
        return None

    def _is_meant(self, host: bytes) -> bool:
        name = host.decode("latin-1").lower()
        if name.startswith("["):
            name, bracket, port = name[1:].partition("]")
            port = port.removeprefix(":") if bracket else "none"
        else:
            name, _, port = name.partition(":")
        if port and not (port.isascii() and port.isdecimal()):
            return False
        if name in self._names:
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True


async def _refuse(send: Send, status: int, text: str) -> None:
    await _say(send, status, f"{text}\n".encode())


async def _say(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
