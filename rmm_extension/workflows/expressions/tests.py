"""The tests: what stands behind ``is``."""

from __future__ import annotations

from typing import Any

from rmm_extension.domain.patterns import NoPattern, compiled, effort, found

from .budget import Budget
from .errors import ExpressionError
from .filters import text
from .functions import Functions

TESTS = Functions()

_LONGEST_PATTERN = 1_000


@TESTS.add("defined", "whether there is such a thing at all", "steps.look.output.disk is defined")
def _defined(_budget: Budget, _value: Any) -> bool:
    return True


@TESTS.add("undefined", "whether there is no such thing", "trigger.assetId is undefined")
def _undefined(_budget: Budget, _value: Any) -> bool:
    return False


@TESTS.add("none", "whether it is null", "ticket.assignee is none")
def _none(_budget: Budget, value: Any) -> bool:
    return value is None


@TESTS.add("empty", "whether it is null, or nothing is in it", "alert.message is empty")
def _empty(_budget: Budget, value: Any) -> bool:
    return value is None or (isinstance(value, (str, list, tuple, dict)) and not value)


@TESTS.add("number", "whether it is a number", "trigger.count is number")
def _number(_budget: Budget, value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@TESTS.add("string", "whether it is a text", "trigger.message is string")
def _string(_budget: Budget, value: Any) -> bool:
    return isinstance(value, str)


@TESTS.add(
    "containing",
    "whether the words are in the text, whatever their case",
    'alert.message is containing("disk")',
)
def _containing(budget: Budget, value: Any, part: Any) -> bool:
    where, what = text(budget, value, "containing"), text(budget, part, "containing")
    return what.casefold() in where.casefold()


@TESTS.add("startingwith", "whether the text begins so", 'device.name is startingwith("srv-")')
def _startingwith(budget: Budget, value: Any, part: Any) -> bool:
    return text(budget, value, "startingwith").startswith(text(budget, part, "startingwith"))


@TESTS.add("endingwith", "whether the text ends so", 'device.name is endingwith(".local")')
def _endingwith(budget: Budget, value: Any, part: Any) -> bool:
    return text(budget, value, "endingwith").endswith(text(budget, part, "endingwith"))


@TESTS.add(
    "matching", "whether the pattern is anywhere in the text", 'alert.message is matching("[Dd]isk .* full")'
)
def _matching(budget: Budget, value: Any, pattern: Any) -> bool:
    where, sought = text(budget, value, "matching"), text(budget, pattern, "matching")
    if len(sought) > _LONGEST_PATTERN:
        raise ExpressionError(f"A pattern has at most {_LONGEST_PATTERN:,} characters.")
    try:
        pattern = compiled(sought, small=True)
    except NoPattern as error:
        raise ExpressionError(str(error)) from error
    budget.spend(effort(pattern, where))
    return found(pattern, where)
