"""The environment variables that switch things on; what they cannot mean is told once, in one line."""

import os
import sys


def complain(text):
    """One line on stderr about a wrong setting."""
    print(f"purejit: {text}", file=sys.stderr)


def flag(name):
    """Whether a variable that is 0 or 1 (or not set) is on. Anything else counts as on, and is complained of."""
    value = os.environ.get(name, "")
    if value not in ("", "0", "1"):
        complain(f"{name}={value!r} is neither 0 nor 1; it is taken for 1")
    return value not in ("", "0")
