"""Generators are resumed in compiled code, and are at every yield what the interpreter would have left."""

import gc
import inspect
import itertools
import sys
import threading
import traceback
import types
import weakref

import jit
import pytest
from compare import copies, describe, outcome
from jit.dispatch import COMPILER
from jit.machine import records

HOSTILE = [0, 1, -1, 2, 7, 2**31, 2**62, -2**62, 2**63 - 1, 2**63, -2**63, True, False, 1.5, -0.0, float("nan"), float("inf"), None, "", "xyz",
           (), (1, 2, 3), [], [3, 1, 2], {}, {1: 2}, b"ab"]


class Number(int):
    """An int that is no exact one."""


class Loud:
    """Tells who asks, by raising."""

    def asked(self, *_):
        raise KeyError(sys._getframe(1).f_code.co_name, sys._getframe(1).f_lineno)

    __bool__ = __lt__ = __gt__ = __add__ = __radd__ = __eq__ = __iter__ = __mod__ = asked
    __hash__ = None


HOSTILE += [Number(3), Loud()]


def counting(n, step):
    i = 0
    while i < n:
        i += step or 1
        if i % 3 or i > 90:
            yield i


def adding(xs, k):
    total = k
    for x in xs:
        total = total + x
        yield total


def pairs(n, m):
    for i in range(n):
        for j in reversed(range(m)):
            yield i, j
        yield i


def texts(xs, k):
    for number, x in enumerate(xs):
        if x:
            yield f"{number}:{x}"
        else:
            yield k


def floats(n, x):
    while n > 0:
        x = x * 0.5 + n
        n -= 1
        yield x


def closing_over(n, k):
    total = k

    def add(x):
        nonlocal total
        total += x

    for i in range(n):
        add(i)
        yield total


def unbound(n, k):
    for i in range(n):
        if i % 5 == k:
            last = i
        if i > 10:
            yield last + i
        else:
            yield i


def returning(n, k):
    for i in range(n):
        if i == 30:
            return k
        yield i
    return n


def stopping(n, k):
    for i in range(n):
        if i == 20:
            raise StopIteration(k)
        yield i


def dividing(n, k):
    for i in range(n):
        yield k // (25 - i)


def sliced(xs, n):
    kept = list(xs)
    while n:
        n -= 1
        kept[n % 3:] = kept[:1] + kept[n % 3:]
        yield tuple(x for x in kept[:4])
        yield len(kept), len(set(k for k in range(n % 7)))


def chosen(n, k):
    for i in range(n):
        x = (yield i) if i % 2 else k
        if x is not None and x != k:
            yield x


def expressions(xs, k):
    for each in ((x for x in xs if x != k), (x + k for x in xs), ((x, y) for x in xs for y in xs)):
        for item in each:
            yield item


GENERATORS = [counting, adding, pairs, texts, floats, closing_over, unbound, returning, stopping, dividing, sliced, chosen, expressions]


def run(make, arguments, limit=60):
    """All that consuming a generator shows."""
    shown = []
    try:
        generator = make(*arguments)
        for _ in range(limit):
            shown.append(describe(next(generator)))
        shown.append(sorted((name, describe(value)) for name, value in generator.gi_frame.f_locals.items() if name[0] not in ".a"))
        shown.append((generator.gi_frame.f_lineno - make.__code__.co_firstlineno, generator.gi_running, generator.gi_frame.f_lasti))
        generator.close()
    except Exception as problem:
        while problem is not None:
            shown.append((type(problem), describe(problem.args)))
            shown.append([(frame.name, frame.lineno, frame.line) for frame in traceback.extract_tb(problem.__traceback__)[1:]])
            problem = problem.__cause__
        shown.append((list(generator), generator.gi_frame) if isinstance(generator, types.GeneratorType) else None)
    return shown


def parts(function):
    """The parts compiled of a function's generators."""
    record = COMPILER.generators.record_of(function.__code__)
    return [] if record is None else record.parts


def runs(function):
    """How often they were entered."""
    return sum(records.read_version(part.code.version_record).calls for part in parts(function))


@pytest.mark.parametrize("function", GENERATORS, ids=lambda function: function.__name__)
def test_hostile_values(function):
    (plain,), (fast,) = copies(function)
    useful = [(40, 1), ([1, 2, 3] * 20, 0), ([1.5, 2.5] * 20, 0), (40, 3), (["a", ""] * 20, "k"), ((1, 2, 3), 50), (40, 1.5)]
    for first, second in useful * 3 + [(first, second) for first in HOSTILE for second in HOSTILE]:
        assert run(plain, (first, second)) == run(fast, (first, second)), (first, second)
    assert function in (chosen, expressions) or runs(fast) > 100


