"""Names of vendors as people know them."""

LABELS = {
    "ninjaone": "NinjaOne",
    "tacticalrmm": "Tactical RMM",
    "levelio": "Level",
    "huntress": "Huntress",
    "teams": "Microsoft Teams",
}


def provider_label(key: str) -> str:
    """The vendor's name; an unknown key is its own name."""
    return LABELS.get(key, key)
