"""Reconciliation: what the vendor says of its alerts against what is here, whichever channel brought it.

From a vendor that lists what is open, a listing counts only when it is complete: new alerts and changes go
through the one pipeline, and what is not listed any more is reset, with guards against a list that is only
seemingly complete. Of a vendor that lists what changed, the changes are followed.
"""

from .start import reconcile_alerts

__all__ = ["reconcile_alerts"]
