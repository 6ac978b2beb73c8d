"""Calls of bound methods, of C types' methods bound to instances, and of instances with ``__call__``; identity of ints."""

import _random
import random
import sys

import pytest

import jit
from compare import check, copies, outcome

EDGES = [0, 1, -1, 2, 3, 255, 256, 257, -5, -6, 2**31, -2**31, 2**62, -2**62, 2**63 - 1, -2**63, 2**63, 2**70, True, False, 1.5, None, ""]


def bits(n):
    return n.bit_length()


def test_bit_length():
    check(bits, *((value,) for value in EDGES), *((1 << number,) for number in range(70)), *((-(1 << number) - 1,) for number in range(64)))


ONE, THREE, LAST = 1, 3, 256


def is_one(a):
    return a is ONE, ONE is a, a is not ONE, a is LAST


def is_same(a, b):
    a += 1
    return a is THREE, a is b if b is None else 0


def test_identity_with_small_ints():
    check(is_one, *((value,) for value in EDGES), (1,), (256,), (255 + 1,))
    check(is_same, *((value, None) for value in range(-8, 8)), (2.0, None), (True, None))


class Adder:
    def __init__(self, more):
        self.more = more

    def __call__(self, value, factor=2):
        return value * factor + self.more

    def added(self, value):
        return value + self.more


class Subtracter(Adder):
    def __call__(self, value, factor=3):
        return value * factor - self.more


class Plain:
    pass


def call_instance(thing, value):
    return thing(value), thing(value, factor=1.5), thing(value + 1, 5)


def test_instances_are_called():
    for kinds in ((Adder,), (Adder, Subtracter), (Subtracter, Plain, Adder, list)):
        things = [kind(3) if issubclass(kind, Adder) else kind() for kind in kinds] * 3
        check(call_instance, *((thing, value) for thing in things for value in (1, 2.5, "a", None)))


def call_once(thing, value):
    return thing(value)


def test_a_call_method_that_changes():
    class Changing:
        def __call__(self, value):
            return value + 1

    (plain,), (fast,) = copies(call_once)
    thing = Changing()
    for change in (lambda: None, lambda: setattr(Changing, "__call__", lambda self, value: value * 100), lambda: delattr(Changing, "__call__"),
                   lambda: setattr(Changing, "__call__", Adder(7)), lambda: setattr(Changing, "__call__", staticmethod(lambda value: value))):
        change()
        for value in (1, 2.5, "x") * 10:
            assert outcome(plain, (thing, value)) == outcome(fast, (thing, value))


def test_an_instance_that_dies_while_it_is_called():
    class Fleeting:
        def __init__(self, log):
            self.log = log

        def __call__(self):
            return len(self.log)

        def __del__(self):
            self.log.append(1)

    def use(log):
        return Fleeting(log)(), len(log)

    check(use, *(([],),) * 40, namespace={"Fleeting": Fleeting})


def test_bound_methods_of_globals():
    adder = Adder(5)
    namespace = {"method": adder.added, "called": adder, "adder": adder}

    def use(value):
        adder.more = adder.more + 1
        return method(value), called(value), method(value=value)  # noqa: F821

    (plain,), (fast,) = copies(use, namespace=namespace)
    for value in (1, 2.5, "x", None) * 20:
        before = adder.more
        wanted = outcome(plain, (value,))
        adder.more = before
        assert outcome(fast, (value,)) == wanted


def draw(generator, count):
    bits, number = generator.getrandbits, generator.random
    total = 0
    for index in range(count):
        total = total * 3 + bits(index % 90 + 1) + number()
    return total, bits(0), bits(40)


@pytest.mark.parametrize("kind", [random.Random, _random.Random, random.SystemRandom])
def test_random_numbers_are_the_same(kind):
    (plain,), (fast,) = copies(draw)
    for count in (0, 3, 50, 200):
        first, second = kind(count), kind(count)
        wanted, got = outcome(plain, (first, count)), outcome(fast, (second, count))
        if kind is not random.SystemRandom:
            assert wanted == got
        for wrong in (None, "1", 1.5):
            assert outcome(plain, (first, wrong)) == outcome(fast, (second, wrong))


def wrong_arguments(generator, argument):
    return generator.getrandbits(argument)


def test_random_of_what_is_no_number_of_bits():
    class Index:
        def __index__(self):
            return 7

    check(wrong_arguments, *((random.Random(5), value) for value in (1, 64, 65, -1, 2**40, 1.5, None, True, Index())))


def module_functions(limit):
    total = 0
    for _ in range(limit):
        total += random.random() + random.randrange(limit) + random.getrandbits(3)
    return total


def test_functions_of_the_module():
    (plain,), (fast,) = copies(module_functions)
    jit.jit(random.Random.randrange)
    jit.jit(random.Random._randbelow)
    for limit in (1, 5, 300, 0):
        random.seed(limit)
        wanted = outcome(plain, (limit,))
        random.seed(limit)
        assert outcome(fast, (limit,)) == wanted


class Stack(list):
    def refill(self, item):
        push, pop = self.append, self.pop
        push(item)
        push([item])
        last = pop()
        return last, pop(0), len(self)


def refill(stack, item):
    return stack.refill(item)


def test_methods_of_a_builtin_base():
    check(refill, *((Stack(range(3)), value) for value in (1, None, "a", 2.5)), helpers=(Stack.refill,))
    stack, item = Stack(), object()
    (_,), (fast,) = copies(refill)
    before = sys.getrefcount(item), sys.getrefcount(stack)
    for _ in range(100):
        fast(stack, item)
        stack.clear()
    assert before == (sys.getrefcount(item), sys.getrefcount(stack))
