"""A lock that a process holds while it lives, on a file that says who holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


class LockFile:
    """Exclusive lock on a file; the kernel gives it back when the holder dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: IO[str] | None = None

    def acquire(self) -> bool:
        """Take the lock; False when somebody else has it."""
        handle = self.path.open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            return False
        self._handle = handle
        self.note(str(os.getpid()))
        return True

    def note(self, text: str) -> None:
        """Write what others shall read in `holder`."""
        if self._handle is not None:
            self._handle.seek(0)
            self._handle.truncate()
            self._handle.write(text)
            self._handle.flush()

    def holder(self) -> str:
        """The note of whoever holds the lock, or held it last."""
        return self.path.read_text().strip() if self.path.exists() else ""

    def release(self) -> None:
        """Give the lock back."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None
