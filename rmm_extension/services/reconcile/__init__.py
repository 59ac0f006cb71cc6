"""Reconciliation: what the vendor lists as active against what is open here, whichever channel brought it.

A listing counts only when it is complete. New alerts and changes go through the one pipeline; what the vendor
does not list any more is reset, with guards against a list that is only seemingly complete.
"""

from .cycle import reconcile_alerts

__all__ = ["reconcile_alerts"]
