"""What goes wrong with an expression, in words."""

from __future__ import annotations

from rmm_extension.domain.errors import RMMError


class ExpressionError(RMMError):
    """An expression that does not read, or cannot be worked out with what there is; a sentence says why."""


class Missing(ExpressionError):
    """A name or key that is not there; ``default`` and ``is defined`` are for these."""
