import dataclasses
import enum


@dataclasses.dataclass(order=True)
class Item:
    weight: int
    name: str = "x"

    def worth(self):
        return self.weight * 2


class Color(enum.Enum):
    RED = 1
    BLUE = 2

    @classmethod
    def first(cls):
        return cls.RED


total = 0
for i in range(60_000):
    total += Item(i).worth()
print(total, sorted([Item(3), Item(1)]), Color.first(), Color(2), Item.__module__, Color.__module__)
