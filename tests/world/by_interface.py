"""Both ends of a connection, each for a network namespace of its own: `listen ADDRESS PORT INTERFACE…`, or
`connect ADDRESS PORT INTERFACE…`, "" for no interface. Each line of output is one of JSON."""

import json
import socket
import sys

import trio

from ocpp16.transport.dial import DialFailed, Endpoint, open_stream


async def listen(address: str, port: int, names: list[str]) -> None:
    """Who connects is told by which interface that came here."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    async def serve(name: str) -> None:
        with trio.socket.socket(family) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode() + b"\0")
            await listening.bind((address, port))
            listening.listen()
            print(json.dumps(name), flush=True)
            while True:
                stream, _ = await listening.accept()
                await stream.send(name.encode())
                stream.close()

    async with trio.open_nursery() as nursery:
        for name in names:
            nursery.start_soon(serve, name)


async def connect(address: str, port: int, names: list[str]) -> None:
    for name in names:
        try:
            stream = await open_stream(Endpoint(False, address, port, "/"), interface=name or None)
        except DialFailed as failure:
            print(json.dumps({"step": failure.step, "text": str(failure)}))
        else:
            assert isinstance(stream, trio.SocketStream)
            came = (await stream.receive_some()).decode()
            print(json.dumps({"by": came, "source": stream.socket.getsockname()[0]}))
            await stream.aclose()


if __name__ == "__main__":
    role, address, port, *names = sys.argv[1:]
    trio.run({"listen": listen, "connect": connect}[role], address, int(port), names)
