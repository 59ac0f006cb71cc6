"""A closed-loop load: so many connections, each sends its next request when the last was answered."""

from __future__ import annotations

import socket
import statistics
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Measured:
    """Requests per second, the 99th percentile of their times in ms, and how many were not answered 2xx."""

    rate: float
    p99_ms: float
    errors: int


@dataclass(slots=True)
class _Tally:
    times: list[float] = field(default_factory=list)
    errors: int = 0


def request_bytes(url: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A whole POST as it goes over the wire; the server closes the connection after its answer."""
    parts = urlsplit(url)
    lines = [
        f"POST {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def drive(address: tuple[str, int], requests: Sequence[bytes], connections: int) -> Measured:
    """Send all requests once over so many connections at a time."""
    pending, guard = iter(requests), threading.Lock()
    tallies = [_Tally() for _ in range(connections)]
    threads = [threading.Thread(target=_client, args=(address, pending, guard, tally)) for tally in tallies]
    started = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = perf_counter() - started
    times = sorted(time for tally in tallies for time in tally.times)
    p99 = statistics.quantiles(times, n=100)[98] * 1000 if len(times) > 1 else 0.0
    return Measured(len(times) / took, p99, sum(tally.errors for tally in tallies))


def _client(address: tuple[str, int], pending: Iterator[bytes], guard: threading.Lock, tally: _Tally) -> None:
    while True:
        with guard:
            request = next(pending, None)
        if request is None:
            return
        started = perf_counter()
        if not _send(address, request).startswith(b"HTTP/1.1 2"):
            tally.errors += 1
        tally.times.append(perf_counter() - started)


def _send(address: tuple[str, int], request: bytes) -> bytes:
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer
