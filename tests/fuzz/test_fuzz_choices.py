"""Choices: the same answers again, and shrinking."""

from random import Random

from hypothesis import find, settings

from fuzz.choices import Replayed, Seeded, strategy
from fuzz.explore import Explorer
from fuzz.generators.typed import typed_program


def test_a_recipe_makes_the_same_program_again():
    for seed in range(50):
        first = Seeded(f"s{seed}")
        program = typed_program(first)
        again = Replayed(first.recipe)
        assert typed_program(again) == program and again.recipe == first.recipe
        assert typed_program(Seeded(f"s{seed}")) == program


def test_any_recipe_makes_a_program():
    for recipe in ([], [0], [99] * 40, list(range(500)), [65535] * 1000):
        compile(typed_program(Replayed(recipe)).source, "program", "exec")
        compile(typed_program(Replayed(recipe, seed="x")).source, "program", "exec")


def test_all_answers_come_up_and_none_beyond():
    choices = Seeded(1)
    assert {choices.below(5) for _ in range(500)} == set(range(5))
    assert {choices.between(3, 4) for _ in range(100)} == {3, 4}
    assert {choices.weighted((1, "a"), (0, "b"), (3, "c")) for _ in range(200)} == {"a", "c"}
    assert 10 < sum(choices.chance(20) for _ in range(200)) < 80
    assert not Replayed([]).chance(99)


def test_hypothesis_shrinks_programs():
    """Shrinking is greedy, and now and then one gets stuck in a long program: two further ones may try."""

    def shrunk(seed):
        found = find(strategy(typed_program), lambda program: "//" in program.source,
                     settings=settings(database=None, max_examples=2000), random=Random(seed))
        assert "//" in found.source
        return len(found.source.splitlines())

    assert any(shrunk(seed) < 14 for seed in range(3))


def run_of(explorer, reached):
    """The recipes of 60 cases; `reached` says what a program reaches."""
    recipes = []
    for number in range(1, 61):
        choices = explorer.choices(number)
        program = typed_program(choices)
        explorer.take_up(choices.recipe, reached(program))
        recipes.append(tuple(choices.recipe))
    return recipes


def test_a_run_is_the_same_again_and_others_differ():
    def reached(program):
        return {word for word in ("while", "enumerate", "try:", "def f2", ">>", "lambda") if word in program.source}

    first, second = Explorer("seed", 0), Explorer("seed", 0)
    assert run_of(first, reached) == run_of(second, reached)
    assert first.features == second.features and len(first.kept) > 2
    assert run_of(Explorer("seed", 1), reached) != run_of(Explorer("other", 0), reached)