@pytest.mark.parametrize("consume", [list, tuple, sum, max, sorted, set, any, all, dict.fromkeys, lambda g: [*g], lambda g: list(zip(g, g)),
                                     lambda g: list(map(abs, g)), lambda g: next(g) + next(g, 0), lambda g: (0 in g, *g),
                                     lambda g: list(itertools.islice(g, 5)) + list(g), lambda g: [x for x in g if x], "-".join])
def test_consumers(consume):
    (plain,), (fast,) = copies(counting)

    def outcome(make):
        try:
            return describe(consume(make(50, 2)))
        except TypeError as problem:
            return str(problem)

    for _ in range(20):
        assert outcome(plain) == outcome(fast)
    # From 3.12 on, loops that are interpreted run generators without asking for an item.
    assert runs(fast) or "x" in getattr(consume, "__code__", sys._getframe().f_code).co_varnames and sys.version_info >= (3, 12)


def test_references_are_kept_exactly():
    class Thing:
        pass

    def things(values, marker):
        for value in values:
            kept = value
            yield kept
            yield marker

    (plain,), (fast,) = copies(things)
    counts = []
    for make in (plain, fast):
        found = []
        for _ in range(8):
            values, marker = [Thing() for _ in range(10)], Thing()
            generator = make(values, marker)
            for step in range(13):
                item = next(generator)
                found.append((step, sys.getrefcount(item), sys.getrefcount(marker), sys.getrefcount(values), sys.getrefcount(generator)))
            references = [weakref.ref(value) for value in (*values, marker)]
            del item, values, marker
            found.append([reference() is None for reference in references])
            del generator
            found.append([reference() is None for reference in references])
        counts.append(found)
    assert counts[0] == counts[1]
    assert runs(fast) > 50


def test_closed_thrown_into_and_sent_to():
    (plain,), (fast,) = copies(adding)
    seen = []
    for make in (plain, fast):
        found = []
        for number in range(30):
            generator = make([1] * 40, 5)
            found.append([next(generator) for _ in range(number % 7)])
            if number % 3 == 0:
                found.append((generator.close(), list(generator)))
            elif number % 3 == 1:
                with pytest.raises(KeyError) as caught:
                    generator.throw(KeyError(number))
                found.append([(entry.name, entry.lineno) for entry in caught.traceback][1:] and caught.value.args)
                found.append(list(generator))
            else:
                found.append((generator.send(None), next(generator), generator.send(None), list(generator)))
        seen.append(found)
    assert seen[0] == seen[1]
    assert runs(fast)


def itself(box):
    for i in range(20):
        if i == 15:
            box.append(next(box[0]))
        yield i


def test_a_generator_that_asks_itself():
    (plain,), (fast,) = copies(itself)
    seen = []
    for make in (plain, fast):
        for _ in range(6):
            box = []
            box.append(make(box))
            with pytest.raises(ValueError, match="already executing") as caught:
                list(box[0])
            seen.append([entry.lineno for entry in caught.traceback][1:])
            assert list(box[0]) == []
    assert len({str(lines) for lines in seen}) == 1 and runs(fast)


def looking(n):
    for i in range(n):
        frame = sys._getframe()
        yield frame, sys._getframe().f_lineno, sorted(locals())


def test_a_frame_that_is_kept_stays_the_generators():
    (plain,), (fast,) = copies(looking)
    for make in (plain, fast):
        for _ in range(4):
            generator = make(12)
            for number, (frame, line, names) in enumerate(generator):
                assert frame is generator.gi_frame or number == 0 and frame.f_code.co_name == "looking"
                assert (line, names) == (looking.__code__.co_firstlineno + 3, ["frame", "i", "n"])
                assert frame.f_lineno == line and frame.f_locals["i"] == number
                assert inspect.getgeneratorlocals(generator)["i"] == number


def test_traced_generators_are_interpreted():
    (plain,), (fast,) = copies(counting)
    list(fast(50, 1)), list(fast(50, 1)), list(fast(50, 1))
    before, events = runs(fast), [[], []]
    for make, log in zip((plain, fast), events):
        sys.settrace(lambda frame, event, argument, log=log: (log.append((event, frame.f_lineno)), sys.gettrace())[1])
        try:
            result = list(make(20, 1))
        finally:
            sys.settrace(None)
        log.append(result)
    assert events[0] == events[1] and runs(fast) == before


def test_globals_that_change():
    def scaled(n):
        for i in range(n):
            yield i * FACTOR

    (plain,), (fast,) = copies(scaled, namespace={"FACTOR": 2})
    for factor in (2, 3, 2.5, "ab", 4):
        for make in (plain, fast):
            make.__globals__["FACTOR"] = factor
        for _ in range(5):
            assert list(plain(20)) == list(fast(20))
    a, b = plain(40), fast(40)
    for step in range(40):
        plain.__globals__["FACTOR"] = fast.__globals__["FACTOR"] = step
        assert next(a) == next(b)


