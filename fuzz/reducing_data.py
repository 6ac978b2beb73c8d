"""Smaller plain data: what the targets whose cases are no programs try."""


def smaller_lists(items):
    """Yield copies of a list with parts left out: halves, quarters, ... then single items."""
    size = len(items)
    while size:
        for start in range(0, len(items), size):
            yield items[:start] + items[start + size:]
        size //= 2


def smaller_integers(value):
    """Yield integers that are simpler than a value: 0, 1, halves, the next one."""
    sign = -1 if value < 0 else 1
    seen = {value}
    for other in (0, 1, sign * (abs(value) // 2), -value if value < 0 else value, value - sign):
        if other not in seen and abs(other) <= abs(value):
            seen.add(other)
            yield other
