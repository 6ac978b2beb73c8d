"""Programs of every kind there is."""

from fuzz.generators.code_objects import code_program
from fuzz.generators.typed import typed_program

#: (weight, generator) of programs that are source text, and of all.
SOURCES = ((60, typed_program),)
ALL = (*SOURCES, (4, code_program))


def source_program(choices):
    """A Program that is source text alone, perhaps mutated."""
    return choices.weighted(*SOURCES)(choices)


def any_program(choices):
    """A Program of any kind, perhaps mutated."""
    return choices.weighted(*ALL)(choices)