def test_the_same_code_in_other_namespaces():
    space = {"FACTOR": 3}
    first = types.FunctionType(_scaled.__code__.replace(), {"FACTOR": 2})
    jit.jit(first)
    for _ in range(4):
        assert list(first(9)) == [2 * i for i in range(9)]
    second = types.FunctionType(first.__code__, space)
    assert list(second(9)) == [3 * i for i in range(9)] and runs(first)


def _scaled(n):
    for i in range(n):
        yield i * FACTOR  # noqa: F821


def test_cycles_are_collected():
    class Holder:
        pass

    def cyclic(holder):
        for i in range(10):
            yield holder

    (_,), (fast,) = copies(cyclic)
    references = []
    for _ in range(8):
        holder = Holder()
        holder.generator = fast(holder)
        for _ in range(4):
            next(holder.generator)
        references.append(weakref.ref(holder))
    del holder
    gc.collect()
    assert runs(fast) and not any(reference() for reference in references)


def test_codes_are_forgotten():
    for number in range(300):
        space = {}
        exec(f"def f(n):\n    for i in range(n):\n        yield i + {number}\n", space)
        jit.jit(space["f"])
        assert list(space["f"](3)) == list(space["f"](3)) == [number, number + 1, number + 2]
    del space
    gc.collect()
    assert not [record for record in COMPILER.generators.all() if record.name == "f"]


def test_threads_share_a_generators_code():
    (_,), (fast,) = copies(counting)
    expected, wrong = list(counting(3000, 1)), []

    def work():
        for _ in range(20):
            if list(fast(3000, 1)) != expected:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and runs(fast)


def test_deep_recursion():
    def deep(n):
        if n:
            for x in deep(n - 1):
                yield x
        else:
            yield 0
            yield 1

    for make in (side[0] for side in copies(deep)):
        for _ in range(4):
            assert list(make(50)) == [0, 1]
        with pytest.raises(RecursionError):
            list(make(100_000))


def test_under_an_exception_being_handled():
    def asking(n):
        for i in range(n):
            yield sys.exc_info()[0], i

    (plain,), (fast,) = copies(asking)
    for make in (plain, fast):
        for _ in range(4):
            generator = make(10)
            found = [next(generator)]
            try:
                raise KeyError
            except KeyError:
                found += [next(generator), next(generator)]
            found += list(generator)
            outside = sys.exc_info()[0]
            assert [kind for kind, _ in found] == [outside, KeyError, KeyError] + [outside] * 7


def test_errors_keep_their_context():
    def failing(n):
        for i in range(n):
            if i == 6:
                raise ValueError(i)
            yield i

    (plain,), (fast,) = copies(failing)
    for make in (plain, fast):
        for _ in range(4):
            generator = make(10)
            for _ in range(6):
                next(generator)
            try:
                raise KeyError("outer")
            except KeyError:
                with pytest.raises(ValueError) as caught:
                    next(generator)
            assert caught.value.args == (6,) and isinstance(caught.value.__context__, KeyError)


def comprehending(items, number):
    """From 3.12 on a comprehension is a part of the generator's own code, with a handler of its own."""
    kept = [number ** 2 for k in items]
    yield kept
    for k in items:
        yield [k, {number // j for j in items}, [j + k for j in (1, 2) if k]]
    yield [j for j in kept], k


RAISING = [([1, 2], 2), ([1, 0], 2), ([], 1), (False, 1), ([1, 2], 1e300), ([1, "a"], 2), ([1, 2], "a"), ([None], 1), ([1], None), ([1.5, 2], 3)]


@pytest.mark.parametrize("consume", [list, tuple, sum, sorted, max, any, lambda g: [x for x in g], lambda g: next(g, next(g, 5)), lambda g: "".join(map(str, g))])
def test_comprehensions_that_raise(consume):
    (plain,), (fast,) = copies(comprehending)
    for arguments in RAISING * 6:
        seen = []
        for make in (plain, fast):
            try:
                seen.append(describe(consume(make(*arguments))))
            except Exception as problem:
                seen.append((type(problem), str(problem), [(entry.name, entry.lineno) for entry in traceback.extract_tb(problem.__traceback__)][1:]))
        assert seen[0] == seen[1], arguments
    assert runs(fast) or consume not in (list, tuple, sorted)


def test_comprehensions_that_raise_where_the_items_are_collected():
    def plain(items, number):
        return (list(comprehending(items, number)), tuple([x, [number // j for j in items]] for x in items), [*(sum([j % k for j in items]) for k in items)],
                any([j ** number for j in items] for k in items), sorted({j: k for j in items}.popitem() for k in items))

    def one(items, number):
        return list(comprehending(items, number))

    def two(items, number):
        return tuple([x, [number // j for j in items]] for x in items)

    for function in (plain, one, two):
        (interpreted, *_), (compiled, *_) = copies(function, comprehending)
        for arguments in RAISING * 6:
            assert outcome(interpreted, arguments) == outcome(compiled, arguments), arguments
