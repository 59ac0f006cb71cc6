"""Which client a vendor's organization is: the list, suggestions, and a person's choices."""

from .change import (
    UnknownMapping,
    apply_exact_matches,
    get,
    set_auto_sync,
    set_auto_tickets,
    unmap,
    update_mapping,
)
from .inheritance import hold, inherit
from .views import (
    STATES,
    MappingFilter,
    MappingPage,
    MappingView,
    Suggestion,
    list_mappings,
    state_of,
    suggest,
)

__all__ = [
    "STATES",
    "MappingFilter",
    "MappingPage",
    "MappingView",
    "Suggestion",
    "UnknownMapping",
    "apply_exact_matches",
    "get",
    "hold",
    "inherit",
    "list_mappings",
    "set_auto_sync",
    "set_auto_tickets",
    "state_of",
    "suggest",
    "unmap",
    "update_mapping",
]
