"""What is known of real servers: recorded exchanges and official descriptions. Not part of the project; tests
use them where they are at hand.

``VENDOR_RECORDINGS`` names the folder with one folder of recordings per vendor, or the folder above it, which
holds ``recordings`` and ``openapi``.
"""

from __future__ import annotations

import os
from pathlib import Path

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "vendors"


def _vendors() -> Path:
    """The folder that holds ``recordings`` and ``openapi``."""
    named = os.environ.get("VENDOR_RECORDINGS")
    if not named:
        return _BESIDE
    folder = Path(named)
    return folder if (folder / "recordings").is_dir() or (folder / "openapi").is_dir() else folder.parent


def recordings_of(vendor: str) -> Path:
    """The vendor's folder of recordings; it may not exist."""
    named = os.environ.get("VENDOR_RECORDINGS")
    inside = Path(named) / vendor if named else None
    return inside if inside is not None and inside.is_dir() else _vendors() / "recordings" / vendor


def description(file: str) -> Path:
    """A vendor's official description of its API, by file name; it may not exist."""
    return _vendors() / "openapi" / file


def example(file: str) -> Path:
    """A captured answer or webhook of a vendor, by file name; it may not exist."""
    return _vendors() / "examples" / file
