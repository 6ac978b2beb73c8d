"""Builtins that are called without a frame (jit/bytecodes/blind.py): they return what the table says, and all else is as interpreted."""

import binascii
import datetime
import decimal
import io
import itertools
import math
import re
import struct
import sys
import time
from collections import deque

import pytest
from compare import assert_stays_compiled, check, child, copies

from jit.bytecodes import blind
from jit.types import ARRAY

blind._meet_imported()

OBJECT = object()
SAMPLES = {
    int: (0, 1, -1, 3, 255, 2**63), bool: (True, False), float: (0.0, -0.0, 1.5, float("nan"), float("inf"), -1e308), type(None): (None,),
    str: ("", "a", "aB1", " x,y ", "\xe9\u0130", "\ud800", "12", "big", "<q"), bytes: (b"", b"a", b"YWJj", b" x,y ", b"\xff", b"12345678"),
    list: ([], ["a"], ["a", 1]), tuple: ((), ("a", "b"), (b"a", None)), dict: ({}, {"a": 1}), range: (range(0), range(3)), bytearray: (bytearray(), bytearray(b"ab")), ARRAY: (), complex: (0j, -1.5 + 2j, complex(1e308, 1e308), complex("nan")), decimal.Decimal: tuple(map(decimal.Decimal, (0, "1.55", "nan", "1E+30")))}
CALLABLES = sorted(blind.BLIND, key=lambda item: (getattr(item, "__qualname__", ""), repr(item)))
MOST = 6000


#: Makers of what methods are called on, by the names of their types.
INSTANCES = {"Decimal": [lambda: decimal.Decimal("1.255"), lambda: decimal.Decimal("-inf")], "Struct": [lambda: struct.Struct("<qd"), lambda: struct.Struct(""), lambda: struct.Struct("3s?")],
             "Match": [lambda: re.match("(?P<a>.)(b)?", "ac"), lambda: re.search("", "")],
             "deque": [lambda: deque([1, "x"]), deque, lambda: deque([None], 1)],
             "date": [lambda: datetime.date(2024, 2, 29), lambda: datetime.datetime(1, 1, 1, 5)],
             "BytesIO": [io.BytesIO, lambda: io.BytesIO(b"some octets"), lambda: closed(io.BytesIO())],
             "StringIO": [io.StringIO, lambda: io.StringIO("some text\r\n", newline=None), lambda: closed(io.StringIO())]}


def closed(file):
    file.close()
    return file


def owners(callee):
    """What a method of an imported type may be called on, made anew each time; else None."""
    return INSTANCES.get(getattr(callee, "__objclass__", object).__name__)


def samples(found, callee=None):
    """Arguments of the right types, of each number that is allowed; makers of a method's instance in its place."""
    values = [[OBJECT, *SAMPLES[str]] if kind is None else [value for item in kind for value in SAMPLES[item]] for kind in found.kinds]
    if owners(callee):
        values[0] = owners(callee)
    if found.rest:
        values += [[value for item in found.rest for value in SAMPLES[item]]] * 2
    for count in range(bool(owners(callee)), len(values) + 1):
        yield from itertools.islice(itertools.product(*values[:count]), MOST)


@pytest.mark.parametrize("callee", CALLABLES, ids=lambda item: getattr(item, "__qualname__", str(item)))
def test_results_have_the_type_of_the_table(callee):
    found, returned = blind.BLIND[callee], 0
    named = [{}, *({name: value} for name in found.names for value in (0, True, None, "big", 16, ",", b","))]
    for arguments in samples(found, callee):
        for keywords in named:
            try:
                result = callee(*map(copied, arguments), **keywords)
            except (TypeError, ValueError, OverflowError, MemoryError, LookupError, ArithmeticError, struct.error):
                continue
            returned += 1
            if found.result is not None:
                assert type(result) is found.result.type.python
    assert returned or not found.kinds and not found.result or callee is ARRAY.append


def fresh(arguments):
    return tuple(map(copied, arguments))


def copied(value):
    return value.copy() if type(value) in (list, dict, bytearray) else value() if callable(value) else value


class Text(str):
    def __str__(self):
        raise KeyError("asked")

    __format__ = __str__


class Octets(bytes):
    def __bytes__(self):
        raise KeyError("asked")


class Whole(int):
    def __index__(self):
        return 2

    __int__ = __trunc__ = __index__


class Real(float):
    def __float__(self):
        return 2.5


#: Beside those of the table's types.
HOSTILE = (Text("aB1"), Octets(b"a"), Whole(7), Real(1.25), True, 2**70, -2**31, float("nan"), None, OBJECT, "7", b"7", [Text("x")], ("a", 3))


def one(x):
    return CALLEE(x)


def two(x, y):
    return CALLEE(x, y)


def three(x, y, z):
    return CALLEE(x, y, z)


@pytest.mark.parametrize("callee", [item for item in CALLABLES if blind.BLIND[item].kinds and item is not id],  # what it says of two objects differs
                         ids=lambda item: getattr(item, "__qualname__", str(item)))
