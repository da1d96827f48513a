"""Through a proxy of HTTP on loopback: what it is asked, what it may answer."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import trio

from ocpp16.address import proxy_problems
from ocpp16.transport import proxy as proxies
from ocpp16.transport.dial import DialFailed, Endpoint, open_stream
from ocpp16.transport.proxy import ProxyAddress

pytestmark = pytest.mark.world

Behave = Callable[[trio.SocketStream, bytes], Awaitable[None]]


class Proxy:
    """`asked`: what it was asked for."""

    def __init__(self, behave: Behave) -> None:
        self._behave = behave
        self.asked: list[bytes] = []
        self.port = 0

    async def serve(self, stream: trio.SocketStream) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += await stream.receive_some()
        self.asked.append(head)
        await self._behave(stream, head)

    @property
    def address(self) -> ProxyAddress:
        return ProxyAddress.of(f"http://us%65r:p%3Aw@127.0.0.1:{self.port}")


def answering(answer: bytes, *, then: bytes = b"") -> Behave:
    async def behave(stream: trio.SocketStream, head: bytes) -> None:
        await stream.send_all(answer)
        if then:
            await stream.send_all(then)
            await stream.receive_some()

    return behave


@pytest.fixture
def opened(nursery: trio.Nursery) -> Any:
    async def open_proxy(behave: Behave) -> Proxy:
        proxy = Proxy(behave)
        listeners = await nursery.start(partial(trio.serve_tcp, proxy.serve, 0, host="127.0.0.1"))
        proxy.port = listeners[0].socket.getsockname()[1]
        return proxy

    return open_proxy


@pytest.mark.parametrize(
    ("host", "target"), [("csms.example", b"csms.example:80"), ("::1", b"[::1]:80"), ("büro", b"xn--bro-hoa:80")]
)
async def test_the_stream_is_that_of_the_central_system(opened: Any, host: str, target: bytes) -> None:
    """The name is the proxy's to find: no resolver here knows it."""
    proxy = await opened(answering(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n", then=b"frames"))
    stream = await open_stream(Endpoint(False, host, 80, "/"), proxy=proxy.address)
    assert await stream.receive_some(6) == b"frames"
    [head] = proxy.asked
    lines = head.split(b"\r\n")
    assert lines[0] == b"CONNECT " + target + b" HTTP/1.1"
    assert b"Host: " + target in lines
    assert b"Proxy-Authorization: Basic " + b64encode(b"user:p:w") in lines
    await stream.aclose()


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407 Proxy Authentication Required"),
        (b"HTTP/1.1 407 Not p:w, nor " + b64encode(b"user:p:w") + b"\r\n\r\n", r"407 Not \*\*\*, nor \*\*\*$"),
        (b"HTTP/1.0 502\r\n\r\n", "refused to connect to csms:80: 502"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no answer of HTTP"),
        (b"HTTP/1.1 abc\r\n\r\n", "no answer of HTTP"),
        (b"", "closed the connection"),
        (b"HTTP/1.1 200 OK\r\n", "closed the connection"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 2000, "longer than"),
    ],
)
async def test_what_it_may_answer_instead(opened: Any, answer: bytes, word: str) -> None:
    proxy = await opened(answering(answer))
    with pytest.raises(DialFailed, match=word) as caught:
        await open_stream(Endpoint(False, "csms", 80, "/"), proxy=proxy.address)
    assert caught.value.step == "proxy"
    assert "p:w" not in str(caught.value)


async def test_one_that_is_silent_is_given_up(opened: Any) -> None:
    """As everything of dialling is: at once here, where the time that all steps may take is over."""

    async def hang(stream: trio.SocketStream, head: bytes) -> None:
        scope.deadline = trio.current_time()
        await trio.sleep_forever()

    proxy = await opened(hang)
    with trio.CancelScope() as scope:
        await open_stream(Endpoint(False, "csms", 80, "/"), proxy=proxy.address)
    assert scope.cancelled_caught


async def test_one_that_is_not_there() -> None:
    with pytest.raises(DialFailed, match=r"TCP: cannot connect to 127.0.0.1:1: ") as caught:
        await open_stream(Endpoint(False, "csms", 80, "/"), proxy=ProxyAddress("127.0.0.1", 1, ""))
    assert caught.value.step == "TCP"


@pytest.mark.parametrize(
    ("uri", "word"),
    [
        ("http://proxy:3128", ""),
        ("http://user:pass@[::1]:3128/", ""),
        ("proxy:3128", "must begin with http://"),
        ("https://proxy:3128", "must begin with http://"),
        ("http://proxy", "host and port"),
        ("http://:3128", "host and port"),
        ("http://proxy:99999", "no usable host and port"),
        ("http://proxy:3128/path", "end behind the port"),
        ("http://proxy:3128?x", "end behind the port"),
        ("http://pr\noxy:3128", "control character"),
    ],
)
def test_what_can_be_a_proxy(uri: str, word: str) -> None:
    problems = proxy_problems(uri)
    assert bool(problems) == bool(word)
    assert word in "; ".join(problems)


def test_its_password_is_not_shown() -> None:
    assert "secret" not in repr(ProxyAddress.of("http://user:secret@proxy:1"))
    assert proxies.HEAD_LIMIT < 10_000
