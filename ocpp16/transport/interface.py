"""Leaving the machine by a certain network interface (configuration key IFace).

Given a name, the socket is bound to that interface where the kernel permits it (Linux since 5.7 does, before it took a
privilege), so that no route leads past it; otherwise to its address, with which the routing table decides. Given an
address, that is the source, and the socket is bound to the interface which has it as well. An interface that cannot
carry a connection now is an error, told before anything is sent: nothing leaves by another one instead.
"""

import array
import contextlib
import errno
import fcntl
import ipaddress
import os
import socket
import struct
from pathlib import Path

import trio

from ocpp16.texts import shown

__all__ = ["bind_to_interface", "local_address_problem"]

# Linux: the flags of an interface; the IPv4 addresses of all.
_SIOCGIFFLAGS, _SIOCGIFCONF = 0x8913, 0x8912
_IFF_UP, _IFF_LOOPBACK, _IFF_RUNNING = 0x1, 0x8, 0x40
_LONGEST_NAME = 15
"""Bytes of a name, longer ones the kernel would cut."""
_IF_INET6 = Path("/proc/net/if_inet6")
_ENTRY = 40 if struct.calcsize("P") == 8 else 32
"""Bytes of a struct ifreq."""
_MOST_ADDRESSES = 1024
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")


async def bind_to_interface(sock: trio.socket.SocketType, interface: str) -> None:
    """Bind a socket that is not yet connected. `interface` is a name ("eth0") or a local address. Raises `OSError`."""
    try:
        source = str(ipaddress.ip_address(interface))
    except ValueError:
        _check(sock, interface)
        if _bound_to_device(sock, interface):
            return
        source = _address_of(sock, interface)
    else:
        name = next((name for name, address, _ in _addresses(sock) if address == source.partition("%")[0]), None)
        # Addresses of the loopback interface are those of the machine, by whatever interface it is reached.
        if name is not None and not _check(sock, name) & _IFF_LOOPBACK:
            _bound_to_device(sock, name)
    with contextlib.suppress(OSError):
        # The port is chosen when connecting, so that thousands of connections may share it.
        sock.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
    await sock.bind((source, 0))


def local_address_problem(address: object) -> str:
    """Why no connection of this machine can come from `address`, as text; "" if one can, as far as is known now."""
    try:
        found = ipaddress.ip_address(address) if isinstance(address, str) else None
    except ValueError:
        found = None
    if found is None:
        return f"{shown(address, 64)} is no address; write one of this machine, as 10.0.0.1 or fd00::1"
    # A socket may be bound to one of these, and comes from elsewhere, or nowhere.
    is_of_many = found.is_unspecified or found.is_multicast or found == _BROADCAST
    if not is_of_many:
        try:
            with socket.socket(socket.AF_INET if found.version == 4 else socket.AF_INET6) as sock:
                sock.bind((address, 0))
            return ""
        except OSError:
            pass
    return f"{shown(address, 64)} is no address of this machine"


def _bound_to_device(sock: trio.socket.SocketType, name: str) -> bool:
    """Bind it to the interface of that name; False where that takes a privilege."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode() + b"\0")
    except PermissionError:
        return False
    return True


def _check(sock: trio.socket.SocketType, name: str) -> int:
    """The flags of an interface that can carry a connection. Raises OSError where it cannot."""
    encoded = name.encode()
    if len(encoded) > _LONGEST_NAME:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    flags: int = struct.unpack_from("H", fcntl.ioctl(sock.fileno(), _SIOCGIFFLAGS, struct.pack("40s", encoded)), 16)[0]
    if not flags & _IFF_UP:
        raise OSError(errno.ENETDOWN, "the interface is down")
    if not flags & _IFF_RUNNING:
        raise OSError(errno.ENETDOWN, "nothing is connected to the interface")
    # Without one Linux would take the address of another interface.
    if all(owner != name for owner, _, _ in _addresses(sock)):
        raise OSError(errno.EADDRNOTAVAIL, f"the interface has no {_family(sock)} address")
    return flags


def _family(sock: trio.socket.SocketType) -> str:
    return "IPv4" if sock.family == socket.AF_INET else "IPv6"


def _address_of(sock: trio.socket.SocketType, name: str) -> str:
    for owner, address, is_global in _addresses(sock):
        if owner == name and is_global:  # a link-local one would need its zone
            return address
    raise OSError(errno.EADDRNOTAVAIL, f"the interface has no global {_family(sock)} address")


def _addresses(sock: trio.socket.SocketType) -> list[tuple[str, str, bool]]:
    """All of the family of the socket: interface, address, whether it means something elsewhere. Raises OSError."""
    return _addresses4(sock) if sock.family == socket.AF_INET else _addresses6()


def _addresses4(sock: trio.socket.SocketType) -> list[tuple[str, str, bool]]:
    entries = array.array("B", bytes(_ENTRY * _MOST_ADDRESSES))
    place, length = entries.buffer_info()
    answer = fcntl.ioctl(sock.fileno(), _SIOCGIFCONF, struct.pack("iP", length, place))
    found = []
    for start in range(0, struct.unpack_from("i", answer)[0], _ENTRY):
        entry = entries[start : start + _ENTRY].tobytes()
        label = entry[:16].partition(b"\0")[0].decode("ascii", "replace")
        # eth0:1 is a label of a further address of eth0.
        found.append((label.partition(":")[0], socket.inet_ntoa(entry[20:24]), True))
    return found


def _addresses6() -> list[tuple[str, str, bool]]:
    try:
        lines = _IF_INET6.read_text().splitlines()
    except FileNotFoundError:  # a kernel without IPv6
        return []
    found = []
    for line in lines:
        digits, _, _, scope, _, name = line.split()
        found.append((name, str(ipaddress.IPv6Address(bytes.fromhex(digits))), scope == "00"))
    return found
