"""What can go wrong here that a person must read."""


class LocalError(Exception):
    """The text says what is wrong and what to do."""


class InUse(LocalError):
    """Another process works on the same data."""
