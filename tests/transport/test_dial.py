"""TCP: each failing step by its name, and the way out of the machine. Loopback only."""

import errno
import socket
from functools import partial
from typing import Any

import pytest
import trio

from ocpp16.errors import ConfigurationError, ConnectionFailed
from ocpp16.transport import dial, interface
from ocpp16.transport.dial import DialFailed, Endpoint, open_stream

pytestmark = pytest.mark.world


@pytest.fixture
async def listener() -> Any:
    async def remember(stream: Any) -> None:
        peers.append(stream.socket.getpeername()[0])
        await stream.receive_some()

    peers: list[str] = []
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, remember, 0, host="127.0.0.1"))
        yield listeners[0].socket.getsockname()[1], peers
        nursery.cancel_scope.cancel()


async def peer_seen(peers: Any) -> Any:
    while not peers:
        await trio.lowlevel.checkpoint()
    return peers[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_plain_tcp(listener: Any, host: Any) -> None:
    port, _ = listener
    stream = await open_stream(Endpoint(False, host, port, "/"))
    assert isinstance(stream, trio.SocketStream)
    await stream.aclose()


@pytest.mark.parametrize("by", ["127.0.0.3", "lo"])
async def test_by_interface_or_address(listener: Any, by: Any) -> None:
    port, peers = listener
    stream = await open_stream(Endpoint(False, "127.0.0.1", port, "/"), interface=by)
    assert await peer_seen(peers) == {"127.0.0.3": "127.0.0.3", "lo": "127.0.0.1"}[by]
    await stream.aclose()


class Unprivileged:
    """A socket that may not be bound to a device."""

    def __init__(self, family: Any) -> None:
        self.family = family
        self.sock = socket.socket(family)
        self.bound = None

    def fileno(self) -> Any:
        return self.sock.fileno()

    def setsockopt(self, level: Any, option: Any, value: Any) -> None:
        if option == socket.SO_BINDTODEVICE:
            raise PermissionError(errno.EPERM, "not permitted")

    async def bind(self, address: Any) -> None:
        self.bound = address


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", ""),
        ("203.0.113.1", "203.0.113.1 is no address of this machine"),
        ("2001:db8::1", "2001:db8::1 is no address of this machine"),
        ("0.0.0.0", "0.0.0.0 is no address of this machine"),
        ("224.0.0.1", "224.0.0.1 is no address of this machine"),
        ("255.255.255.255", "255.255.255.255 is no address of this machine"),
        ("::1%nowhere", "::1%nowhere is no address of this machine"),
        ("lo", "lo is no address; write one of this machine, as 10.0.0.1 or fd00::1"),
        ("", "is no address"),
        ("1\0", "is no address"),
        (2130706433, "2130706433 is no address"),
        (None, "None is no address"),
    ],
)
def test_what_is_no_address_of_this_machine_is_known_before(address: Any, why: str) -> None:
    problem = interface.local_address_problem(address)
    assert why in problem
    assert bool(problem) == bool(why)


async def test_without_the_right_to_bind_the_address_of_the_interface_serves() -> None:
    sock: Any = Unprivileged(socket.AF_INET)
    await interface.bind_to_interface(sock, "lo")
    assert sock.bound == ("127.0.0.1", 0)
    sock.sock.close()


async def test_ipv6_address_of_an_interface(tmp_path: Any, monkeypatch: Any) -> None:
    table = tmp_path / "if_inet6"
    local, elsewhere = "fe800000000000000000000000000001 02 40 20 80 lo\n", "20010db8{:024x} 02 40 00 80 {}\n"
    monkeypatch.setattr(interface, "_IF_INET6", table)
    sock: Any = Unprivileged(socket.AF_INET6)
    table.write_text(local + elsewhere.format(7, "lo"))
    await interface.bind_to_interface(sock, "lo")
    assert sock.bound == ("2001:db8::7", 0)
    for wrong, told in (
        (local + elsewhere.format(7, "lo1"), "no global IPv6"),
        (elsewhere.format(7, "lo1"), "no IPv6"),
        ("", "no IPv6"),
    ):
        table.write_text(wrong)
        with pytest.raises(OSError, match=told):
            await interface.bind_to_interface(sock, "lo")
    table.unlink()
    with pytest.raises(OSError, match="no IPv6"):
        await interface.bind_to_interface(sock, "lo")
    sock.sock.close()


@pytest.mark.parametrize("by", ["nosuchif0", "n" * 16, "192.0.2.1", "::1"])
async def test_unusable_interface(listener: Any, by: Any) -> None:
    with pytest.raises(DialFailed, match=f"^interface: cannot use {by}") as caught:
        await open_stream(Endpoint(False, "127.0.0.1", listener[0], "/"), interface=by)
    assert caught.value.step == "interface"


