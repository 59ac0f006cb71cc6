"""Rows put aside on disk and given back by device."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmm_extension.domain.errors import ConfigError
from rmm_extension.providers import spool
from rmm_extension.providers.spool import Spool


class Row(msgspec.Struct, array_like=True, frozen=True):
    """A row as a report has it."""

    name: str
    size: int | None = None


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def open_files(directory: Path) -> list[str]:
    """Files of a directory that this process holds, with a name or without."""
    found = (os.readlink(one) for one in Path("/proc/self/fd").iterdir() if one.is_symlink())
    return [path for path in found if path.startswith(str(directory))]


@given(
    st.lists(st.tuples(st.sampled_from(["1", "2", "30", "ä", ""]), st.text(max_size=30))),
    st.sampled_from([1, 2, 256]),
    st.sampled_from([1, 64, spool.PIECE]),
)
def test_devices_come_once_with_their_rows_in_order(
    told: list[tuple[str, str]], buckets: int, piece: int
) -> None:
    expected: dict[str, list[Row]] = {}
    with Spool(Row, buckets=buckets, piece=piece) as rows:
        for device, name in told:
            row = Row(name, len(name))
            rows.add(device, row)
            expected.setdefault(device, []).append(row)
        found = list(rows.devices())
    assert len(found) == len(expected)
    assert dict(found) == expected


def test_many_devices_mixed(directory: Path) -> None:
    told = [(str(number % 997), Row(f"Program {number}", number)) for number in range(20_000)]
    random.Random(1).shuffle(told)
    expected: dict[str, list[Row]] = {}
    with Spool(Row) as rows:
        for device, row in told:
            rows.add(device, row)
            expected.setdefault(device, []).append(row)
        assert len(open_files(directory)) <= 1
        assert dict(rows.devices()) == expected
        assert dict(rows.devices()) == expected, "they can be read again"


def fill(rows: Spool[Row], count: int = 5000) -> None:
    for number in range(count):
        rows.add(str(number % 50), Row("x" * 200))


def test_nothing_is_left_after_an_error(directory: Path) -> None:
    def fails() -> None:
        with Spool(Row) as rows:
            fill(rows)
            assert len(open_files(directory)) == 1
            assert list(directory.iterdir()) == [], "it has no name"
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert open_files(directory) == []


def test_nothing_is_left_when_the_reader_stops_early(directory: Path) -> None:
    def devices() -> Iterator[str]:
        with Spool(Row) as rows:
            fill(rows)
            for device, _ in rows.devices():
                yield device

    stream = devices()
    next(stream)
    assert len(open_files(directory)) == 1
    stream.close()  # type: ignore[attr-defined]
    assert open_files(directory) == []


KILLED = """
import os, signal
from rmm_extension.providers.spool import Spool
with Spool(str) as rows:
    for number in range(5000):
        rows.add(str(number % 50), "x" * 200)
    print(os.fstat(rows._file.fileno()).st_size, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_nothing_is_left_when_the_process_is_killed(directory: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED],
        env={**os.environ, "TMPDIR": str(directory)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    assert done.returncode == -9
    assert int(done.stdout) > 500_000
    assert list(directory.iterdir()) == []


def test_few_rows_need_no_file(directory: Path) -> None:
    with Spool(Row) as rows:
        rows.add("1", Row("Zip"))
        assert open_files(directory) == []
        assert list(rows.devices()) == [("1", [Row("Zip")])]


def test_a_full_disk_is_told_in_words(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(ConfigError, match=r"No space left on device.*TMPDIR"), Spool(Row) as rows:
        fill(rows)


def test_a_spool_that_was_closed_holds_nothing() -> None:
    rows = Spool(Row)
    fill(rows)
    rows.close()
    rows.close()
    assert list(rows.devices()) == []
