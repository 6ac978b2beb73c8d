"""Programs of every kind there is."""

from fuzz.generators.typed import typed_program

#: (weight, generator) of programs that are source text.
SOURCES = ((60, typed_program),)


def source_program(choices):
    """A Program that is source text alone, perhaps mutated."""
    return choices.weighted(*SOURCES)(choices)


def any_program(choices):
    """A Program of any kind, perhaps mutated."""
    return source_program(choices)
