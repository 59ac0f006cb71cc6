"""Rows that come in no order by device, put on disk and given back device by device.

A report of a whole fleet may name a device on every page, and a page handed to a sync names each device
once, with all it has. Collected in memory, a large fleet's software would fill it; here memory holds the rows
of one of :data:`BUCKETS` parts at a time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Generic, Self, TypeVar

import msgspec

from rmm_extension.domain.errors import ConfigError

T = TypeVar("T")

BUCKETS = 256
"""Parts of the devices. A fleet of ten million rows has 40,000 in each."""
PIECE = 16 * 1024
"""Bytes of a part that are kept in memory before they are written: 4 MB for all."""
_LENGTH = 4


class Spool(Generic[T]):
    """Rows of one kind, by device; use it in a ``with`` block.

    They stand in a single temporary file without a name, in ``TMPDIR`` and readable by this user alone:
    whatever happens to the process, the system takes it back. ``kind`` is what a row is decoded as; a struct
    that is ``array_like`` takes the least room.
    """

    def __init__(self, kind: type[T], *, buckets: int = BUCKETS, piece: int = PIECE) -> None:
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(tuple[str, kind]).decode  # type: ignore[valid-type]
        self._piece = piece
        self._pending = [bytearray() for _ in range(buckets)]
        self._pieces: list[list[tuple[int, int]]] = [[] for _ in range(buckets)]
        self._end = 0
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, device: str, row: T) -> None:
        """Put a row of the device aside. Raises ``ConfigError`` where the disk has no room."""
        bucket = hash(device) % len(self._pending)
        encoded = self._encode((device, row))
        pending = self._pending[bucket]
        pending += len(encoded).to_bytes(_LENGTH, "big")
        pending += encoded
        if len(pending) >= self._piece:
            self._write(bucket)

    def devices(self) -> Iterator[tuple[str, list[T]]]:
        """Each device once with its rows, in the order in which they were put aside."""
        for bucket in range(len(self._pending)):
            grouped: dict[str, list[T]] = {}
            for device, row in self._rows(bucket):
                grouped.setdefault(device, []).append(row)
            yield from grouped.items()

    def close(self) -> None:
        """Give the room back."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._pending, self._pieces = [], []

    def _rows(self, bucket: int) -> Iterator[tuple[str, T]]:
        for piece in self._read(bucket):
            view = memoryview(piece)
            start = 0
            while start < len(view):
                length = int.from_bytes(view[start : start + _LENGTH], "big")
                start += _LENGTH
                yield self._decode(view[start : start + length])
                start += length

    def _read(self, bucket: int) -> Iterator[bytes | bytearray]:
        for offset, length in self._pieces[bucket]:
            file = self._opened()
            file.seek(offset)
            yield file.read(length)
        yield self._pending[bucket]

    def _write(self, bucket: int) -> None:
        pending = self._pending[bucket]
        try:
            self._write_all(memoryview(pending))
        except OSError as error:
            raise ConfigError(
                f"There is no room to put a long list aside in {tempfile.gettempdir()} ({error.strerror}):"
                " make room there, or let TMPDIR name another directory."
            ) from error
        self._pieces[bucket].append((self._end, len(pending)))
        self._end += len(pending)
        self._pending[bucket] = bytearray()

    def _write_all(self, data: memoryview) -> None:
        file = self._opened()
        file.seek(self._end)
        while data:
            data = data[file.write(data) :]

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` closes it
        return self._file
