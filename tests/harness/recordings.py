"""Recorded exchanges with real servers: not part of the project, used where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "vendors" / "recordings"


def recordings_of(vendor: str) -> Path:
    """The vendor's folder in ``VENDOR_RECORDINGS``, or beside the repository; it may not exist."""
    return Path(os.environ.get("VENDOR_RECORDINGS") or _BESIDE) / vendor
