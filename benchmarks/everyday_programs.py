"""What course work and scripts are made of: texts, containers, classes, generators; a part of everyday.py. Each function takes about a millisecond at most."""

import functools
import math
import re
from collections import Counter, OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass
from enum import Enum

WORDS = "the quick brown fox jumps over the lazy dog and then some more words follow until there are quite a few of them".split() * 8
TEXT = " ".join(WORDS)


def word_counts():
    counts = {}
    for word in TEXT.split():
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:3]


def anagrams():
    groups = defaultdict(list)
    for word in WORDS:
        groups["".join(sorted(word))].append(word)
    return max(map(len, groups.values()))


def caesar():
    out = []
    for letter in TEXT:
        out.append(chr((ord(letter) - 97 + 3) % 26 + 97) if letter.isalpha() else letter)
    return "".join(out)[:9]


def palindromes():
    return sum(1 for word in WORDS if word == word[::-1])


def wrapped_lines():
    lines, line, width = [], [], 0
    for word in WORDS:
        if width + len(word) + len(line) > 60:
            lines.append(" ".join(line))
            line, width = [], 0
        line.append(word)
        width += len(word)
    return len(lines)


def tokens():
    text, found, i = "x = 3 + foo(bar, 12.5) * (y - 7) / 'str'\n" * 10, [], 0
    while i < len(text):
        letter = text[i]
        j = i + 1
        if letter.isdigit():
            while j < len(text) and (text[j].isdigit() or text[j] == "."):
                j += 1
            found.append(("number", text[i:j]))
        elif letter.isalpha():
            while j < len(text) and text[j].isalnum():
                j += 1
            found.append(("name", text[i:j]))
        elif letter == "'":
            j = text.index("'", j) + 1
            found.append(("text", text[i:j]))
        elif not letter.isspace():
            found.append(("operator", letter))
        i = j
    return len(found)


PATTERN = re.compile(r"\s*(?:(\d+\.?\d*)|(\w+)|(.))")


def matches():
    total = 0
    for match in PATTERN.finditer("x = 3 + foo(bar, 12.5) * (y - 7)\n" * 10):
        if match.group(1):
            total += float(match.group(1))
        elif match.group(2):
            total += len(match.group(2))
    return total


def records():
    total = 0.0
    for line in [f"{i},name{i},{i / 7:.2f}" for i in range(100)]:
        number, name, value = line.strip().split(",")
        record = {"id": int(number), "name": name, "value": float(value)}
        total += record["value"]
    return round(total, 2)


def formatted():
    return len("\n".join(f"{i:>5} {word:<10} {i / 3:8.3f}" for i, word in enumerate(WORDS)))


NUMERALS = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def numeral(n):
    out = []
    for value, letters in NUMERALS:
        while n >= value:
            out.append(letters)
            n -= value
    return "".join(out)


def numerals():
    return sum(len(numeral(i)) for i in range(1, 100))


def digit_sums():
    return sum(int(digit) for i in range(150) for digit in str(i * i))


def calculator():
    stack = []
    for token in ("3 4 + 2 * 7 / 5 - " * 20).split():
        if token in {"+", "-", "*", "/"}:
            right, left = stack.pop(), stack.pop()
            stack.append(left + right if token == "+" else left - right if token == "-" else left * right if token == "*" else left / right)
        else:
            stack.append(float(token))
    return round(sum(stack), 6)


def state_machine():
    following = {("A", 0): "B", ("A", 1): "A", ("B", 0): "C", ("B", 1): "A", ("C", 0): "C", ("C", 1): "B"}
    state, count = "A", 0
    for i in range(500):
        state = following[state, i * i % 3 % 2]
        if state == "C":
            count += 1
    return count


def prefixes():
    root, found = {}, 0
    for word in WORDS:
        node = root
        for letter in word:
            node = node.setdefault(letter, {})
        node["end"] = True
    for word in WORDS:
        node = root
        for letter in word[:3]:
            node = node[letter]
        found += "end" in node
    return found


def inverted():
    keys, total = [f"key{i}" for i in range(40)], 0
    for _ in range(10):
        made = dict(zip(keys, range(40)))
        total += sum(value for key, value in made.items() if key.endswith("3"))
        total += len({value: key for key, value in made.items()})
    return total


