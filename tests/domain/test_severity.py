"""Severity from a vendor's word."""

from __future__ import annotations

import pytest

from rmm_extension.domain.severity import severity_from_word
from rmm_extension.domain.types import Severity


@pytest.mark.parametrize(
    "word, severity",
    [
        ("error", Severity.CRITICAL),
        ("warning", Severity.MODERATE),
        ("info", Severity.MINOR),
        ("CRITICAL", Severity.CRITICAL),
        ("Very High", Severity.MAJOR),
        ("major", Severity.MAJOR),
        ("moderate", Severity.MODERATE),
        ("minor", Severity.MINOR),
        ("low", Severity.MINOR),
        ("purple", Severity.NONE),
        ("", Severity.NONE),
        (None, Severity.NONE),
    ],
)
def test_severity_by_syllable(word: str | None, severity: Severity) -> None:
    assert severity_from_word(word) is severity
