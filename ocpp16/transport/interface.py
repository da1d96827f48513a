"""Leaving the machine by a certain network interface (configuration key IFace).

Given an address, it becomes the source address. Given a name, the socket is bound to the interface where the kernel
permits it, and otherwise to the interface's address, which routes the same unless the routing table says otherwise.
"""

import contextlib
import fcntl
import ipaddress
import socket
import struct
from pathlib import Path

import trio

__all__ = ["bind_to_interface"]

_SIOCGIFADDR = 0x8915  # Linux: the IPv4 address of an interface
_IF_INET6 = Path("/proc/net/if_inet6")


async def bind_to_interface(sock: trio.socket.SocketType, interface: str) -> None:
    """Bind a socket that is not yet connected. `interface` is a name ("eth0") or a local address. Raises `OSError`."""
    try:
        source = str(ipaddress.ip_address(interface))
    except ValueError:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
            return
        except PermissionError:
            source = _address_of(sock, interface)
    with contextlib.suppress(OSError):
        # The port is chosen when connecting, so that thousands of connections may share it.
        sock.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
    await sock.bind((source, 0))


def _address_of(sock: trio.socket.SocketType, interface: str) -> str:
    if sock.family == socket.AF_INET:
        request = struct.pack("256s", interface.encode()[:15])
        return socket.inet_ntoa(fcntl.ioctl(sock.fileno(), _SIOCGIFADDR, request)[20:24])
    for line in _IF_INET6.read_text().splitlines():
        digits, _, _, scope, _, name = line.split()
        if name == interface and scope == "00":  # a global address; a link-local one would need its zone
            return str(ipaddress.IPv6Address(bytes.fromhex(digits)))
    raise OSError(f"interface {interface} has no global IPv6 address")
