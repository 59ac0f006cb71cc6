"""Expressions: what a workflow asks of its context, such as ``alert.severity == "critical"``.

The grammar is that of Jinja's expressions, read by Jinja's own parser. They are not run by Jinja: a small
walker goes through the tree, knows nothing but data, and counts what it does, so that no expression can take
the worker's memory or time, or reach anything that is not in the context.
"""

from .errors import ExpressionError, Missing
from .parsing import Expression, Template, parse, parse_template
from .paths import Uses, binding_uses, names, uses
from .running import evaluate, render, truth

__all__ = [
    "Expression",
    "ExpressionError",
    "Missing",
    "Template",
    "Uses",
    "binding_uses",
    "evaluate",
    "names",
    "parse",
    "parse_template",
    "render",
    "truth",
    "uses",
]
