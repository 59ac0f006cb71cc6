"""The words of the API, as Huntress's Swagger document lists them."""

from __future__ import annotations

SEVERITIES = ("low", "high", "critical")
STATUSES = ("sent", "closed", "dismissed", "auto_remediating", "deleting", "partner_dismissed")
PLATFORMS = ("windows", "darwin", "microsoft_365", "google", "linux", "email_security", "other")
HOST_PLATFORMS = ("windows", "darwin", "linux")
INDICATORS = (
    "footholds",
    "monitored_files",
    "ransomware_canaries",
    "antivirus_detections",
    "process_detections",
    "managed_identity",
    "mde_detections",
    "siem_detections",
    "favicon_detections",
    "behavioral_detections",
    "email_security_detections",
    "app_control",
    "ai_misuse",
)
COUNTED = (
    "footholds",
    "monitored_files",
    "process_detections",
    "ransomware_canaries",
    "antivirus_detections",
)
"""Indicators whose count is told also when it is 0."""
REMEDIATION_TYPES = ("assisted", "manual", "containment")
REMEDIATION_STATUSES = ("unapproved", "approved", "completed", "failed", "cancelled")
ESCALATION_FILTERS = ("open", "overdue", "resolved")
UNWANTED_ACCESS = ("Unwanted Country Access", "Unwanted VPN Access")
"""Types of escalations that are resolved with a determination and a scope, or dismissed without."""
DETERMINATIONS = ("expected", "unauthorized")
SCOPES = ("account", "organization", "identity")
REPORT_TYPES = ("monthly_summary", "quarterly_summary", "yearly_summary")

CATEGORIES = {
    "Incident Reports": (
        "incident_report.created",
        "incident_report.closed",
        "incident_report.comment_added",
    ),
    "Escalations": ("escalation.created", "escalation.closed", "escalation.overdue"),
    "Platform Actions": (
        "platform_action.created",
        "platform_action.closed",
        "platform_action.overdue",
        "platform_action.notification",
    ),
    "Account Notices": ("account_notice.notification",),
}
"""What a webhook endpoint can be told of, with the types of events in each category."""

EVENT_TYPES = tuple(kind for kinds in CATEGORIES.values() for kind in kinds)


def category_of(event_type: str) -> str:
    """The category of a type of event; LookupError for a type that there is none of."""
    for category, kinds in CATEGORIES.items():
        if event_type in kinds:
            return category
    raise LookupError(event_type)
