"""Ten object kernels, and ten of containers and strings: what benchmarks/objects.py runs.

Each takes about 10 ms interpreted at scale 1. This file imports nothing of ours and keeps to Python 3.9 and to what Cython
and mypyc compile, so that it runs by its path in any implementation.
"""


class Counter:
    def __init__(self, step):
        self.value = 0
        self.step = step

    def add(self, amount):
        self.value += amount

    def get(self):
        return self.value


class Particle:
    def __init__(self, position, speed):
        self.position = position
        self.speed = speed


class Node:
    def __init__(self, value, following):
        self.value = value
        self.next = following


class Shape:
    pass


class Square(Shape):
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side * self.side


class Rectangle(Shape):
    def __init__(self, width, height):
        self.width = width
        self.height = height

    def area(self):
        return self.width * self.height


class Triangle(Shape):
    def __init__(self, base, height):
        self.base = base
        self.height = height

    def area(self):
        return self.base * self.height // 2


class Point:
    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z


class Vector:
    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def add(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def scale(self, factor):
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z


# -- objects -----------------------------------------------------------------------------------------


def int_attribute(n):
    counter = Counter(3)
    for _ in range(n):
        counter.value = counter.value + counter.step
        if counter.value > 1000:
            counter.value = counter.value - 1000
    return counter.value


def float_attribute(n):
    particle = Particle(0.0, 1.0)
    for _ in range(n):
        particle.position = particle.position + particle.speed * 0.01
        particle.speed = particle.speed - particle.position * 0.001
    return particle.position, particle.speed


def method_call(n):
    counter = Counter(1)
    for i in range(n):
        counter.add(i & 15)
    return counter.value


def getter(n):
    counter = Counter(1)
    counter.add(7)
    total = 0
    for _ in range(n):
        total += counter.get()
    return total


def linked_list(n, rounds):
    head = None
    for i in range(n):
        head = Node(i, head)
    total = 0
    for _ in range(rounds):
        node = head
        while node is not None:
            total += node.value
            node = node.next
    return total


def shapes(n):
    """Three kinds of objects in turn."""
    kinds = (Square(3), Rectangle(2, 5), Triangle(4, 6))
    return [kinds[i % 3] for i in range(n)]


def is_instance(n, rounds):
    things = shapes(n)
    squares = others = 0
    for _ in range(rounds):
        for thing in things:
            if isinstance(thing, Square):
                squares += 1
            elif isinstance(thing, Shape):
                others += 1
    return squares, others


def polymorphic(n, rounds):
    things = shapes(n)
    total = 0
    for _ in range(rounds):
        for thing in things:
            total += thing.area()
    return total


def allocation(n):
    total = 0
    for i in range(n):
        point = Point(i, i + 1, 2)
        total += point.x + point.z
    return total


def vectors(n):
    position = Vector(0.0, 0.0, 0.0)
    speed = Vector(1.0, 0.5, 0.25)
    energy = 0.0
    for _ in range(n):
        position = position.add(speed.scale(0.01))
        energy += speed.dot(position)
    return position.x, position.y, position.z, energy


def dict_of_lists(n, groups):
    members = {}
    for i in range(n):
        key = i * 7 % groups
        if key not in members:
            members[key] = []
        members[key].append(i)
    total = 0
    for key, values in members.items():
        for value in values:
            total += value ^ key
    return total


# -- containers and strings ----------------------------------------------------------------------------


def count_words(words):
    counts = {}
    for word in words:
        if word in counts:
            counts[word] += 1
        else:
            counts[word] = 1
    return sorted(counts.items())


def count_words_get(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items())


def concatenate(n, rounds):
    length = 0
    for _ in range(rounds):
        text = ""
        for i in range(n):
            text += "ab"
            if i & 7 == 0:
                text += "\n"
        length += len(text)
    return length


def join(n, rounds):
    length = 0
    for _ in range(rounds):
        parts = []
        for i in range(n):
            parts.append("x" if i & 1 else "yz")
        length += len(",".join(parts))
    return length


def stack(n):
    waiting = []
    total = 0
    for i in range(n):
        waiting.append(i)
        waiting.append(i + 1)
        total += waiting.pop()
        if i & 3 == 3:
            total -= waiting.pop()
    return total, len(waiting)


def tuples(n):
    a, b, c = 1, 2, 3
    for i in range(n):
        triple = (b, c, i)
        a, b, c = triple
        c = c & 1023
    return a, b, c


def f_strings(n):
    length = 0
    for i in range(n):
        length += len(f"{i}:{i & 7}/{length & 255}")
    return length


def sum_items(numbers, rounds):
    total = 0
    for _ in range(rounds):
        for number in numbers:
            total += number
    return total


def list_comprehension(n, rounds):
    total = 0
    for _ in range(rounds):
        found = [i * 2 for i in range(n) if i & 3]
        total += len(found) + found[-1]
    return total


def vowels(word):
    count = 0
    for letter in word:
        if letter == "a" or letter == "e" or letter == "o":
            count += 1
    return count


def sort_by_key(words, rounds):
    for _ in range(rounds):
        words = sorted(words, key=vowels)
    return words


# -- the lists -----------------------------------------------------------------------------------------


def _words(n):
    """Words of a made-up language, some far more frequent than others; the same everywhere."""
    vocabulary = [first + middle + last for first in ("k", "tr", "m", "pl") for middle in ("a", "eo", "i", "oa")
                  for last in ("n", "ste", "rro", "l", "")]
    seed, found = 1, []
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) % 2147483648
        place = (seed >> 16) % len(vocabulary)
        found.append(vocabulary[place * place // len(vocabulary)])
    return found


class Kernel:
    """One function to be timed.

    Attributes:
        name: of the function, and for the command line. title: for tables. function: what is called.
        make_arguments: makes a tuple of arguments for a scale; the time interpreted is about proportional to it.
    """

    def __init__(self, function, title, make_arguments):
        self.name = function.__name__
        self.title = title
        self.function = function
        self.make_arguments = make_arguments


def count(n, *others):
    """make_arguments of a kernel whose first argument grows with the scale."""
    return lambda scale: (max(2, round(n * scale)), *others)


def rounds(n, number):
    """make_arguments of a kernel whose second argument grows with the scale."""
    return lambda scale: (n, max(2, round(number * scale)))


OBJECTS = [
    Kernel(int_attribute, "int attributes", count(100_000)),
    Kernel(float_attribute, "float attributes", count(80_000)),
    Kernel(method_call, "method call", count(120_000)),
    Kernel(getter, "getter", count(150_000)),
    Kernel(linked_list, "linked list", rounds(1000, 180)),
    Kernel(is_instance, "isinstance", rounds(900, 130)),
    Kernel(polymorphic, "three-way polymorphic call", rounds(900, 120)),
    Kernel(allocation, "allocation with __init__", count(40_000)),
    Kernel(vectors, "vector add, scale, dot", count(14_000)),
    Kernel(dict_of_lists, "dict of lists", count(60_000, 50)),
]
CONTAINERS = [
    Kernel(count_words, "words counted in a dict", lambda scale: (_words(max(9, round(110_000 * scale))),)),
    Kernel(count_words_get, "words counted by dict.get", lambda scale: (_words(max(9, round(90_000 * scale))),)),
    Kernel(concatenate, "string concatenation", rounds(1000, 100)),
    Kernel(join, "str.join of parts", rounds(1000, 120)),
    Kernel(stack, "list.append and pop", count(80_000)),
    Kernel(tuples, "tuples made and unpacked", count(130_000)),
    Kernel(f_strings, "f-strings", count(25_000)),
    Kernel(sum_items, "sum over list items", lambda scale: (list(range(1000)), max(2, round(220 * scale)))),
    Kernel(list_comprehension, "list comprehension", rounds(1000, 130)),
    Kernel(sort_by_key, "sort by a count of letters", lambda scale: (_words(1000), max(2, round(30 * scale)))),
]
KERNELS = OBJECTS + CONTAINERS


def find(name):
    """The kernel of that name; KeyError if there is none."""
    for kernel in KERNELS:
        if kernel.name == name:
            return kernel
    raise KeyError(name)
