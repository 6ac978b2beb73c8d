"""``match``: what a subject is, how long it is, and what it holds.

Sequences and mappings are told by a flag of their class. A class pattern is an `isinstance` that is known of the classes seen at
this place, and reads of attributes that run no foreign code; a mapping pattern looks into exact dictionaries. Anything else leaves:
the interpreter does these steps in one instruction, in the middle of which nobody could go on.

Source: CPython Python/ceval.c (match_keys, match_class, match_class_attr), Include/object.h (Py_TPFLAGS_SEQUENCE and its neighbours).
"""

from jit import receivers
from jit.bytecodes import dictionaries
from jit.bytecodes.attributes import kept_attribute
from jit.bytecodes.builtins import call_len
from jit.bytecodes.containers import build_sequence
from jit.bytecodes.guards import divides, meet, probably
from jit.bytecodes.types_asked import is_of
from jit.foreign import Call, callout
from jit.types import exact
from jit.values import Value
from jit.walk import bytecode
from platforms.cpython import instances

#: Bits of tp_flags.
_SEQUENCE_BIT, _MAPPING_BIT = 5, 6
#: Of int, str and others: ``int(x)`` gives x the subject itself.
_MATCHES_ITSELF = 1 << 22
#: What follows a class or mapping pattern, while nobody looks at the tuple.
_TAKEN_APART = ("COPY", "POP_JUMP_IF_NONE", "UNPACK_SEQUENCE")
DICT = exact(dict)


@bytecode("MATCH_SEQUENCE")
def match_sequence(w, instruction):
    return match_flag(w, _SEQUENCE_BIT)


@bytecode("MATCH_MAPPING")
def match_mapping(w, instruction):
    return match_flag(w, _MAPPING_BIT)


def match_flag(w, bit):
    """Stack: subject -> subject, whether its class has a flag."""
    subject = w.peek()
    if subject.__class__ is not Value:
        return w.leave("a pattern for an iterator")
    python = type(subject.constant) if subject.is_constant else subject.type.python
    found = w.operation("has_type_flag", subject, detail=bit) if python is None else w.constant(bool(instances.flags(python) >> bit & 1))
    w.freeze()
    w.push(found)
    return None


@bytecode("GET_LEN")
def get_len(w, instruction):
    """Stack: subject -> subject, its length."""
    subject = w.peek()
    if subject.__class__ is not Value:
        return w.leave("the length of an iterator")
    length = call_len(w, subject)
    w.freeze()
    if length is not None:
        w.push(length)
        return None
    w.push(w.constant(len))
    w.push(w.peek(2))
    return callout(w, Call("PyObject_CallOneArg"), 2)


@bytecode("MATCH_KEYS")
def match_keys(w, instruction):
    """Stack: subject, keys -> subject, keys, tuple of the items or None."""
    w.require(2)
    keys = w.peek()
    subject = probably(w, w.peek(2), (dict,), "mapping")
    if subject.__class__ is not Value or subject.type is not DICT or type(keys.constant) is not tuple or len(set(map(_typed, keys.constant))) < len(keys.constant):
        return w.leave("keys are looked for in something else than a dictionary")
    for key in keys.constant:
        found = dictionaries.contains(w, subject, w.constant(key))
        if found is None:
            return w.leave("a pattern's key that is neither text nor number")
        unless(w, found, 0)
    items = [dictionaries.load_item(w, subject, w.constant(key)) for key in keys.constant]
    return matched(w, items, 0)


def _typed(key):
    """Keys of which two are equal are an error."""
    return key if type(key) in (int, str) else object()


@bytecode("MATCH_CLASS")
def match_class(w, instruction):
    """Stack: subject, class, names of attributes -> tuple of their values, those of positional patterns first, or None."""
    w.require(3)
    names, kind, subject = w.peek(1), w.peek(2), w.peek(3)
    if subject.__class__ is not Value or not kind.is_constant or type(kind.constant) is not type or \
            type(names.constant) is not tuple or not all(type(name) is str for name in names.constant):
        return w.leave("a pattern of a class that is not known")
    answer = is_of(w, subject, (kind.constant,))
    if answer is None:
        return w.leave("it is not known whether the subject is of the pattern's class")
    if answer.is_constant and not answer.constant:
        answered(w, 3, w.constant(None))
        return None
    names = attributes_of(kind.constant, instruction.argument, names.constant)
    if names is None:
        return w.leave("a pattern whose attributes are not known")
    if not answer.is_constant:
        unless(w, answer, 3)
    items = [subject if name is None else kept_attribute(w, subject, name, kind.constant) for name in names]
    if None in items:
        return w.leave("an attribute that foreign code may give to a pattern")
    return matched(w, items, 3)


def attributes_of(kind, positional, named):
    """The names of the attributes that a pattern asks for, None for the subject itself; None if CPython has to raise an error, or to look itself."""
    if not positional:
        return named
    places = receivers.class_attribute(kind, "__match_args__")
    if type(places) is tuple:
        names = (*places[:positional], *named)
        return names if len(places) >= positional and all(type(name) is str for name in names) and len(set(names)) == len(names) else None
    absent = not receivers.has_attribute(kind, "__match_args__")
    return (None, *named) if absent and positional == 1 and instances.flags(kind) & _MATCHES_ITSELF else None


def unless(w, answer, count):
    """Walk on where the answer, a BOOL Value, is yes; where it is no, None takes the place of the top `count` stack items."""
    if not divides(w):
        return

    def otherwise():
        answered(w, count, w.constant(None))
        meet(w)

    w.freeze()
    w.split("branch_bool", (answer,), None, otherwise)


def matched(w, items, count):
    """A tuple of `items` takes the place of the top `count` stack items, or the items themselves, if the tuple would only be taken apart."""
    behind = w.index + len(_TAKEN_APART) + 1
    following = w.instructions[w.index + 1:behind]
    if tuple(instruction.operation for instruction in following) == _TAKEN_APART and following[-1].argument == len(items) and divides(w, behind):
        answered(w, count, *reversed(items))
        meet(w, behind)
        return True
    answered(w, count, *items)
    return build_sequence(w, len(items), False)


def answered(w, count, *answer):
    """The top `count` stack items are popped, the answer is pushed."""
    w.freeze()
    popped = [w.pop() for _ in range(count)]
    w.state.stack.extend(answer)
    w.release(*popped)