@pytest.mark.parametrize("is_reachable", [True, False])
async def test_an_interface_without_address_of_one_family(listener: Any, is_reachable: bool) -> None:
    """A Central System has addresses of both families, the interface of one: the other one is tried, too."""
    port, peers = listener

    class BothFamilies(trio.abc.HostnameResolver):
        async def getaddrinfo(self, host: Any, port: Any, *_: Any, **__: Any) -> Any:
            addresses: list[Any] = [
                (socket.AF_INET6, ("2001:db8::1", port, 0, 0)),
                (socket.AF_INET, ("127.0.0.1", port)),
            ]
            return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in addresses]

        async def getnameinfo(self, sockaddr: Any, flags: Any) -> Any:
            raise NotImplementedError

    async def bind(sock: Any, name: str) -> None:
        if sock.family == socket.AF_INET6:
            raise OSError(f"interface {name} has no global IPv6 address")

    trio.socket.set_custom_hostname_resolver(BothFamilies())
    endpoint = Endpoint(False, "csms.example", port if is_reachable else 1, "/")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dial, "bind_to_interface", bind)
        if is_reachable:
            stream = await open_stream(endpoint, interface="eth0")
            assert await peer_seen(peers) == "127.0.0.1"
            await stream.aclose()
        else:
            with pytest.raises(DialFailed, match=r"2001:db8::1: interface: cannot use eth0.*127.0.0.1: ") as caught:
                await open_stream(endpoint, interface="eth0")
            assert caught.value.step == "TCP"


async def test_refused() -> None:
    with socket.socket() as held:  # nobody else gets its port, and nobody listens there
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        with pytest.raises(DialFailed, match=rf"^TCP: cannot connect to 127.0.0.1:{port}: .*refused") as caught:
            await open_stream(Endpoint(False, "127.0.0.1", port, "/"))
    assert caught.value.step == "TCP"
    assert isinstance(caught.value, ConnectionFailed)


class Resolver(trio.abc.HostnameResolver):
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        family: Any = 0,
        type: Any = 0,  # noqa: A002
        proto: Any = 0,
        flags: Any = 0,
    ) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is None:
            await trio.sleep_forever()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.answer]

    async def getnameinfo(self, sockaddr: Any, flags: Any) -> Any:
        raise NotImplementedError


async def test_unknown_name() -> None:
    trio.socket.set_custom_hostname_resolver(Resolver(socket.gaierror(socket.EAI_NONAME, "Name not known")))
    with pytest.raises(DialFailed, match=r"^name: cannot resolve csms.invalid: Name not known") as caught:
        await open_stream(Endpoint(False, "csms.invalid", 80, "/"))
    assert caught.value.step == "name"


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError("resolver"),
        ValueError("embedded null byte"),
        KeyError("\x1b[2J"),
        OSError(2**70, ""),
        trio.BrokenResourceError(),
        [],
    ],
)
async def test_a_resolver_of_somebodys_own(answer: Any) -> None:
    trio.socket.set_custom_hostname_resolver(Resolver(answer))
    with pytest.raises(DialFailed, match=r"^name: ") as caught:
        await open_stream(Endpoint(False, "csms", 80, "/"))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("port", [-1, 65_536, 2**70])
async def test_impossible_port(port: Any) -> None:
    with pytest.raises(DialFailed):
        await open_stream(Endpoint(False, "127.0.0.1", port, "/"))


@pytest.mark.parametrize("host", ["a\0b", "\ud800", "", "a" * 300])
async def test_impossible_host(host: Any) -> None:
    with pytest.raises(DialFailed):
        await open_stream(Endpoint(False, host, 9, "/"))


@pytest.mark.parametrize("by", ["\ud800", "a\0b", "x" * 300])
async def test_impossible_interface(listener: Any, by: Any) -> None:
    with pytest.raises(DialFailed, match=r"^interface: ") as caught:
        await open_stream(Endpoint(False, "127.0.0.1", listener[0], "/"), interface=by)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("error", [RuntimeError("modem"), OSError(-5, "odd"), OSError(2**70, ""), trio.WouldBlock()])
async def test_a_socket_of_somebodys_own(error: Any) -> None:
    trio.socket.set_custom_hostname_resolver(Resolver(["192.0.2.1"]))
    trio.socket.set_custom_socket_factory(Sockets({"192.0.2.1": error}))
    with pytest.raises(DialFailed, match=r"^TCP: cannot connect to csms:80: 192.0.2.1: ."):
        await open_stream(Endpoint(False, "csms", 80, "/"))


