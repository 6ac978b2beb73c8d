"""Displays and comprehensions of dictionaries and sets, long list displays, and f-strings.

Where keys and items are numbers and strings no foreign code can run, and the C-API is called without a frame; else the interpreter
takes over, or one callout does the whole instruction.
"""

from jit import types
from jit.bytecodes.containers import build_sequence
from jit.bytecodes.guards import probably, prove
from jit.foreign import Call, blind_call, box_operands, callout
from jit.types import INT, LIST, STR, TUPLE, Shape, exact
from jit.values import Value
from jit.walk import bytecode

DICT, SET = exact(dict), exact(set)
#: Types whose hash and comparison run no foreign code.
_PLAIN = frozenset({int, float, bool, str, bytes, type(None)})
_NO_CONVERSION, _WITH_SPEC = 0, 4
_CONVERSIONS = {1: "PyObject_Str", 2: "PyObject_Repr", 3: "PyObject_ASCII"}
#: The same and formatting in one, see jit/machine/texts.py.
_CONVERTED = {1: "formatted_str", 2: "formatted_repr", 3: "formatted_ascii"}


def is_plain(value):
    """Whether a Value is surely a number, a string or None, or a constant tuple of such."""
    if value.__class__ is not Value:
        return False
    return is_plain_constant(value.constant) if value.is_constant else value.type.python in _PLAIN


def is_plain_constant(constant):
    """The same of a constant."""
    return type(constant) in _PLAIN or type(constant) is tuple and all(map(is_plain_constant, constant))


def is_written_in_c(value):
    """Whether a Value's text is surely made by C code alone: while digits of ints are, signal handlers may run."""
    return is_plain(value) and value.type.python not in (int, bool) and not (value.is_constant and type(value.constant) is tuple)


def put(w, symbol, count, depth):
    """Call ``symbol(container, item...)`` for the top `count` items, which it borrows, and pop them.

    Args:
        depth: of the container below these, 1 being right below. symbol: returns -1 for an exception.
    """
    stack = w.state.stack
    container = stack[-count - depth]
    w.freeze()
    items = box_operands(w, count)
    from jit.templates.calls import blind_template
    w.before_effect(rebinds=False)
    w.operation_of(blind_template(count + 1), [container, *items], exit=w.exit_here("exception"), detail=Call(symbol, failure=-1))
    del stack[-count:]
    w.release(*dict.fromkeys(items))


def put_anything(w, symbol, count, depth):
    """The same for items whose hash or comparison may be foreign code: a callout."""
    w.freeze()
    stack = w.state.stack
    stack.insert(len(stack) - count, stack[-count - depth])
    return callout(w, Call(symbol, failure=-1, has_result=False), count + 1)


def new_container(w, symbol, kind):
    """Push a new empty container."""
    from jit.templates.calls import blind_template
    w.freeze()
    made = w.operation_of(blind_template(0), [], exit=w.exit_here("out of memory"), detail=Call(symbol, (0,) if kind is SET else ()),
                          kind=kind, shape=Shape(kind))
    w.push(made)
    w.state.owned |= {made}
    return made


@bytecode("BUILD_MAP")
def build_map(w, instruction):
    """Stack: key, value, key, value, ..."""
    count = instruction.argument
    w.require(2 * count)
    stack = w.state.stack
    pairs = stack[len(stack) - 2 * count:]
    if any(value.__class__ is not Value for value in pairs):
        return w.leave("a dictionary of iterators is made")
    if count > 1:
        pairs[::2] = [probably(w, key, _PLAIN, ("key", number)) for number, key in enumerate(pairs[::2])]
    if not all(map(is_plain, pairs[::2])):
        return map_of_one(w) if count == 1 else w.leave("a dictionary with keys of any type is made")
    return fill_map(w, 2 * count, list(zip(pairs[::2], pairs[1::2])))


def map_of_one(w):
    """``{key: value}``: one call of what may be foreign code, so that nobody has to go on between two."""
    made = new_container(w, "PyDict_New", DICT)
    stack = w.state.stack
    stack[-3:] = [made, made, *stack[-3:-1]]
    return callout(w, Call("PyDict_SetItem", failure=-1, has_result=False), 3)


@bytecode("BUILD_CONST_KEY_MAP")
def build_const_key_map(w, instruction):
    """Stack: values, then a constant tuple of keys."""
    count = instruction.argument
    w.require(count + 1)
    stack = w.state.stack
    keys, values = stack[-1], stack[-count - 1:-1]
    if not keys.is_constant or type(keys.constant) is not tuple or len(keys.constant) != count or \
            not all(map(is_plain_constant, keys.constant)) or any(value.__class__ is not Value for value in values):
        return w.leave("a dictionary with keys of any type is made")
    return fill_map(w, count + 1, [(w.constant(key), value) for key, value in zip(keys.constant, values)])


class TextKeys:
    """Facts of a dictionary that is being made: all its keys are strings. Attribute `empty`: there are none."""

    def __init__(self, empty):
        self.empty = empty


