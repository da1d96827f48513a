"""An SFTP server of paramiko in threads, which can be told to misbehave and counts what it serves."""

import errno
import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.sftp import SFTP_FAILURE

SERVERS_THREAD = "of the server"
USER, PASSWORD = "station", "s3cret:Pass"


class SftpFileServer:
    """Serves the folder `root` as its `/`. `served` are the bytes of files that it sent, `taken` those that came."""

    def __init__(self, root: Path, key: paramiko.PKey | None = None) -> None:
        self.root = root
        self.key = key or paramiko.ECDSAKey.generate()
        self.more_keys: list[paramiko.PKey] = []
        self.size_lie = 0
        self.user_key: paramiko.PKey | None = None
        self.served = self.taken = 0
        self.cut_after: int | None = None
        self.is_silent = False
        """Says no more than `banner`."""
        self.banner = b""
        self.stop_at: int | None = None
        """Bytes of a file from which on requests are not answered until the end."""
        self.is_reached = threading.Event()
        """A client waits for an answer that does not come."""
        self.is_over = threading.Event()
        self.full_after: int | None = None
        self.transports: list[paramiko.Transport] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._accepted: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self.port: int = self._listener.getsockname()[1]

    def url(self, path: str, user: str = USER, password: str = "s3cret%3APass") -> str:
        return f"sftp://{user}:{password}@127.0.0.1:{self.port}/{path}"

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._accepted.append(accepted)
            if self.banner:
                accepted.sendall(self.banner)
            if self.is_silent:
                self.is_reached.set()
                continue
            transport = paramiko.Transport(accepted)
            transport.name = SERVERS_THREAD
            vars(transport.packetizer)[SERVERS_THREAD] = True
            for key in (self.key, *self.more_keys):
                transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", _Subsystem, _Files, self)
            self.transports.append(transport)
            with suppress(EOFError, paramiko.SSHException, OSError):
                transport.start_server(event=threading.Event(), server=_Server(self))

    def __enter__(self) -> "SftpFileServer":
        self._thread.start()
        return self

    def is_stopped(self, offset: int) -> bool:
        """Not before the end, if it is."""
        if self.stop_at is None or offset < self.stop_at:
            return False
        self.is_reached.set()
        return self.is_over.wait()

    def hang_up(self) -> None:
        for accepted in self._accepted:
            with suppress(OSError):
                accepted.shutdown(socket.SHUT_RDWR)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.hang_up()
        for transport in self.transports:
            transport.packetizer.complete_handshake()
            transport.close()
            transport.join()
        for accepted in self._accepted:
            accepted.close()


class _Server(paramiko.ServerInterface):
    def __init__(self, owner: SftpFileServer) -> None:
        self._owner = owner

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_auth_password(self, username: str, password: str) -> int:
        is_right = (username, password) == (USER, PASSWORD)
        return AUTH_SUCCESSFUL if is_right else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        is_right = username == USER and key == self._owner.user_key
        return AUTH_SUCCESSFUL if is_right else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"


class _Subsystem(paramiko.SFTPServer):
    def finish_subsystem(self) -> None:
        """paramiko says goodbye first, and where nobody hears that any more it leaves the files open."""
        files = list(self.file_table.values())
        try:
            super().finish_subsystem()
        finally:
            for file in files:
                file.close()


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, server: Any, owner: SftpFileServer) -> None:
        super().__init__(server)
        self._owner = owner

    def _real(self, path: str) -> Path:
        return self._owner.root / path.lstrip("/")

    def stat(self, path: str) -> Any:
        try:
            found = paramiko.SFTPAttributes.from_stat(os.stat(self._real(path)))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or errno.EIO)
        assert found.st_size is not None
        found.st_size += self._owner.size_lie
        return found

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        try:
            number = os.open(self._real(path), flags, 0o600)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or errno.EIO)
        handle = _Handle(self._owner)
        handle.filename = str(self._real(path))  # type: ignore[attr-defined]
        file = os.fdopen(number, "r+b" if flags & os.O_RDWR else "wb" if flags & os.O_WRONLY else "rb")
        handle.readfile = handle.writefile = file  # type: ignore[attr-defined]
        return handle


class _Handle(paramiko.SFTPHandle):
    def __init__(self, owner: SftpFileServer) -> None:
        super().__init__()
        self._owner = owner

    def read(self, offset: int, length: int) -> Any:
        owner = self._owner
        if owner.is_stopped(offset):
            return SFTP_FAILURE
        if owner.cut_after is not None and owner.served >= owner.cut_after:
            owner.hang_up()
        data = super().read(offset, length)
        if isinstance(data, bytes):
            owner.served += len(data)
        return data

    def write(self, offset: int, data: Any) -> int:
        if self._owner.is_stopped(offset):
            return SFTP_FAILURE
        if self._owner.full_after is not None and offset + len(data) > self._owner.full_after:
            return paramiko.SFTPServer.convert_errno(errno.ENOSPC)
        if self._owner.cut_after is not None and self._owner.taken >= self._owner.cut_after:
            self._owner.hang_up()
        self._owner.taken += len(data)
        return super().write(offset, data)
