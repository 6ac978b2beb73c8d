"""Programs of every kind there is."""

from fuzz.generators.code_objects import code_program
from fuzz.generators.idioms import idiom_program
from fuzz.generators.object_idioms import object_idiom_program
from fuzz.generators.objects import object_program
from fuzz.generators.typed import typed_program
from fuzz.mutators import mutate

#: (weight, generator) of programs that are source text, and of all; in 100 programs, those that are mutated.
SOURCES = ((60, idiom_program), (40, object_idiom_program), (42, typed_program), (12, object_program))
ALL = (*SOURCES, (3, code_program))
MUTATED = 25


def source_program(choices):
    """A Program that is source text alone, perhaps mutated."""
    return changed(choices, SOURCES)


def any_program(choices):
    """A Program of any kind, perhaps mutated."""
    return changed(choices, ALL)


def changed(choices, generators):
    """A program of one of the generators; one in four with up to three changes, parts of a second one among them."""
    program = choices.weighted(*generators)(choices)
    if choices.chance(MUTATED):
        other = choices.weighted(*SOURCES)(choices)
        for _ in range(choices.between(1, 3)):
            program = mutate(program, choices, other)
    return program