NO_KEYS, SOME_KEYS = TextKeys(True), TextKeys(False)


def _is_text(key):
    return type(key.constant) is str if key.is_constant else key.type is STR


def fill_map(w, depth, pairs):
    """Replace the top `depth` items by a dictionary of the pairs, which they hold."""
    made = new_container(w, "PyDict_New", DICT)
    made.facts = NO_KEYS if not pairs else SOME_KEYS if all(_is_text(key) for key, _ in pairs) else None
    for key, value in pairs:
        w.push(key)
        w.push(value)
        put(w, "PyDict_SetItem", 2, 1)
    stack = w.state.stack
    popped = stack[-depth - 1:-1]
    del stack[-depth - 1:-1]
    w.release(*dict.fromkeys(popped))


@bytecode("BUILD_SET")
def build_set(w, instruction):
    count = instruction.argument
    w.require(count)
    stack = w.state.stack
    items = stack[len(stack) - count:]
    if any(item.__class__ is not Value for item in items):
        return w.leave("a set of iterators is made")
    if not all(map(is_plain, items)):
        return set_of_anything(w, count)
    new_container(w, "PySet_New", SET)
    for item in items:
        w.push(item)
        put(w, "PySet_Add", 1, 1)
    popped = stack[-count - 1:-1]
    del stack[-count - 1:-1]
    w.release(*dict.fromkeys(popped))


def set_of_anything(w, count):
    """The items are added in their order, by one call."""
    ended = build_sequence(w, count, False)
    return ended or callout(w, Call("PySet_New"), 1, SET, Shape(SET))


@bytecode("SET_ADD")
def set_add(w, instruction):
    """A comprehension adds the top to the set that lies `argument` below it."""
    if w.peek().__class__ is not Value or w.peek(instruction.argument + 1).type is not SET:
        return w.leave("SET_ADD to something else")
    if not is_plain(w.peek()):
        return put_anything(w, "PySet_Add", 1, instruction.argument)
    return put(w, "PySet_Add", 1, instruction.argument)


@bytecode("MAP_ADD")
def map_add(w, instruction):
    """Stack: ... dictionary ..., key, value."""
    if Value is not w.peek().__class__ or Value is not w.peek(2).__class__ or w.peek(instruction.argument + 2).type is not DICT:
        return w.leave("MAP_ADD to something else")
    if not is_plain(w.peek(2)):
        return put_anything(w, "PyDict_SetItem", 2, instruction.argument)
    return put(w, "PyDict_SetItem", 2, instruction.argument)


@bytecode("LIST_EXTEND")
def list_extend(w, instruction):
    """``[1, 2, 3]``: an empty list is extended by a constant tuple; ``[*a, *b]`` by anything."""
    w.require(instruction.argument + 1)
    items = probably(w, w.peek(), (list, tuple), "iterable")
    container = w.peek(instruction.argument + 1)
    if container.__class__ is not Value or container.type is not LIST or items.__class__ is not Value:
        return w.leave("a list is extended by an iterator")
    if items.type not in (LIST, TUPLE) and not (items.is_constant and type(items.constant) is tuple):
        return extend_by_anything(w, instruction, items)
    if items.is_constant and items.constant and container.shape is not None and container.shape.element is None:
        container.shape.element = types.shape_of(items.constant[0])
    w.freeze()
    w.before_effect(rebinds=False)
    w.push(container)
    w.push(items)
    ended = blind_call(w, "PySequence_InPlaceConcat", 2, LIST)
    return ended or discard_two(w)


def extend_by_anything(w, instruction, items):
    """The C function words the error about what is not iterable in a way of its own, so that is left to the interpreter."""
    if instruction.argument != 1 or not items.type.is_object:
        return w.leave("a list is extended by what cannot be iterated over")
    w.operation("guard_iterable", items, exit=w.exit("a list is extended by what cannot be iterated over"))
    return callout(w, Call("PySequence_InPlaceConcat"), 2, LIST, Shape(LIST))


@bytecode("SET_UPDATE")
def set_update(w, instruction):
    """``{1, 2, 3}``: an empty set takes up a constant frozenset; ``{*a, *b}`` anything."""
    w.require(instruction.argument + 1)
    container, items = w.peek(instruction.argument + 1), w.peek()
    if container.__class__ is not Value or container.type is not SET or items.__class__ is not Value:
        return w.leave("a set takes up an iterator")
    if not items.is_constant or type(items.constant) is not frozenset or not all(type(item) in _PLAIN for item in items.constant):
        return put_anything(w, "_PySet_Update", 1, instruction.argument)
    w.freeze()
    w.before_effect(rebinds=False)
    w.push(container)
    w.push(items)
    ended = blind_call(w, "PyNumber_InPlaceOr", 2, SET)
    return ended or discard_two(w)


def discard_two(w):
    """Pop the container that an operation in place has given back, and what it took up."""
    given_back, items = w.pop(), w.pop()
    w.release(given_back, items)


