"""Software: what is installed on a connection's devices, and what was.

The handlers :func:`sync_software` and :func:`refresh_software` open their own units, one short transaction a
page; none is open while the vendor is asked.
"""

from .refresh import refresh_software, start_refresh
from .sync import sync_software

__all__ = ["refresh_software", "start_refresh", "sync_software"]
