"""Entering compiled code, and calls between compiled functions."""

from fuzz.faults.planting import Fault, rewriting

FAULTS = [
    Fault("truth-returned-as-int", "entry", "jit",
          rewriting("jit.entries", "EntryEmitter.emit_box_result", ("self.emit_box_bool()", "asm.call(self.routines.box_int)")),
          "A function whose result is a bool returns 0 or 1.", """
def less(a, b):
    return a < b

def main():
    return less(1, 2), less(2, 1)
"""),
    Fault("last-default-for-every-parameter", "entry", "jit",
          rewriting("jit.matching", "ArgumentMatching.emit_match_defaults", ("mem64(r9, number - count)", "mem64(r9, -1)")),
          "Every missing argument gets the last parameter's default.", """
def pair(a, b=2, c=3):
    return a, b, c

def main():
    return pair(1, 5, 6), pair(1, 5), pair(1)
"""),
    Fault("entry-takes-anything-for-a-list", "entry", "jit",
          rewriting("jit.argument_guards", "ArgumentGuards.emit_argument",
                    ("if kind.python is not None and kind is not types.BOOL:",
                     "if kind.python not in (None, list) and kind is not types.BOOL:")),
          "A version for a list is entered with any object.", """
def first(items):
    return items[0]

def main():
    return first([1, 2]), first((3, 4)), first("text")
"""),
    Fault("keyword-arguments-exchanged", "calls", "jit",
          rewriting("jit.arguments", "by_parameter",
                    ("zip(names, arguments[positional:])", "zip(names, reversed(arguments[positional:]))")),
          "The keyword arguments of a direct call go to one another's parameters.", """
def difference(a, b, c):
    return a * 100 + b * 10 + c

def run(number):
    return difference(number, b=2, c=3)

def main():
    return run(1)
"""),
    Fault("exception-of-a-callee-not-noticed", "calls", "jit",
          rewriting("jit.templates.body_calls", "_callee_left", ("asm.jz(emitter.throw_label())", "pass")),
          "A direct call goes on when its callee has raised an exception.", """
def look(table, key):
    found = table[key]
    return found

def run(table, key):
    try:
        found = look(table, key)
    except KeyError:
        return "none"
    return [found, found]

def main():
    return run({1: 2}, 1), attempt(run, {}, 1)
"""),
    Fault("objects-of-any-kind-given-to-blind-calls", "calls", "jit",
          rewriting("jit.bytecodes.blind", "Blind.takes", ("kind is None or value", "True or value")),
          "A builtin is called without a frame though its argument has code of its own.", """
import sys

class Looking:
    def __index__(self):
        return sys._getframe(1).f_lineno

def shown(number):
    return hex(number)

def main():
    return shown(1), shown(Looking()), shown(2)
"""),
    Fault("another-function-taken-for-the-one-enclosed", "direct calls", "jit",
          rewriting("jit.bytecodes.nested", "call_enclosed", ('w.operation("guard_enclosed", callee, exit=guard, detail=(function.__globals__, relied))', "pass")),
          "A function in a function calls its variable's first function, whatever is there now.", """
def outer(n):
    def step(k):
        nonlocal step
        if k == 2:
            step = other
        return 0 if k < 1 else 1 + step(k - 1)

    def other(k):
        return 100

    return step(n)

def main():
    return outer(1), outer(1), outer(5)
"""),
    Fault("cells-of-an-enclosed-function-exchanged", "direct calls", "jit",
          rewriting("jit.bytecodes.nested", "call_enclosed", ("detail=number)", "detail=len(code.co_freevars) - 1 - number)")),
          "A function in a function finds another variable's cell in the place of its own.", """
def outer(n):
    one, two = [1], [2, 2]

    def walk(k):
        return len(one) if k < 1 else len(two) + walk(k - 1)

    return walk(n)

def main():
    return outer(1), outer(2)
"""),
    Fault("defaults-of-an-enclosed-function-not-asked-for", "direct calls", "jit",
          rewriting("jit.bytecodes.nested", "call_nested", ("*[defaults] * (len(arguments) < code.co_argcount)", "")),
          "A function in a function has the defaults that it was made with, after they have been replaced.", """
def outer(n, more):
    def walk(k, deep=1):
        return deep if k < 1 else deep + walk(k - 1)

    if more:
        walk.__defaults__ = (50,)
    return walk(n)

def main():
    return outer(2, False), outer(2, False), outer(2, True)
"""),
    Fault("decimal-equal-to-itself", "calls", "jit",
          rewriting("jit.bytecodes.numbers_in_c", "decimal_comparison", ('w.operation("guard_distinct", left, right, exit=w.exit("an object is compared with itself"))', "pass")),
          "A Decimal that is not a number equals itself.", """
from decimal import Decimal

def alike(x, y):
    return x == y

def main():
    one, none = Decimal(1), Decimal("nan")
    for _ in range(40):
        alike(one, none)
    return alike(one, one), alike(one, none), alike(none, none)
"""),
]
