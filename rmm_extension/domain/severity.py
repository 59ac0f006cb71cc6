"""Reading a vendor's free word for severity."""

from __future__ import annotations

from .types import Severity

_SUBSTRINGS = (
    (("crit", "error"), Severity.CRITICAL),
    (("major", "high"), Severity.MAJOR),
    (("moder", "warn"), Severity.MODERATE),
    (("minor", "low", "info"), Severity.MINOR),
)


def severity_from_word(word: str | None) -> Severity:
    """The severity whose known syllable the word contains, worst first; ``NONE`` if there is none."""
    lowered = (word or "").lower()
    for needles, severity in _SUBSTRINGS:
        if any(needle in lowered for needle in needles):
            return severity
    return Severity.NONE
