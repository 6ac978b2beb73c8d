"""Where generators take their decisions from.

Problem: the same generator must make thousands of programs a second, make the same one again, be mutated by what coverage
rewards, and shrink.
Idea: a generator is a function of a `Choices`, which answers one question only: an integer below n. What it has answered is a
list of integers, the *recipe* of what was made. Recipes are stored, mutated, spliced, and handed to hypothesis, which shrinks
them (fuzz/minimise.py): every choice is one integer drawn there.
Invariants: a generator asks nothing else of chance, of time, or of the order of sets; and 0 is the simplest answer, so
generators put the simplest alternative first.
"""

import random

from hypothesis import strategies


class Choices:
    """A source of choices; `recipe` lists those made so far."""

    def __init__(self):
        self.recipe = []

    def below(self, count):
        """An integer in range(count), count at least 1."""
        answer = self.answer(count)
        self.recipe.append(answer)
        return answer

    def answer(self, count):
        raise NotImplementedError

    def pick(self, items):
        """One item of a sequence."""
        return items[self.below(len(items))]

    def chance(self, percent):
        """True in `percent` of 100 cases; a shrunk recipe says False."""
        return self.below(100) >= 100 - percent

    def weighted(self, *pairs):
        """One of the values of (weight, value) pairs, weights being small integers."""
        at = self.below(sum(weight for weight, _ in pairs))
        for weight, value in pairs:
            at -= weight
            if at < 0:
                return value
        raise AssertionError("below() went beyond its limit")

    def between(self, low, high):
        """An integer from low to high, both included."""
        return low + self.below(high - low + 1)


class Seeded(Choices):
    """Choices by a pseudo-random generator: the same seed, the same choices."""

    def __init__(self, seed):
        super().__init__()
        self.random = random.Random(seed)

    def answer(self, count):
        return int(self.random.random() * count)


class Replayed(Choices):
    """The choices of a recipe; where it does not fit (it was mutated) or ends, `seed` goes on, or 0 if that is None."""

    def __init__(self, recipe, seed=None):
        super().__init__()
        self.given = iter(recipe)
        self.further = None if seed is None else random.Random(seed)

    def answer(self, count):
        given = next(self.given, None)
        if given is not None:
            return given % count
        return int(self.further.random() * count) if self.further else 0


class Drawn(Choices):
    """Choices that hypothesis makes, inside a strategy."""

    def __init__(self, draw):
        super().__init__()
        self.draw = draw

    def answer(self, count):
        return self.draw(strategies.integers(0, count - 1))


def strategy(make):
    """The hypothesis strategy of what ``make(choices)`` makes."""
    return strategies.composite(lambda draw: make(Drawn(draw)))()
