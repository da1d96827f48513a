"""pyftpdlib's FTP server in a thread, plain or with TLS, which can be told to misbehave and counts what it serves."""

import logging
import threading
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of asyncore, which it needs before Python 3.12
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)

USER, PASSWORD = "station", "s3cret-Pass/word"


class FtpFileServer:
    """Serves the folder `root`. `commands` are those it got, `served` the bytes of files that it sent."""

    def __init__(
        self, root: Path, certificate: Path | None = None, is_implicit: bool = False, host: str = "127.0.0.1"
    ) -> None:
        self.root = root
        self.commands: list[str] = []
        self.served = 0
        self.cut_after: int | None = None
        """Bytes of a data connection after which it hangs up on everything."""
        self.stop_at: int | None = None
        """Bytes of all files after which nothing more comes, and the connections stay."""
        self.answers: dict[str, str] = {}
        """By command: what is said in place of doing it."""
        self.banner: str | None = None
        """What it greets with, codes and all."""
        self.is_silent_at: str | None = None
        """A command that it does not answer."""
        self.is_elsewhere = False
        """Tells an address for data at which nobody is."""
        self.full_after: int | None = None
        """Bytes of an upload after which there is no room."""
        self._host = f"[{host}]" if ":" in host else host
        outer = self

        class Data(TLS_DTPHandler if certificate else DTPHandler):  # type: ignore[misc]
            is_stopped = False

            def send(self, data: bytes) -> Any:
                if outer.cut_after is not None and outer.served >= outer.cut_after:
                    self.cmd_channel.close()
                    return 0
                if self.is_stopped or (outer.stop_at is not None and outer.served >= outer.stop_at):
                    self.is_stopped = True
                    return 0
                sent: int = super().send(data)
                outer.served += sent
                return sent

            def handle_read(self) -> None:
                super().handle_read()
                if outer.full_after is not None and self.tot_bytes_received > outer.full_after:
                    self._resp = ("552 No space left on device.", logging.getLogger("pyftpdlib").debug)
                    self.close()

            if certificate is None:
                handle_read_event = handle_read  # as its base has it

        class Handler(TLS_FTPHandler if certificate else FTPHandler):  # type: ignore[misc]
            dtp_handler = Data
            use_sendfile = False  # which goes past `send`
            banner = "ready."
            max_login_attempts = 100
            auth_failed_timeout = 0

            def respond(self, resp: str, logfun: Any = None) -> None:
                if outer.banner is not None and resp.startswith("220 "):
                    resp = outer.banner
                if outer.is_elsewhere and resp.startswith("227 "):
                    resp = resp.replace("127,0,0,1", "192,0,2,1")
                super().respond(resp)

            def pre_process_command(self, line: str, command: str, argument: str) -> None:
                outer.commands.append(f"{command} {argument}".strip())
                if command == outer.is_silent_at:
                    return
                if command in outer.answers:
                    self.push(outer.answers[command] + "\r\n")
                else:
                    super().pre_process_command(line, command, argument)

        authorizer = DummyAuthorizer()
        authorizer.add_user(USER, PASSWORD, str(root), perm="elradfmwMT")
        authorizer.add_anonymous(str(root))
        Handler.authorizer = authorizer
        if certificate is not None:
            Handler.certfile = str(certificate)
            Handler.tls_control_required = Handler.tls_data_required = True
            if is_implicit:
                handle = Handler.handle

                def secure_first(self: Any) -> None:
                    self.secure_connection(self.get_ssl_context())
                    handle(self)

                Handler.handle = secure_first
        self._loop = IOLoop()
        self._server = FTPServer((host, 0), Handler, ioloop=self._loop)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self.port: int = self._server.address[1]

    def _serve(self) -> None:
        while not self._is_over.is_set():
            self._loop.loop(timeout=0.02, blocking=False)
        self._server.close_all()

    def url(self, path: str, scheme: str = "ftp", user: str = USER, password: str = "s3cret-Pass%2Fword") -> str:
        return f"{scheme}://{user}:{password}@{self._host}:{self.port}/{path}"

    def __enter__(self) -> "FtpFileServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
