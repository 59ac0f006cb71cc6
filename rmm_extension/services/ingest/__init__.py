"""The alert pipeline: one event in one transaction, whichever channel brought it.

The order of locks is everywhere condition → ticket → alert. A path that changes nothing takes no lock and
writes nothing.
"""

from .pipeline import Ingested, ingest
from .stored import decide_again

__all__ = ["Ingested", "decide_again", "ingest"]
