"""Builtin functions and methods with templates of their own.

A handler gets the walker and the argument Values, and returns the result Value, or None if it has no template for these
types (the call then goes through the C-API). Operands stay on the abstract stack meanwhile, so guards can leave.
"""

import math
import operator

from jit.bytecodes.buffers import buffer_of
from jit.bytecodes.classes import is_derived, is_list
from jit.bytecodes.comparisons import truth_of
from jit.bytecodes.guards import probably
from jit.bytecodes.items import element_guess
from jit.bytecodes.iterators import iterable
from jit.bytecodes.numbers import arithmetic, number, operand_kinds, operands, plain_int, to_float
from jit.types import ARRAY, BOOL, BYTEARRAY, BYTES, FLOAT, INT, LIST, MIXED, OBJECT, STR, TUPLE
from jit.values import HOLDS_PLAIN, VirtualTuple

CALLABLES = {}
METHODS = {}
_SIZED = {LIST: list, TUPLE: tuple, BYTES: bytes, BYTEARRAY: bytearray, STR: str}
_HASHED = frozenset({dict, set, frozenset})
_SIZES = _HASHED.union(_SIZED.values())


def builtin(*callables, table=CALLABLES):
    """Declare the decorated handler for these callables."""

    def declare(handler):
        for item in callables:
            table[item] = handler
        return handler

    return declare


@builtin(len)
def call_len(w, value):
    derived = tuple if is_derived(w, value, tuple, "__len__") else list if is_list(w, value, "__len__") else None
    if derived is None:
        value = probably(w, value, _SIZES, "sized")
    python = ARRAY if value.type.python is ARRAY else value.type.python if value.type.python in _HASHED else _SIZED.get(value.type)
    python = python or derived
    value = buffer_of(w, value)
    if python is None and value.type.buffer is None:
        return None
    if value.is_constant and value.type in (TUPLE, STR, BYTES):
        return w.constant(len(value.constant))
    result = w.operation("used" if python in _HASHED else "length", value, detail=python) if python else w.operation("view_length", value)
    result.facts = "nonnegative"
    if is_unseen_set(w, value):
        value.facts = HOLDS_PLAIN
    return result


def is_unseen_set(w, value):
    """Whether an operand was made by the last operation but one, of plain items, as in ``len(set(generator))``: it is dropped before anybody sees it."""
    made = w.block.operations[-2:-1]
    return bool(made) and made[0].template.name == "set_of_collected" and value in made[0].results and \
        w.state.stack.count(value) == 1 and value not in w.state.locals


@builtin(abs)
def call_abs(w, value):
    machine = number(w, value)
    if machine is None:
        return None
    if machine.is_constant:
        return w.constant(abs(machine.constant))
    result = w.operation("abs", machine)
    return result


def _extreme(name):
    def handler(w, left, right, *rest):
        result = left
        for other in (right, *rest):
            kinds = operand_kinds(w, result, other)
            pair = None if kinds is None or MIXED in kinds else operands(w, result, other)
            if pair is None or pair[0].type is not pair[1].type or pair[0].type is BOOL:
                return None
            result = w.operation(name, *pair)
        return result
    return handler


builtin(min)(_extreme("min"))
builtin(max)(_extreme("max"))


@builtin(int)
def call_int(w, value):
    if value.type is OBJECT:
        value = number(w, value)
    if value is None:
        return None
    if value.type in (BOOL, INT):
        return plain_int(w, value)
    if value.type is FLOAT and not value.is_constant:
        return w.operation("float_to_int", value)
    return None


@builtin(float)
def call_float(w, value):
    machine = number(w, value)
    return None if machine is None else to_float(w, machine)


@builtin(bool)
def call_bool(w, value):
    return truth_of(w, value)


@builtin(round)
def call_round(w, value):
    machine = number(w, value)
    if machine is None or machine.is_constant or machine.type is BOOL:
        return None
    return machine if machine.type is INT else w.operation("round", machine)


@builtin(operator.index)
def call_index(w, value):
    return call_int(w, value) if value.type in (INT, BOOL) else None


@builtin(int.bit_length, table=METHODS)
def method_bit_length(w, value):
    if value.type is not INT or value.is_constant:
        return None
    result = w.operation("bit_length", value)
    result.facts = "nonnegative"
    return result


@builtin(ord)
def call_ord(w, value):
    if value.type is not STR:
        return None
    if value.is_constant:
        return w.constant(ord(value.constant)) if len(value.constant) == 1 else None
    result = w.operation("code_of", value)
    result.facts = "nonnegative"
    return result


