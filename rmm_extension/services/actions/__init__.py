"""Actions of vendors: what there is, asking for one, performing it as background work.

Used by the pages, by the JSON API and by workflows; nothing here knows which.
"""

from .invocations import UnknownInvocation
from .perform import cancelled, perform, tell_failure
from .request import cancel, request
from .scripts import list_scripts, refresh_scripts, scripts_due

__all__ = [
    "UnknownInvocation",
    "cancel",
    "cancelled",
    "list_scripts",
    "perform",
    "refresh_scripts",
    "request",
    "scripts_due",
    "tell_failure",
]
