"""Methods of operators that give NotImplemented after a while: whoever else is to be asked is asked, and else it is an error."""

import pytest

from compare import child

COMPARISONS, ARITHMETIC = ("<", "<=", "==", "!=", ">", ">="), ("+", "-", "*", "/", "//", "%", "@", "&", "|", "^", "<<", ">>", "**")
METHODS = dict(zip(COMPARISONS, ("lt", "le", "eq", "ne", "gt", "ge")), **dict(zip(ARITHMETIC, (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "matmul", "and", "or", "xor", "lshift", "rshift", "pow"))))
SWAPPED = dict(zip(COMPARISONS, ("gt", "ge", "eq", "ne", "lt", "le")))

TEXT = """
import sys
from jit import jit
log = []
class Left:
    def __init__(self, x):
        self.x = x
    def {method}(self, other):
        if isinstance(other, Left):
            return {result}
        return NotImplemented
class Both(Left):
    def {method}(self, other):
        log.append(("left", self.x))
        if isinstance(other, Left) and isinstance(other.x, int):
            return {result}
        return NotImplemented
    def {swapped}(self, other):
        log.append(("right", self.x))
        if self.x == "odd":
            return self.x
        if self.x == "raise":
            raise KeyError(other.x)
        return self.x == "equal" or NotImplemented
class Other:
    def __init__(self, x):
        self.x = x
def work(function, left, right):
    try:
        found = function(left, right)
    except (TypeError, KeyError) as problem:
        frames, trace = [], problem.__traceback__
        while trace is not None:
            frames.append((trace.tb_frame.f_code.co_name, trace.tb_lineno))
            trace = trace.tb_next
        found = type(problem), problem.args, frames
    print(found, log)
    log.clear()
methods = Left.{method}, Both.{method}, Both.{swapped}
if COMPILED:
    for function in methods:
        jit(function)
def functions():
    def compare(left, right):
        return left {symbol} right
    def truth(left, right):
        if left {symbol} right:
            return "yes"
        return "no"
    return [jit(function) if COMPILED else function for function in (compare, truth)]
for left, right in ((Left(1), Left(2)), (Both(1), Both(2)), (Both(1), Left(5))):  # the methods are compiled for these
    for function in functions():
        for _ in range(6):
            work(function, left, right)
for left, right in ((Left(1), Other(2)), (Both(1), Other(2)), (Left(1), 5), (Both(1), 2.5), (Left(1), None), (Both(1), Both(2)), (Both(1), Left(2))):
    for function in functions():
        for x in (2, 3, "other", "odd", "raise", "equal", 4, "other") * 3:
            if hasattr(right, "x"):
                right.x = x
            work(function, left, right)
for left in (Left("a"), Both("a")):
    for function in functions():
        for _ in range(6):
            work(function, left, left)
for item in methods:
    print(sys.getrefcount(item))
print(sys.getrefcount(NotImplemented) < 10000 or sys.version_info >= (3, 12))
"""


@pytest.mark.parametrize("symbol", [*COMPARISONS, *ARITHMETIC])
def test_not_implemented(symbol):
    method = f"__{METHODS[symbol]}__"
    swapped = f"__{SWAPPED[symbol]}__" if symbol in SWAPPED else f"__r{METHODS[symbol]}__"
    for result in ("self.x < other.x", "self.x + other.x") if symbol in COMPARISONS else ("self.x + other.x", "self.x / 2"):
        names = {"method": method, "swapped": swapped if swapped != method else "unused", "symbol": symbol, "result": result}
        text = TEXT
        for name, value in names.items():
            text = text.replace("{" + name + "}", value)
        plain, compiled = (child(f"COMPILED = {flag}" + text, environment={"JIT_EAGER": "1", "JIT_CHECK": "1"}) for flag in (False, True))
        assert compiled.splitlines() == plain.splitlines()
