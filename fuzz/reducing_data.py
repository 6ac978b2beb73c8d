"""Smaller plain data: what the targets whose cases are no programs try."""


def smaller_lists(items):
    """Yield copies of a list with parts left out: halves, quarters, ... then single items."""
    size = len(items)
    while size:
        for start in range(0, len(items), size):
            yield items[:start] + items[start + size:]
        size //= 2


def plainer_lists(items, plain):
    """Yield copies of a list with parts replaced by `plain`: all, halves, quarters, ... then single items."""
    size = len(items)
    while size:
        for start in range(0, len(items), size):
            part = items[start:start + size]
            if any(item != plain for item in part):
                yield [*items[:start], *[plain] * len(part), *items[start + size:]]
        size //= 2


def smaller_integers(value):
    """Yield a few integers that are simpler than an unsigned value: 1, its low bits."""
    for other in sorted({1, value & 0xFF, value & 0xFFFFFFFF}):
        if other < value:
            yield other
