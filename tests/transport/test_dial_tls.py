"""TLS on loopback: who is believed, who is not, and what is said about it."""

import contextlib
import datetime
import gc
import socket
import ssl
import warnings
import weakref
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing
import trustme

from ocpp16.security.tls import client_context
from ocpp16.transport import dial_failures
from ocpp16.transport.dial import DialFailed, Endpoint, open_stream
from ocpp16.transport.streams import close_forcefully
from ocpp16.transport.websocket import Accept, WebSocket

pytestmark = pytest.mark.world

CA = trustme.CA()
OTHER_CA = trustme.CA()
EXPIRED = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def roots(tmp_path: Any) -> Any:
    path = tmp_path / "CSMS_ROOT_CA.pem"
    CA.cert_pem.write_to_path(str(path))
    return path


def server_tls(
    certificate: Any,
    *,
    minimum: Any = ssl.TLSVersion.TLSv1_2,
    maximum: Any = ssl.TLSVersion.TLSv1_3,
    ciphers: Any = None,
) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = minimum
        context.maximum_version = maximum
    if ciphers:
        context.set_ciphers(ciphers)
    certificate.configure_cert(context)
    return context


@pytest.fixture
async def serve() -> Any:
    """`port = await serve(context or None)`: a server that upgrades to a WebSocket and echoes."""
    async with trio.open_nursery() as nursery:

        async def start(context: Any) -> Any:
            async def handle(tcp: Any) -> None:
                stream = tcp if context is None else trio.SSLStream(tcp, context, server_side=True)
                try:
                    server = await WebSocket.accept(stream, decide=lambda request: Accept("ocpp1.6"))
                    for text in await server.receive():
                        server.send_text(text)
                    await server.flush()
                    await server.receive()
                except Exception:
                    await trio.aclose_forcefully(tcp)

            listeners = await nursery.start(partial(trio.serve_tcp, handle, 0, host="127.0.0.1"))
            return listeners[0].socket.getsockname()[1]

        yield start
        nursery.cancel_scope.cancel()


async def dial(port: Any, context: Any, *, host: Any = "127.0.0.1", **options: Any) -> Any:
    stream = await open_stream(Endpoint(True, host, port, "/CP"), ssl_context=context, **options)
    return await WebSocket.connect(stream, host=host, target="/CP")


@pytest.mark.parametrize(
    ("names", "host", "server_hostname"),
    [
        (["127.0.0.1"], "127.0.0.1", None),
        (["localhost"], "localhost", None),
        (["csms.example.com"], "127.0.0.1", "csms.example.com"),
    ],
)
async def test_verified_connection(serve: Any, roots: Any, names: Any, host: Any, server_hostname: Any) -> None:
    port = await serve(server_tls(CA.issue_cert(*names)))
    client = await dial(port, client_context(roots), host=host, server_hostname=server_hostname)
    client.send_text("hello")
    assert client.flush_now(), "no task has to wait for what the kernel takes at once"
    await client.flush()
    assert await client.receive() == ["hello"]
    await client.aclose()


async def test_a_closed_connection_waits_for_no_collector(serve: Any, roots: Any) -> None:
    """OpenSSL's 30 KiB are free at once, and the stream is closed as others are."""
    port = await serve(server_tls(CA.issue_cert("127.0.0.1")))
    stream = await open_stream(Endpoint(True, "127.0.0.1", port, "/CP"), ssl_context=client_context(roots))
    client = await WebSocket.connect(stream, host="127.0.0.1", target="/CP")
    client.send_text("hello")
    await client.flush()
    assert await client.receive() == ["hello"]
    await client.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await stream.send_all(b"more")
    await stream.aclose()
    gc.collect()  # of what others left
    gc.disable()
    try:
        held = weakref.ref(stream)
        del client, stream
        assert held() is None
    finally:
        gc.enable()


async def test_a_closed_stream_of_trios_waits_for_no_collector_either() -> None:
    """As those of servers, and of hosts, are."""
    ours, theirs = trio.socket.socketpair()
    theirs.close()
    context = ssl.create_default_context()
    stream = trio.SSLStream(trio.SocketStream(ours), context, server_hostname="csms", https_compatible=True)
    held = weakref.ref(stream)
    await stream.aclose()
    gc.collect()
    gc.disable()
    try:
        await close_forcefully(stream)
        del stream
        await trio.lowlevel.checkpoint()  # the last cancellation holds its frames until then
        assert held() is None
    finally:
        gc.enable()