def sets_of_numbers():
    total, a, b = 0, {i * 3 % 101 for i in range(80)}, {i * 5 % 103 for i in range(80)}
    for _ in range(20):
        total += len(a & b) + len(a | b) + len(a - b) + (a <= b)
        for item in a:
            total += item
    return total


def least_recently_used():
    cache, hits = OrderedDict(), 0
    for i in range(500):
        key = i * i % 97
        if key in cache:
            cache.move_to_end(key)
            hits += 1
        else:
            cache[key] = i
            if len(cache) > 32:
                cache.popitem(last=False)
    return hits


def counted():
    return Counter(TEXT).most_common(3)


class Account:
    def __init__(self, owner, balance=0):
        self.owner, self._balance, self.log = owner, balance, []

    @property
    def balance(self):
        return self._balance

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("nothing to deposit")
        self._balance += amount
        self.log.append(("deposit", amount))

    def withdraw(self, amount):
        if amount > self._balance:
            raise ValueError("not enough")
        self._balance -= amount
        self.log.append(("withdraw", amount))


def accounts():
    account = Account("somebody", 100)
    for i in range(300):
        try:
            if i % 3:
                account.deposit(i)
            else:
                account.withdraw(i * 2)
        except ValueError:
            pass
    return account.balance


@dataclass
class Vector:
    x: float
    y: float

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __mul__(self, factor):
        return Vector(self.x * factor, self.y * factor)


def vectors():
    place, step = Vector(0.0, 0.0), Vector(1.0, 2.0)
    for _ in range(200):
        place = place + step * 0.5
    return math.hypot(place.x, place.y)


class Shape:
    def describe(self):
        return f"{type(self).__name__}: {self.area():.2f}"


class Circle(Shape):
    def __init__(self, radius):
        self.radius = radius

    def area(self):
        return math.pi * self.radius ** 2


class Rectangle(Shape):
    def __init__(self, width, height):
        super().__init__()
        self.width, self.height = width, height

    def area(self):
        return self.width * self.height


class Square(Rectangle):
    def __init__(self, side):
        super().__init__(side, side)


def shapes():
    made = [Circle(1), Rectangle(2, 3), Square(4)] * 30
    return round(sum(shape.area() for shape in made), 6), len("".join(shape.describe() for shape in made[:9]))


class Node:
    __slots__ = ("key", "left", "right")

    def __init__(self, key):
        self.key, self.left, self.right = key, None, None


def keys_below(node):
    return [] if node is None else keys_below(node.left) + [node.key] + keys_below(node.right)


def tree():
    root = Node(500)
    for i in range(200):
        key, node = i * 7919 % 1009, root
        while key != node.key:
            side = "left" if key < node.key else "right"
            following = getattr(node, side)
            if following is None:
                following = Node(key)
                setattr(node, side, following)
            node = following
    return len(keys_below(root))


Pair = namedtuple("Pair", "x y")


def named_tuples():
    pairs = [Pair(i, i * 2) for i in range(100)]
    return sum(pair.x * pair.y for pair in pairs), sorted(pairs, key=lambda pair: -pair.y)[0]


class Colour(Enum):
    RED, GREEN = 1, 2


def members():
    total = 0
    for i in range(300):
        colour = Colour.RED if i % 2 else Colour.GREEN
        total += colour.value if colour is Colour.RED else len(colour.name)
    return total


def numbers(n):
    for i in range(n):
        yield i


def squares(items):
    for item in items:
        yield item * item


def pipeline():
    return sum(item for item in squares(numbers(500)) if item % 2 == 0)


def counter():
    count = 0

    def increase(by=1):
        nonlocal count
        count += by
        return count

    return increase


def closures():
    increase = counter()
    for _ in range(500):
        increase()
    return increase(2)


def passed_on(function):
    @functools.wraps(function)
    def wrapper(*arguments, **keywords):
        return function(*arguments, **keywords)
    return wrapper


@passed_on
def add(a, b=1):
    return a + b


def decorated():
    total = 0
    for i in range(200):
        total = add(total, b=i)
    return total


class Held:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


def with_blocks():
    total, held = 0, Held()
    for i in range(300):
        with held:
            total += i
    return total


PROGRAMS = (word_counts, anagrams, caesar, palindromes, wrapped_lines, tokens, matches, records, formatted, numerals, digit_sums, calculator, state_machine, prefixes, inverted,
            sets_of_numbers, least_recently_used, counted, accounts, vectors, shapes, tree, named_tuples, members, pipeline, closures, decorated, with_blocks)
