"""Maintenance at the vendor for windows that ask for it: what the tick finds out, and what a run tells.

The tick compares the windows of now with what the vendor was told and writes down what is to be done; a run
per connection does it, one device at a time. What a window's change takes back is found by the same look.
"""

from .telling import call_off, put_off, tell_vendor
from .wishes import follow_windows

__all__ = ["call_off", "follow_windows", "put_off", "tell_vendor"]