async def test_others_have_their_turn_before_each_step_of_a_handshake(serve: Any, roots: Any) -> None:
    asked: list[float] = []

    async def others_first() -> None:
        asked.append(trio.current_time())
        await trio.lowlevel.checkpoint()

    port = await serve(server_tls(CA.issue_cert("127.0.0.1")))
    client = await dial(port, client_context(roots), others_first=others_first)
    client.abort()
    assert len(asked) >= 2, "the greeting, and what is made of the server's answer"


async def test_abort_wakes_the_reader(serve: Any, roots: Any) -> None:
    port = await serve(server_tls(CA.issue_cert("127.0.0.1")))
    client = await dial(port, client_context(roots))
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            with pytest.raises(Exception, match="pong overdue"):
                await client.receive()

        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        client.abort("pong overdue")


REFUSED = {
    "another CA": (OTHER_CA.issue_cert("127.0.0.1"), "unable to get local issuer certificate"),
    "expired": (CA.issue_cert("127.0.0.1", not_before=EXPIRED, not_after=EXPIRED + datetime.timedelta(1)), "expired"),
    "another name": (CA.issue_cert("csms.example.com"), "IP address mismatch"),
    "another address": (CA.issue_cert("127.0.0.2"), "IP address mismatch"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_certificates_that_are_not_believed(serve: Any, roots: Any, name: Any) -> None:
    certificate, reason = REFUSED[name]
    port = await serve(server_tls(certificate))
    with pytest.raises(DialFailed, match=reason) as caught:
        await dial(port, client_context(roots))
    assert str(caught.value).startswith("TLS: the certificate of 127.0.0.1 is refused")
    assert (caught.value.step, caught.value.security_event) == ("TLS", "InvalidCentralSystemCertificate")


def without_intermediate(leaf: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(leaf.private_key_pem.bytes() + leaf.cert_chain_pems[0].bytes()).tempfile() as path:
        context.load_cert_chain(path)
    return context


async def test_a_missing_intermediate_does_not_read_like_a_foreign_authority(serve: Any, roots: Any) -> None:
    leaf = CA.create_child_ca().issue_cert("127.0.0.1")
    client = await dial(await serve(server_tls(leaf)), client_context(roots))
    client.abort()
    port = await serve(without_intermediate(leaf))
    with pytest.raises(DialFailed, match="sent only its own certificate, so either the intermediate one is missing"):
        await dial(port, client_context(roots))
    port = await serve(server_tls(OTHER_CA.create_child_ca().issue_cert("127.0.0.1")))
    with pytest.raises(DialFailed, match="2 certificates that the server sent lead to none of the trusted roots"):
        await dial(port, client_context(roots))


async def test_where_the_chain_cannot_be_told_both_are_named(serve: Any, roots: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(dial_failures, "_chain_length", lambda stream: 0)
    port = await serve(server_tls(OTHER_CA.issue_cert("127.0.0.1")))
    with pytest.raises(DialFailed, match="either the server does not send its intermediate certificates, or its root"):
        await dial(port, client_context(roots))


@pytest.mark.parametrize("name", ["", ".", "a" * 64 + ".example", "a\0b", "\ud800"])
async def test_names_that_tls_cannot_ask_for(serve: Any, roots: Any, name: Any) -> None:
    port = await serve(server_tls(CA.issue_cert("127.0.0.1")))
    with pytest.raises(DialFailed, match=r"^TLS: ") as caught:
        await dial(port, client_context(roots), host="127.0.0.1", server_hostname=name or "..")
    assert str(caught.value).isprintable()


async def test_wrong_name_by_host_name(serve: Any, roots: Any) -> None:
    port = await serve(server_tls(CA.issue_cert("csms.example.com")))
    with pytest.raises(DialFailed, match="Hostname mismatch"):
        await dial(port, client_context(roots), host="localhost")
    with pytest.raises(DialFailed, match="Hostname mismatch"):
        await dial(port, client_context(roots), server_hostname="evil.example.com")


async def test_self_signed(serve: Any, roots: Any, self_signed: Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed)
    port = await serve(context)
    with pytest.raises(DialFailed, match="self-signed certificate") as caught:
        await dial(port, client_context(roots))
    assert caught.value.security_event == "InvalidCentralSystemCertificate"


@pytest.fixture
def self_signed(tmp_path: Any) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "own.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem, pkcs8, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "own.key").write_bytes(key.private_bytes(pem, pkcs8, plain))
    return tmp_path / "own.pem", tmp_path / "own.key"


async def test_name_check_off_still_wants_the_chain(serve: Any, roots: Any) -> None:
    context = client_context(roots, verify_name=False)
    port = await serve(server_tls(CA.issue_cert("csms.example.com")))
    client = await dial(port, context)
    client.abort()
    port = await serve(server_tls(OTHER_CA.issue_cert("127.0.0.1")))
    with pytest.raises(DialFailed, match="unable to get local issuer"):
        await dial(port, context)


@pytest.mark.parametrize("allow_wildcards", [False, True])
async def test_wildcards_only_if_allowed(serve: Any, roots: Any, allow_wildcards: Any) -> None:
    port = await serve(server_tls(CA.issue_cert("*.example.com")))
    context = client_context(roots, allow_wildcards=allow_wildcards)
    if allow_wildcards:
        client = await dial(port, context, server_hostname="csms.example.com")
        client.abort()
        with pytest.raises(DialFailed, match="Hostname mismatch"):
            await dial(port, context, server_hostname="a.b.example.com")
    else:
        with pytest.raises(DialFailed, match="Hostname mismatch"):
            await dial(port, context, server_hostname="csms.example.com")


@pytest.fixture
async def alerting() -> Any:
    """`port = await alerting(context)`: one handshake by the blocking module, which sends alerts; trio does not."""
    async with trio.open_nursery() as nursery:

        async def start(context: Any) -> Any:
            listener = socket.create_server(("127.0.0.1", 0))

            def answer() -> None:
                with listener, listener.accept()[0] as sock, contextlib.suppress(ssl.SSLError):
                    context.wrap_socket(sock, server_side=True)

            nursery.start_soon(trio.to_thread.run_sync, answer)
            return listener.getsockname()[1]

        yield start


async def test_tls_1_1_is_refused(alerting: Any, roots: Any) -> None:
    old = server_tls(
        CA.issue_cert("127.0.0.1"),
        minimum=ssl.TLSVersion.TLSv1,
        maximum=ssl.TLSVersion.TLSv1_1,
        ciphers="ALL:@SECLEVEL=0",
    )
    port = await alerting(old)
    with pytest.raises(DialFailed, match="no common TLS version") as caught:
        await dial(port, client_context(roots))
    assert caught.value.security_event == "InvalidTLSVersion"


async def test_no_common_cipher(alerting: Any, roots: Any) -> None:
    port = await alerting(
        server_tls(CA.issue_cert("127.0.0.1"), maximum=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE-ECDSA-CHACHA20-POLY1305")
    )
    with pytest.raises(DialFailed, match="no common cipher") as caught:
        await dial(port, client_context(roots))
    assert caught.value.security_event == "InvalidTLSCipherSuite"


async def test_plain_server_on_a_wss_url(serve: Any, roots: Any) -> None:
    port = await serve(None)
    with pytest.raises(DialFailed, match="does not speak TLS on this port") as caught:
        await dial(port, client_context(roots))
    assert caught.value.security_event == ""


async def test_tls_server_on_a_ws_url(serve: Any) -> None:
    port = await serve(server_tls(CA.issue_cert("127.0.0.1")))
    stream = await open_stream(Endpoint(False, "127.0.0.1", port, "/CP"))
    with pytest.raises(Exception, match="WebSocket handshake"):
        await WebSocket.connect(stream, host="127.0.0.1", target="/CP")


@pytest.mark.parametrize("how", ["timeout", "cancel"])
async def test_a_server_that_accepts_and_says_nothing(still_clock: Any, roots: Any, how: Any) -> None:
    async def say_nothing(stream: Any) -> None:
        await stream.receive_some()
        still_clock.advance(30)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, say_nothing, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        if how == "timeout":
            with pytest.raises(DialFailed, match=r"^TLS: no answer from .* within 30 s"):
                await dial(port, client_context(roots))
        else:
            with trio.move_on_after(3):
                await dial(port, client_context(roots))
        nursery.cancel_scope.cancel()


async def test_a_server_that_hangs_up_during_the_handshake(roots: Any) -> None:
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(
            partial(trio.serve_tcp, lambda stream: stream.receive_some(5), 0, host="127.0.0.1")
        )
        with pytest.raises(DialFailed, match=r"^TLS: handshake with 127.0.0.1 failed") as caught:
            await dial(listeners[0].socket.getsockname()[1], client_context(roots))
        assert caught.value.step == "TLS"
        nursery.cancel_scope.cancel()
