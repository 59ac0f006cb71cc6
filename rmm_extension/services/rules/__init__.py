"""Rules of a connection: what an administrator does with them.

Every change is made under the connection's row lock, moves its configuration's version, so that the very next
event in every process obeys it, and is in the audit.
"""

from .change import create, delete, duplicate, set_active, update
from .check import RuleDraft, RuleInvalid, UnknownRule, draft_of, draft_rule
from .documents import FORMAT, MOST_RULES, VERSION, export_rules, import_rules
from .order import move, reorder

__all__ = [
    "FORMAT",
    "MOST_RULES",
    "VERSION",
    "RuleDraft",
    "RuleInvalid",
    "UnknownRule",
    "create",
    "delete",
    "draft_of",
    "draft_rule",
    "duplicate",
    "export_rules",
    "import_rules",
    "move",
    "reorder",
    "set_active",
    "update",
]
