"""Programs of every kind there is."""

from fuzz.generators.typed import typed_program

GENERATORS = ((60, typed_program),)


def any_program(choices):
    """A Program of one of the generators, perhaps mutated."""
    return choices.weighted(*GENERATORS)(choices)
