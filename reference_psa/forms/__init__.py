"""The PSA's forms."""