@bytecode("LIST_TO_TUPLE")
def list_to_tuple(w, instruction):
    if w.peek().type is not LIST:
        return w.leave("a tuple is made of what is no list")
    return blind_call(w, "PyList_AsTuple", 1, TUPLE, Shape(TUPLE, w.peek().shape and w.peek().shape.element))


# -- f-strings ----------------------------------------------------------------------------------------------


@bytecode("FORMAT_VALUE")
def format_value(w, instruction):
    """Up to 3.12: conversion, then format, of the value below the specification."""
    argument = instruction.argument
    conversion = argument & 3
    has_spec = argument & _WITH_SPEC
    value = w.peek(2) if has_spec else w.peek()
    if value.__class__ is not Value:
        return w.leave("an iterator is formatted")
    digits = value.type is INT and not value.is_constant
    if conversion != _NO_CONVERSION and not digits and not is_written_in_c(value):
        # Two calls of foreign code in one instruction: nobody could go on between them.
        return callout(w, Call(_CONVERTED[conversion], () if has_spec else (0,)), 2 if has_spec else 1)
    if not has_spec:
        w.freeze()
        w.push(w.constant(""))
    if conversion == _NO_CONVERSION:
        return formatted(w)
    w.freeze()
    spec = w.pop()
    ended = number_text(w) if digits else blind_call(w, _CONVERSIONS[conversion], 1, STR)
    if ended:
        return ended
    w.push(spec)
    return formatted(w)


def formatted(w):
    """Stack: value, specification -> string."""
    value, spec = w.peek(2), w.peek()
    if value.type is INT and not value.is_constant and spec.is_constant and spec.constant == "":
        w.freeze()
        w.pop()
        return number_text(w)
    if is_written_in_c(value) and spec.type is STR:
        if value.type is STR and spec.is_constant and not spec.constant:
            w.freeze()
            w.pop()
            return None
        return blind_call(w, "PyObject_Format", 2, STR)
    return callout(w, Call("PyObject_Format"), 2)


def number_text(w):
    """Replace the int on top of the stack by its decimal digits."""
    w.before_effect(rebinds=False)
    w.freeze()
    made = w.operation("text_of_int", w.peek(), exit=w.exit_here("out of memory"), kind=STR)
    w.pop()
    w.push(made)
    w.state.owned |= {made}


@bytecode("CONVERT_VALUE")
def convert_value(w, instruction):
    symbol = _CONVERSIONS.get(instruction.argument)
    if symbol is None or w.peek().__class__ is not Value:
        return w.leave("an unknown conversion")
    if w.peek().type is INT and not w.peek().is_constant:
        return number_text(w)
    return blind_call(w, symbol, 1, STR) if is_written_in_c(w.peek()) else callout(w, Call(symbol), 1)


@bytecode("FORMAT_SIMPLE")
def format_simple(w, instruction):
    if w.peek().__class__ is not Value:
        return w.leave("an iterator is formatted")
    w.freeze()
    w.push(w.constant(""))
    return formatted(w)


@bytecode("FORMAT_WITH_SPEC")
def format_with_spec(w, instruction):
    if w.peek(2).__class__ is not Value:
        return w.leave("an iterator is formatted")
    return formatted(w)


@bytecode("BUILD_STRING")
def build_string(w, instruction):
    """Join the pieces: they are strings, because formatting gives nothing else."""
    count = instruction.argument
    if any(piece.__class__ is not Value for piece in w.state.stack[len(w.state.stack) - count:]):
        return w.leave("an iterator is joined")
    w.require(count)
    w.before_effect()
    w.freeze()
    if not all(piece.type is STR or proven_text(w, number, piece) for number, piece in enumerate(w.state.stack[-count:])):
        return join_objects(w, count)
    pieces = w.state.stack[-count:]
    from jit.templates.strings import join_template
    made = w.operation_of(join_template(count), list(pieces), exit=w.exit_here("out of memory"), kind=STR)
    del w.state.stack[-count:]
    w.push(made)
    w.state.owned |= {made}
    w.release(*dict.fromkeys(pieces))
    return None


def proven_text(w, number, piece):
    """Prove that an object on the stack is an exact string, as nearly all that formatting gives is; False if it has been seen to be none."""
    role = f"piece {number}"
    return set(w.seen(role, role)) <= {str} and prove(w, piece, str, role)


def join_objects(w, count):
    """The same, of what is not known to be strings of exactly that type: formatting may give others."""
    ended = build_sequence(w, count, False)
    if ended:
        return ended
    pieces = w.pop()
    w.push(w.constant(""))
    w.push(pieces)
    return blind_call(w, "PyUnicode_Join", 2, STR)


# -- the rest of what one call does ---------------------------------------------------------------------------


@bytecode("LOAD_ASSERTION_ERROR")
def load_assertion_error(w, instruction):
    w.push(w.constant(AssertionError))
