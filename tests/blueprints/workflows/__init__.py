"""The pages on which workflows are made."""