def test_calls_are_as_interpreted(callee):
    found = blind.BLIND[callee]
    for count, function in ((1, one), (2, two), (3, three)):
        if count > len(found.kinds) + bool(found.rest):
            break
        right = [arguments for arguments in samples(found, callee) if len(arguments) == count]
        mixed = [tuple(HOSTILE[(start + 5 * place) % len(HOSTILE)] for place in range(count)) for start in range(len(HOSTILE))]
        if owners(callee):
            mixed += [(owner, *arguments[1:]) for owner in owners(callee) for arguments in mixed]
        check(function, *right[::max(1, len(right) // 12)], *mixed, repeat=2, namespace={"CALLEE": callee}, make=fresh)


class Foreign:
    """Tells whenever it is asked anything."""

    def __hash__(self):
        asked.append("__hash__")
        return 1


for _name in "eq ne lt gt le ge index int float trunc str repr format len iter bool add radd bytes contains getitem length_hint round floor ceil complex".split():
    setattr(Foreign, f"__{_name}__", lambda *arguments, name=_name: asked.append(name) or NotImplemented)
asked = []


def containers():
    """With foreign objects; the first two dicts are made anew entry by entry when they are copied, which compares keys of the same hash."""
    things = [Foreign() for _ in range(9)]
    sparse, mixed = {thing: 1 for thing in things}, {thing: "x" for thing in things}
    for thing in things[:6]:
        del sparse[thing]
    for thing in things[1:]:
        del mixed[thing]
    mixed["text"] = 1
    yield from (sparse, mixed, {"a": things[0]}, {things[0]: 1}, [*things], [things[0], "a"], (*things,), ("a", things[0]))


@pytest.mark.parametrize("callee", [item for item in CALLABLES if {list, tuple, dict} & {kind for kinds in blind.BLIND[item].kinds for kind in kinds or ()}],
                         ids=lambda item: getattr(item, "__qualname__", str(item)))
def test_containers_of_foreign_objects(callee):
    """What is called without a frame asks no object in them anything."""
    kinds, called = blind.BLIND[callee].kinds, 0
    others = [[OBJECT, 1] if kind is None else [value for item in kind for value in SAMPLES[item][:2]] for kind in kinds]
    for place, kind in enumerate(kinds):
        for made in itertools.islice(containers(), 2 * (callee is dict.copy), None):  # compiled code leaves for those, see below
            if type(made) in (kind or ()):
                for arguments in itertools.product(*others[:place], [made], *others[place + 1:]):
                    asked.clear()
                    try:
                        callee(*arguments)
                    except (TypeError, ValueError, IndexError, KeyError):
                        pass
                    assert not asked, arguments
                    called += 1
    assert called


def test_copies_that_compare_keys():
    assert child("""
import sys, jit
class Key:
    def __hash__(self):
        return 1
    def __eq__(self, other):
        seen.add(sys._getframe(1).f_code.co_name)
        return self is other
def copied(given):
    return given.copy()
seen = set()
copied = jit.jit(copied)
keys = [Key() for _ in range(9)]
whole, sparse, texts, numbers = dict.fromkeys(keys), dict.fromkeys(keys), {str(n): n for n in range(20)}, dict.fromkeys(range(20))
for given, gone in ((sparse, keys[:6]), (texts, list(texts)[:15]), (numbers, list(numbers)[5:])):
    for key in gone:
        del given[key]
class Instance:
    def __init__(self):
        self.a, self.b = 1, 2
for given in ({}, {1: 2}, {"a": 1}, vars(Instance()), whole, texts, numbers, sparse, {}, sparse, whole) * 2:
    print(len(given), end=" ")
    copied(given)
    print([] if given is not sparse else sorted(seen))
    seen.clear()
""", environment={"JIT_EAGER": "1"}).count("['copied']") == 4


def words(text, n):
    found = []
    for _ in range(n):
        for word in text.split(","):
            if word.isdigit():
                found.append(int(word) + int(word, 16) + word.find("1"))
            elif word.strip().lower().startswith(("x", "y")):
                found.append(word.partition("=")[2].encode().hex())
            else:
                found.append(word.rjust(6, "*").title().removeprefix("*"))
    return found


def test_methods_of_strings_in_a_loop():
    check(words, ("12,x=5, Y=\xe9,abc,,7", 20), ("", 3), (",", 3), ("9" * 30, 5))
    _, (fast,) = copies(words)
    for _ in range(5):
        fast("12,x=5, y=6,abc", 50)
    assert_stays_compiled(fast, lambda: fast("13,x=7, y=8,def", 50))


def by_name(data, flag, base):
    return (binascii.b2a_base64(data, newline=flag), binascii.a2b_base64(b"YWJj", strict_mode=flag), int("12", base=base), "a,b,c".split(sep=",", maxsplit=base),
            (258).to_bytes(length=base, byteorder="little", signed=flag), int.from_bytes(data, byteorder="big", signed=flag))


def test_arguments_by_name():
    check(by_name, (b"ab", True, 8), (b"", False, 3), (b"ab", None, 5), (b"ab", 1, 1), (Octets(b"ab"), 2.5, 8), ("ab", True, "x"), (b"a", Whole(0), Whole(9)))


def wrong_names(data, number):
    return data.split(separator=number)


def test_a_name_that_it_does_not_have():
    check(wrong_names, ("a,b", 1), (b"a", b","), ("a", None))


class Looking:
    """Looks at its caller when it is compared, hashed, shown or asked for a number."""

    def __init__(self, seen):
        self.seen = seen

    def look(self, *_):
        frame = sys._getframe(1)
        while frame.f_code.co_name != "look_out":
            frame = frame.f_back
        self.seen.append((frame.f_lineno - frame.f_code.co_firstlineno, sorted(frame.f_locals)))
        return "looked"

    __repr__ = __str__ = __format__ = look

    def __index__(self):
        self.look()
        return 2

    __int__ = __round__ = __index__

    def __float__(self):
        return float(len(self.look()))

    def __bytes__(self):
        return self.look().encode()

    def __hash__(self):
        return len(self.look())


def look_out(x, text):
    a = text.center(x), text.replace("a", "b", x)
    b = int(x), float(x), round(x), bytes(x), hash(x)
    c = format(x), repr(x), hex(x), math.gcd(x, 4), struct.pack("<q", x)
    return a, b, c


def test_objects_with_code_of_their_own_see_their_caller():
    (plain,), (fast,) = copies(look_out)
    seen = []
    for function in (plain, fast):
        for _ in range(40):
            function(3, "banana")
        found = []
        result = [function(Looking(found), "banana") for _ in range(3)]
        seen.append((result, found))
    assert seen[0] == seen[1] and len(seen[0][1]) > 20


def clocks(n):
    for _ in range(n):
        a, b = time.perf_counter(), time.monotonic_ns()
        if time.perf_counter() < a or time.monotonic_ns() < b:
            return type(a), type(b), "backward"
    return type(a), type(b)


def test_clocks():
    check(clocks, (50,), (1,))


def failing(text, data, n):
    made = []
    for i in range(n):
        try:
            made.append(text.index(str(i)))
            made.append(data[:i].decode())
        except ValueError as error:
            made.append((type(error), str(error), error.__traceback__.tb_lineno))
    return made


def test_errors_are_caught_and_the_loop_goes_on():
    check(failing, ("0123", b"ab\xff", 6), ("", b"", 3), ("5\ud800", b"\xe9", 8))


def test_modules_of_another_name_are_not_trusted(monkeypatch):
    """What stands in sys.modules may be anything."""
    before = dict(blind.BLIND)
    for module in (None, 5, type(sys)("_struct"), math):
        monkeypatch.setattr(blind, "_missing", {("_struct", None), ("_struct", "Struct")})
        monkeypatch.setitem(sys.modules, "_struct", module)
        if type(module) is type(sys) and module is not math:
            module.pack, module.unpack = len, "text"
            module.Struct = type("Struct", (), {"__module__": "_struct", "pack": list.append, "unpack": len})
        blind._meet_imported()
    assert blind.BLIND == before


LARGE = """
import signal, sys
import compare
running = True
def until_signal(text, number, small):
    while running:
        EXPRESSION
sys.set_int_max_str_digits(0)
_, (fast,) = compare.copies(until_signal)
scope = fast.__globals__
def stop(*_):
    scope["running"] = False
signal.signal(signal.SIGALRM, stop)
for text, number in (("7", 7), ("7" * 20_000, 3**70_000), ("7", 7**20_000), ("7" * 20_000, 5), ("1", 2**62)):
    for _ in range(2):
        scope["running"] = True
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        fast(text, number, 3**10_000)
print("ended")
"""


@pytest.mark.parametrize("expression", ["int(text)", "str(number)", "f'{number:d} {number!r}'", "'%d' % number", "'%s %r' % (number, True)", "divmod(number, small)",
                                        "math.gcd(number, small)", "format(number, 'd')", "round(number, 2)", "repr(number)", "math.factorial(20)", "pow(number, 3, small)",
                                        "hex(number)", "range(0, number % 9)"])
def test_signals_during_long_calculations(expression):
    """C code lets handlers run while it writes digits or multiplies; Python code of the library does for large ints (3.12). They rebind a global."""
    assert child("import math\n" + LARGE.replace("EXPRESSION", expression), timeout=60) == "ended\n"


def parts(text):
    return int(text), float(text)


def test_long_texts_leave():
    _, (fast,) = copies(parts)
    for length in (1, 10, 4000, 4001, 4300, 4301, 20_000, 5):
        for _ in range(3):
            try:
                assert fast("1" * length)[0] == int("1" * length)
            except ValueError as error:
                assert "limit" in str(error) and length > 4300
