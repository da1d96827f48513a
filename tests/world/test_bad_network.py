"""BadNetwork does to real sockets what its names say."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from bad_network import BOTH, DOWN, MUTE, REFUSING, RESETTING, UP, BadNetwork
from patience import PATIENCE

pytestmark = pytest.mark.world

RESET = b"reset"


class Echo:
    """Sends back what comes, connection by connection, and keeps it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.came = b""
        self.ended = threading.Semaphore(0)
        """Released by the end of each connection."""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                threading.Thread(target=self._echo, args=(peer,), daemon=True).start()

    def _echo(self, peer: socket.socket) -> None:
        with peer, suppress(OSError):
            while data := peer.recv(1000):
                self.came += data
                peer.sendall(data)
        self.ended.release()


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.listener.close()


@pytest.fixture
def network(echo: Echo) -> Iterator[BadNetwork]:
    with BadNetwork(echo.port) as running:
        yield running


def connect(network: BadNetwork) -> socket.socket:
    peer = socket.create_connection(("127.0.0.1", network.port))
    peer.settimeout(PATIENCE)
    return peer


def read(peer: socket.socket, count: int = 1000) -> bytes:
    """So many bytes, or all to the end; RESET instead of the end if that is a reset."""
    data = b""
    try:
        while len(data) < count and (part := peer.recv(count - len(data))):
            data += part
    except ConnectionResetError:
        return data + RESET
    return data


@pytest.mark.parametrize(("delay", "is_torn"), [(0, False), (0.01, False), (0, True), (0.01, True)])
def test_what_passes_arrives_whole(network: BadNetwork, delay: float, is_torn: bool) -> None:
    network.is_slow(delay, is_torn=is_torn)
    with connect(network) as peer:
        peer.sendall(bytes(range(200)))
        assert read(peer, 200) == bytes(range(200))


@pytest.mark.parametrize(("in_order", "end"), [(True, b""), (False, RESET)])
def test_a_cut(network: BadNetwork, in_order: bool, end: bytes) -> None:
    with connect(network) as peer:
        peer.sendall(b"first")
        assert read(peer, 5) == b"first"
        network.cut(in_order=in_order)
        assert read(peer) == end


@pytest.mark.parametrize(("direction", "arrived"), [(UP, b"firstfra"), (DOWN, b"firstframes")])
def test_a_cut_in_a_frame(network: BadNetwork, echo: Echo, direction: str, arrived: bytes) -> None:
    with connect(network) as peer:
        peer.sendall(b"first")
        assert read(peer, 5) == b"first"
        network.cut_in_next(direction)
        peer.sendall(b"frames")
        back = read(peer)
    assert echo.ended.acquire(timeout=PATIENCE)
    assert echo.came == arrived
    assert back == (RESET if direction == UP else b"fra")


@pytest.mark.parametrize("directions", [(UP,), (DOWN,), BOTH])
def test_half_open_until_it_heals(network: BadNetwork, echo: Echo, directions: tuple[str, ...]) -> None:
    with connect(network) as peer:
        peer.sendall(b"first")
        assert read(peer, 5) == b"first"
        network.swallow(directions)
        peer.sendall(b"second")
        peer.settimeout(0.1)
        with pytest.raises(TimeoutError):
            peer.recv(1)
        peer.settimeout(PATIENCE)
        network.heal()
        assert read(peer) == RESET, "what lost something never goes on"
    assert (b"second" in echo.came) == (UP not in directions)
    with connect(network) as peer:
        peer.sendall(b"third")
        assert read(peer, 5) == b"third"


def test_nobody_gets_through(network: BadNetwork) -> None:
    network.bar(REFUSING)
    with pytest.raises(ConnectionRefusedError):
        connect(network)
    network.heal()
    network.bar(RESETTING)
    with connect(network) as peer:
        assert read(peer) == RESET
    network.heal()
    network.bar(MUTE)
    with connect(network) as peer:
        peer.sendall(b"first")
        peer.settimeout(0.1)
        with pytest.raises(TimeoutError):
            peer.recv(1)
        network.heal()
        assert read(peer) == RESET
    with connect(network) as peer:
        peer.sendall(b"first")
        assert read(peer, 5) == b"first"
