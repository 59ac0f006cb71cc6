"""A server that answers with exactly the bytes it is told, and remembers the requests."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Answer = Callable[[int], bytes]
"""From the number of the request (0, 1, …) to the bytes of the whole answer."""


@dataclass
class Wire:
    """A running server: its port, and the requests it received."""

    port: int
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def answer(status: int = 200, body: bytes = b"[]", kind: str = "application/json", **headers: str) -> bytes:
    """One answer; the underscores of header names are dashes."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", "Connection: close"]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("Content-Length", str(len(body)))
    lines += [f"{name}: {value}" for name, value in named.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def serve(
    make: Answer | bytes, tls: ssl.SSLContext | None = None, *, unasked: bool = False
) -> Iterator[Wire]:
    """Serve until the block ends; ``unasked`` answers before a request has come."""
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire(listener.getsockname()[1])
    thread = threading.Thread(target=_run, args=(listener, wire, make, tls, unasked), daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _run(
    listener: socket.socket, wire: Wire, make: Answer | bytes, tls: ssl.SSLContext | None, unasked: bool
) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        try:
            with tls.wrap_socket(plain, server_side=True) if tls else plain as connection:
                if unasked and isinstance(make, bytes):
                    connection.sendall(make)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(65536)
                else:
                    _answer(connection, wire, make)
        except OSError:
            plain.close()


def _answer(connection: socket.socket, wire: Wire, make: Answer | bytes) -> None:
    with connection.makefile("rb") as stream:
        head, length = "", 0
        while (line := stream.readline()) not in (b"\r\n", b""):
            head += line.decode("latin-1")
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = stream.read(length)
    if not head:
        return
    wire.bodies.append(body)
    wire.heads.append(head)
    connection.sendall(make if isinstance(make, bytes) else make(len(wire.heads) - 1))
