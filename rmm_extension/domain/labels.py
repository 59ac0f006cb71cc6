"""Names of vendors as people know them."""

LABELS = {
    "ninjaone": "NinjaOne",
    "tacticalrmm": "Tactical RMM",
    "levelio": "Level",
    "huntress": "Huntress",
    "teams": "Microsoft Teams",
}


_OTHERS: dict[str, str] = {}
"""Those of providers that come from elsewhere. Of the whole process, for texts are made from a key alone."""


def learn_label(key: str, label: str) -> None:
    """Know the vendor of another distribution's provider by its name; a known one keeps its own."""
    _OTHERS[key] = label


def provider_label(key: str) -> str:
    """The vendor's name; an unknown key is its own name."""
    return LABELS.get(key) or _OTHERS.get(key, key)