@builtin(chr)
def call_chr(w, value):
    machine = number(w, value)
    if machine is None or machine.is_constant or machine.type is not INT:
        return None
    w.operation("guard_character", machine)
    w.freeze()
    made = w.operation("character", machine, exit=w.exit_here("out of memory"), kind=STR)
    w.state.owned |= {made}
    return made


@builtin(str, repr)
def call_str(w, value):
    """The decimal digits of an int."""
    if value.type is not INT or value.is_constant:
        return None
    w.freeze()
    w.before_effect(rebinds=False)
    made = w.operation("text_of_int", value, exit=w.exit_here("out of memory"), kind=STR)
    w.state.owned |= {made}
    return made


@builtin(enumerate, zip, reversed)
def call_iterating(w, *arguments):
    """Only proves the arguments' types: an object is made, but its loop then reads its fields."""
    for place, value in enumerate(arguments):
        buffer_of(w, iterable(w, value, f"iterable{place}"))


@builtin(divmod)
def call_divmod(w, left, right):
    """Quotient and remainder, if the next instruction takes the tuple apart."""
    following = w.instructions[w.index + 1]
    if not w.inside(w.index + 1) or following.operation != "UNPACK_SEQUENCE" or following.argument != 2:
        return None
    pair = operands(w, left, right)
    if pair is None or pair[0].is_constant and pair[1].is_constant:
        return None
    quotient = arithmetic(w, "//", *pair)
    remainder = None if quotient is None else arithmetic(w, "%", *pair)
    return None if remainder is None else VirtualTuple([quotient, remainder])


@builtin(sum)
def call_sum(w, items):
    """The sum of a list or tuple of small ints, or of floats, whatever its first item promises."""
    items = probably(w, items, (list, tuple), "summed")
    if items.type not in (LIST, TUPLE) or items.is_constant:
        return None
    site = (w.instruction.site, "item")
    kind, _ = element_guess(w, items.shape, site)
    if kind not in (INT, FLOAT):
        return None
    mismatch = w.mismatch_exit(f"item is no {kind.name}", site)
    return w.operation(f"sum_{kind.name}", items, exit=w.exit("sum beyond 64 bits, or of large ints"), mismatch=mismatch,
                       detail=items.type.python)


@builtin(object.__init__, table=METHODS)
def call_object_init(w, owner):
    """Without arguments it does nothing."""
    return w.constant(None)


@builtin(pow)
def call_pow(w, left, right):
    pair = operands(w, left, right)
    return None if pair is None else arithmetic(w, "**", *pair)


@builtin(math.sqrt)
def call_sqrt(w, value):
    machine = number(w, value, w.constant(0.5))
    if machine is None or machine.is_constant:
        return None
    return w.operation("sqrt", to_float(w, machine))


@builtin(math.fabs)
def call_fabs(w, value):
    machine = number(w, value, w.constant(0.5))
    return None if machine is None or machine.is_constant else w.operation("abs", to_float(w, machine))


def _libm(symbol):
    """math.<symbol> of one float: the C function; a nan or inf out of a finite argument is left to CPython's checks."""
    def handler(w, value):
        machine = number(w, value, w.constant(0.5))
        if machine is None or machine.is_constant:
            return None
        return w.operation("libm_1", to_float(w, machine), detail=symbol)
    return handler


for _name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "expm1", "log1p", "asinh",
              "acosh", "atanh", "log", "log2", "log10"):
    builtin(getattr(math, _name))(_libm(_name))


def _libm_2(symbol):
    def handler(w, left, right):
        pair = operands(w, left, right)
        if pair is None:
            return None
        a, b = to_float(w, pair[0]), to_float(w, pair[1])
        return None if a.is_constant and b.is_constant else w.operation("libm_2", a, b, detail=symbol)
    return handler


for _name in ("atan2", "fmod", "copysign"):
    builtin(getattr(math, _name))(_libm_2(_name))


@builtin(math.floor)
def call_floor(w, value):
    machine = number(w, value, w.constant(0.5))
    if machine is None or machine.is_constant:
        return None
    return machine if machine.type is INT else w.operation("floor", machine) if machine.type is FLOAT else None


@builtin(math.ceil)
def call_ceil(w, value):
    machine = number(w, value, w.constant(0.5))
    if machine is None or machine.is_constant:
        return None
    return machine if machine.type is INT else w.operation("ceil", machine) if machine.type is FLOAT else None
