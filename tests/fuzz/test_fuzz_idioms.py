"""Idioms: every one compiles, ends, and is chosen; the same choices give the same program."""

from string import Formatter

import pytest

from fuzz.choices import Seeded
from fuzz.generators import idioms, object_idioms
from fuzz.loading import Loaded, Prepared
from fuzz.observe import outcome


ALL = (*idioms.IDIOMS, *object_idioms.IDIOMS)


@pytest.mark.parametrize("idiom", ALL)
def test_every_idiom_compiles_and_ends(idiom):
    """Outcomes are values or exceptions that programs are made to raise, not faults of the text."""
    kinds = set()
    for seed in range(30):
        program = idioms.idiom_program(Seeded(seed), [idiom])
        loaded = Loaded(Prepared(program))
        for call in range(len(program.calls)):
            found = outcome(loaded.entry, loaded.arguments(call), loaded.namespace)
            kinds.add(found["exception"][0] if found.get("exception") else "value")
    assert "value" in kinds, kinds
    assert "NameError" not in kinds


@pytest.mark.parametrize("idiom", ALL)
def test_fields_and_kinds_are_known(idiom):
    fields = {field for _, field, _, _ in Formatter().parse(idiom.text) if field}
    assert fields <= {*idioms.FIELDS, *idioms.KINDS}
    assert set(idiom.parameters) <= set(idioms.KINDS)


def test_the_same_choices_give_the_same_program():
    assert idioms.idiom_program(Seeded(7)) == idioms.idiom_program(Seeded(7))
    assert len({idioms.idiom_program(Seeded(seed)).source for seed in range(200)}) > 140