async def test_impossible_name() -> None:
    with pytest.raises(DialFailed, match=r"^name: "):
        await open_stream(Endpoint(False, "x" * 70 + ".example", 80, "/"))


async def test_resolver_that_hangs(autojump_clock: Any) -> None:
    trio.socket.set_custom_hostname_resolver(Resolver(None))
    with pytest.raises(DialFailed, match=r"^name: no answer from csms within 9 s"):
        await open_stream(Endpoint(False, "csms", 80, "/"), timeout=9)


class Sockets(trio.abc.SocketFactory):
    """Sockets that hang or fail by address: networks that no test can rely on."""

    def __init__(self, behaviour: Any) -> None:
        self.behaviour = behaviour
        self.made: list[Any] = []

    def socket(self, family: Any = 0, type: Any = 0, proto: Any = 0) -> Any:  # noqa: A002
        sock = FakeSocket(self.behaviour)
        self.made.append(sock)
        return sock


class FakeSocket(trio.socket.SocketType):
    type = socket.SOCK_STREAM
    did_shutdown_SHUT_WR = False  # noqa: N815

    def __init__(self, behaviour: Any) -> None:
        self.behaviour = behaviour
        self.is_closed = False

    async def connect(self, address: Any) -> None:
        result = self.behaviour[address[0]]
        if result == "hang":
            await trio.sleep_forever()
        if isinstance(result, Exception):
            raise result
        self.address = address

    def setsockopt(self, *args: Any) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True


async def test_the_next_address_is_tried_when_one_fails_or_hangs(autojump_clock: Any) -> None:
    trio.socket.set_custom_hostname_resolver(Resolver(["192.0.2.1", "192.0.2.2", "192.0.2.3"]))
    unreachable = OSError(errno.ENETUNREACH, "Network is unreachable")
    factory = Sockets({"192.0.2.1": unreachable, "192.0.2.2": "hang", "192.0.2.3": "fine"})
    trio.socket.set_custom_socket_factory(factory)
    stream: Any = await open_stream(Endpoint(False, "csms", 80, "/"))
    assert stream.socket.address[0] == "192.0.2.3"
    assert trio.current_time() == dial.ADDRESS_TIMEOUT
    assert [sock.is_closed for sock in factory.made] == [True, True, False]


@pytest.mark.parametrize("count", [4, 8, 14])
async def test_the_last_of_many_addresses_is_come_to(autojump_clock: Any, count: int) -> None:
    """As where a network swallows what is sent by IPv6."""
    addresses = [f"192.0.2.{number}" for number in range(count)]
    trio.socket.set_custom_hostname_resolver(Resolver(addresses))
    behaviour = dict.fromkeys(addresses, "hang") | {addresses[-1]: "fine"}
    trio.socket.set_custom_socket_factory(Sockets(behaviour))
    stream: Any = await open_stream(Endpoint(False, "csms", 80, "/"))
    assert stream.socket.address[0] == addresses[-1]
    assert trio.current_time() == pytest.approx(dial.DIAL_TIMEOUT / 2)


async def test_all_addresses_fail_and_all_are_named(autojump_clock: Any) -> None:
    trio.socket.set_custom_hostname_resolver(Resolver(["192.0.2.1", "192.0.2.2"]))
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    trio.socket.set_custom_socket_factory(Sockets({"192.0.2.1": "hang", "192.0.2.2": refused}))
    with pytest.raises(DialFailed, match=r"192\.0\.2\.1: no answer within 5 s; 192\.0\.2\.2: Connection refused"):
        await open_stream(Endpoint(False, "csms", 80, "/"))


@pytest.mark.parametrize("how", ["timeout", "cancel"])
async def test_a_network_that_swallows_everything(autojump_clock: Any, how: Any) -> None:
    trio.socket.set_custom_hostname_resolver(Resolver(["192.0.2.1"]))
    factory = Sockets({"192.0.2.1": "hang"})
    trio.socket.set_custom_socket_factory(factory)
    if how == "timeout":
        with pytest.raises(DialFailed, match=r"^TCP: no answer from csms within 30 s"):
            await open_stream(Endpoint(False, "csms", 80, "/"))
    else:
        with trio.move_on_after(3):
            await open_stream(Endpoint(False, "csms", 80, "/"))
    assert [sock.is_closed for sock in factory.made] == [True]


async def test_wss_without_a_context_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ConfigurationError):
        await open_stream(Endpoint(True, "csms", 443, "/"))
