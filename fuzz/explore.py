"""What to try next: new recipes, and mutations of recipes that reached something new.

Deterministic: the cases of a run follow from its seed, the worker's number, and what earlier cases of that worker reached.
"""

import random

from fuzz.choices import Replayed, Seeded

#: Percent of cases made from a kept recipe, once there are some. Kept recipes at most.
MUTATED, KEPT_LIMIT = 40, 4000


class Explorer:
    """Gives a `Choices` for each case, and takes up what came of it.

    Attributes:
        features: all reached. kept: recipes of cases that reached something new.
    """

    def __init__(self, seed, worker=0, features=(), kept=()):
        self.name = f"{seed}:{worker}"
        self.features = set(features)
        self.kept = list(kept)

    def choices(self, number):
        """The choices of case `number`."""
        name = f"{self.name}:{number}"
        chance = random.Random(name)
        if not self.kept or chance.random() * 100 >= MUTATED:
            return Seeded(name)
        return Replayed(self.mutated(chance), name)

    def mutated(self, chance):
        """A kept recipe with a few changes; the newest are taken most often."""
        place = int(len(self.kept) * (1 - chance.random() ** 2))
        recipe = list(self.kept[min(place, len(self.kept) - 1)])
        for _ in range(chance.choice((1, 1, 2, 4))):
            at = chance.randrange(len(recipe) + 1)
            kind = chance.random()
            if kind < 0.4:
                recipe[at:at + 1] = [chance.randrange(1 << 16)]
            elif kind < 0.55:
                del recipe[at:at + chance.choice((1, 2, 5, 20))]
            elif kind < 0.7:
                recipe[at:at] = [chance.randrange(1 << 16) for _ in range(chance.choice((1, 2, 5)))]
            elif kind < 0.85:
                other = chance.choice(self.kept)
                recipe[at:] = other[min(at, len(other)):]
            else:
                del recipe[at:]
        return recipe

    def take_up(self, recipe, features):
        """Note a case's features; returns those that are new."""
        new = features - self.features
        if new:
            self.features |= new
            if len(self.kept) < KEPT_LIMIT:
                self.kept.append(recipe)
        return new
