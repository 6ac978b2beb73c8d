"""Arithmetic of complex numbers, arithmetic and comparison of decimal.Decimal, of the one that is written in C: it runs no foreign code, and so needs no frame, nor
do Decimals that die.

Source: CPython Objects/complexobject.c; Modules/_decimal/_decimal.c (convert_op, nm_*, dec_richcompare).
"""

from jit import foreign, types
from jit.bytecodes.classes import classes_of
from jit.bytecodes.fixed_types import imported_type
from jit.bytecodes.guards import observe, prove
from jit.machine import simple_classes
from jit.types import BOOL, BOOL_OBJECT, FLOAT, INT, OBJECT, exact, in_order_seen
from jit.values import Value
from platforms.cpython import instances

#: With three operands in C; the third is None.
_LEFT_OUT = ("**", "@", "&", "|", "^", "<<", ">>")
_met = []


def decimal_type():
    """The class, if the program has imported it; or None. What else has to know of it is told then."""
    if not _met:
        kind = imported_type("decimal", "Decimal")
        if kind is None or not instances.version_tag(kind):
            return None
        _met.append(kind)
        types.PLAIN.add(kind)
        simple_classes.note_leaf(kind, instances.version_tag(kind))
    return _met[0]


def decimal_arithmetic(w, symbol, left, right):
    """``left symbol right``, of two Decimals or of one and an int; NotImplemented if they are not known to be that."""
    if symbol.rstrip("=") in _LEFT_OUT or not are_decimals(w, left, right):
        return NotImplemented
    return foreign.blind_call(w, foreign.BINARY[symbol], 2, exact(decimal_type()))


def complex_arithmetic(w, symbol, left, right):
    """The same of complex numbers, which floats may be mixed with, too."""
    if symbol.rstrip("=") not in ("+", "-", "*", "/") or not are_of(w, complex, (INT, BOOL, FLOAT), left, right):
        return NotImplemented
    return foreign.blind_call(w, foreign.BINARY[symbol], 2, exact(complex))


def decimal_comparison(w, symbol, left, right):
    """The same of a comparison, of which True or False comes."""
    if not are_decimals(w, left, right):
        return NotImplemented
    left, right = w.peek(2), w.peek(1)
    if symbol in ("==", "!="):
        # The C function takes an object to be equal to itself without asking it, and there are Decimals that are not.
        if left is right:
            return NotImplemented
        if left.type.is_object and right.type.is_object:
            w.operation("guard_distinct", left, right, exit=w.exit("an object is compared with itself"))
    ended = foreign.blind_call(w, "PyObject_RichCompareBool", 2, BOOL_OBJECT, immediates=(foreign.COMPARISONS[symbol],), failure="truth")
    if not ended:
        w.unbox_plain_bool()
    return ended


def are_decimals(w, left, right):
    """The same as `are_of`, of Decimals and ints."""
    kind = decimal_type()
    return kind is not None and are_of(w, kind, (INT, BOOL), left, right)


def are_of(w, kind, numbers, left, right):
    """Whether both operands, on top of the stack, are of a class or of types of `numbers`, one of them of the class at least; of objects this is proven here."""
    if not left.__class__ is right.__class__ is Value:
        return False
    found = [what(w, value, number, kind, numbers) for number, value in enumerate((left, right))]
    if kind not in found:
        return False
    if None in found:
        number = found.index(None)
        value = (left, right)[number]
        if value.type is OBJECT and not value.is_constant and not w.seen(number) and not w.inlined:
            observe(w, value, number)
        return False
    for number, value in enumerate((left, right)):
        if value.type is OBJECT and not value.is_constant:
            w.unit.keep(kind)
            prove(w, value, kind, number)
    return True


def what(w, value, number, kind, numbers):
    """The class, or int for a number of one of these types, if that is what operand `number` is, or has been seen to be, here; else None."""
    if value.type in numbers or value.type.python in [number.python for number in numbers]:
        return int
    if value.type.python is kind or value.is_constant and type(value.constant) is kind:
        return kind
    if value.type is not OBJECT or value.is_constant:
        return None
    seen = w.seen(number)
    references = in_order_seen(seen)
    kinds = [reference.kind() for reference in references if not reference.changes] if seen else classes_of(w, value, note=False)
    return kind if len(kinds) == 1 == len(seen or kinds) and kinds[0] is kind else None
