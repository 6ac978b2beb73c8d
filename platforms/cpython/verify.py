"""Reads every field of the layout back from live objects before anybody relies on it.

Each check makes an object whose contents it knows and yields (field, found, expected).
A field that no check names counts as wrong, so a new line in the table needs a new check.
The checks are ordered: later ones use fields that earlier ones established.

Nothing is read but the insides of objects known to be alive, and, through observe.Peeker,
what pointers in them claim to point to.
"""

import sys

from platforms.cpython import audit, observe, verify_code, verify_instances, verify_objects, verify_threads
from platforms.cpython.layout import layout

_CHECKS = (verify_objects.checks, verify_instances.checks, verify_code.checks, verify_threads.checks)
_NOT_FIELDS = {"version", "call_convention", "instruction_executing_bias", "handler_lookup_bias"}  # facts about code, not places
_DERIVED = {"small_int_base"}  # not from the table


def refusal() -> str:
    """The first field that is not where the layout says, or "". Trace functions, which some checks set, are called even where we run untraced."""
    with audit.QUIET:
        return sys.call_tracing(_refusal, ())


def _refusal():
    fields = layout()
    missing = {name for name, value in vars(fields).items() if value is not None}
    missing -= _NOT_FIELDS | _DERIVED
    observe.let_go()
    with observe.Peeker() as peeker:
        for check in _CHECKS:
            for name, found, expected in check(fields, peeker):
                if found != expected:
                    return f"layout: {name} does not check out ({found!r}, not {expected!r})"
                missing.discard(name)
    return f"layout: not verified: {', '.join(sorted(missing))}" if missing else ""
