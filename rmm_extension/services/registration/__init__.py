"""Telling a vendor by a call where to send its webhook, and that it is to send nothing any more.

What is wanted follows from the connection as it is; the run compares it with what the vendor was told last.
"""

from __future__ import annotations

from .state import Registration, again, forget, mapping_changed, read, wish

__all__ = ["Registration", "again", "forget", "mapping_changed", "read", "wish"]
