"""Patches: what each device waits for, failed at, and got of late.

The handlers :func:`sync_patches` and :func:`refresh_patches` open their own units, one short transaction a
page; none is open while the vendor is asked.
"""

from .refresh import refresh_key, refresh_patches, refresh_work, start_refresh
from .sync import sync_patches

__all__ = ["refresh_key", "refresh_patches", "refresh_work", "start_refresh", "sync_patches"]
