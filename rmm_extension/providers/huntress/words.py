"""What Huntress's words mean: severities, states, platforms, indicators. By its API v1 and its webhooks."""

from __future__ import annotations

from rmm_extension.domain.types import Severity
from rmm_extension.domain.values import text

SEVERITIES = {"critical": Severity.CRITICAL, "high": Severity.MAJOR, "low": Severity.MINOR}
SENT, DELETING = "sent", "deleting"
RESOLVED = "resolved"
"""The state of an escalation that is over. The text about resolving an incident has this word for it, too."""
CLOSED = frozenset({"closed", "dismissed", "partner_dismissed", RESOLVED})
"""States of an incident that is over."""
UNAPPROVED = "unapproved"
_PLATFORMS = {
    "windows": "Windows",
    "darwin": "macOS",
    "linux": "Linux",
    "microsoft_365": "Microsoft 365",
    "google": "Google Workspace",
    "email_security": "E-mail",
    "other": "Other",
}
_INDICATORS = {
    "mde_detections": "Microsoft Defender for Endpoint detections",
    "siem_detections": "SIEM detections",
    "ai_misuse": "AI misuse",
}


def severity(word: object) -> Severity:
    """The severity on our scale; none for a word that Huntress does not document."""
    return SEVERITIES.get((text(word) or "").casefold(), Severity.NONE)


def platform_words(word: str) -> str:
    """A platform as people call it."""
    return _PLATFORMS.get(word, spoken(word))


def indicator_words(word: str) -> str:
    """A kind of indicator as people call it."""
    return _INDICATORS.get(word, spoken(word))


def spoken(word: str) -> str:
    """An underscored word as people write it."""
    return word.replace("_", " ").strip().capitalize()
