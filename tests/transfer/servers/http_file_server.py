"""An HTTP server of files in threads of its own, which can be told to misbehave and counts what it serves."""

import re
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

_DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


class HttpFileServer:
    """`files` by path; `served` bytes of bodies; `requests` method, path and headers of each.

    `scripts` by path: called with the handler in place of what would be done.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self.scripts: dict[str, Callable[[Any], None]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.bodies: dict[str, bytes] = {}
        self.served = 0
        self.cut_after: int | None = None
        """Bytes of a body after which it hangs up."""
        self.stop_at: int | None = None
        """Bytes of all bodies after which nothing more comes, and the connection stays."""
        self.password: str | None = None
        self.has_etags = True
        self.has_dates = False
        self.is_over = threading.Event()
        outer = self

        class Handler(_Handler):
            owner = outer

        class Server(ThreadingHTTPServer):
            daemon_threads = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that hangs up, or refuses the certificate

            def get_request(self) -> Any:
                plain, address = super().get_request()
                if context is not None:
                    plain.settimeout(60)
                    try:
                        plain = context.wrap_socket(plain, server_side=True)
                    except OSError:
                        plain.close()
                        raise
                outer.connections.append(plain)
                return plain, address

        self.connections: list[Any] = []
        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.port = self._server.server_address[1]
        self.base = f"{'http' if context is None else 'https'}://127.0.0.1:{self.port}"

    def __enter__(self) -> "HttpFileServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_over.set()
        self._server.shutdown()
        for connection in self.connections:
            connection.close()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    owner: HttpFileServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        pass

    def do_GET(self) -> None:
        if self._is_served_otherwise():
            return
        content = self.owner.files.get(self.path)
        if content is None:
            self.answer(404)
            return
        headers = {}
        if self.owner.has_etags:
            headers["ETag"] = f'"{sha256(content).hexdigest()[:16]}"'
        if self.owner.has_dates:
            headers["Last-Modified"] = _DATE
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        if found is None or condition not in (None, headers.get("ETag"), headers.get("Last-Modified")):
            self.answer(200, content, headers)
            return
        begin = int(found[1])
        if begin >= len(content):
            self.answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        self.answer(206, content[begin:], headers)

    def do_PUT(self) -> None:
        if self._is_served_otherwise():
            return
        if self.headers.get("Expect") == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        self.owner.bodies[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201)

    def handle_expect_100(self) -> bool:
        return True  # said where the body is read

    do_POST = do_PUT  # noqa: N815 - its name there

    def _is_served_otherwise(self) -> bool:
        self.owner.requests.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        if self.owner.password is not None:
            wanted = "Basic " + b64encode(self.owner.password.encode()).decode()
            if self.headers.get("Authorization") != wanted:
                self.answer(401)
                return True
        script = self.owner.scripts.get(self.path)
        if script is None:
            return False
        script(self)
        return True

    def answer(self, status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.give(content)

    def give(self, content: bytes) -> None:
        for begin in range(0, len(content), 16_384):
            block = content[begin : begin + 16_384]
            if self.owner.cut_after is not None:
                block = block[: max(self.owner.cut_after, 0)]
                self.owner.cut_after -= len(block)
            self.wfile.write(block)
            self.owner.served += len(block)
            if self.owner.stop_at is not None and self.owner.served >= self.owner.stop_at:
                self.wait()
                return
            if self.owner.cut_after is not None and self.owner.cut_after <= 0:
                self.close_connection = True
                return

    def say(self, *lines: str) -> None:
        """As it is on the wire."""
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        self.close_connection = True

    def wait(self) -> None:
        """Until the test is over."""
        self.owner.is_over.wait()
        self.close_connection = True
