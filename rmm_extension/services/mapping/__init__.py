"""Which client a vendor's organization is: the list, suggestions, and a person's choices."""

from .change import UnknownMapping, apply_exact_matches, get, set_auto_sync, unmap, update_mapping
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
    "list_mappings",
    "set_auto_sync",
    "state_of",
    "suggest",
    "unmap",
    "update_mapping",
]
