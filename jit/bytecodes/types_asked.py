"""What is asked of the types of objects: ``type(x)``, ``isinstance``, ``issubclass``."""

from types import BuiltinFunctionType

from jit import receivers
from jit.bytecodes.builtins import builtin
from jit.bytecodes.classes import classes_of, guard_classes, origin
from jit.types import OBJECT, STATIC, STATIC_ADDRESSES
from jit.values import Value
from platforms.cpython import instances, opcodes


@builtin(type)
def call_type(w, value):
    """A constant where it is known, as that of an instance whose class has been guarded."""
    python = value.type.python
    if python is not None:
        return w.constant(python) if id(python) in STATIC_ADDRESSES else None
    if value.type is not OBJECT or value.is_constant:
        return None
    found = w.state.receivers.get(value)
    if found is not None and len(found) == 1:
        return w.constant(found[0].kind)
    made = w.operation("type_of", value)
    w.state.owned |= {made}
    return made


@builtin(isinstance)
def call_isinstance(w, value, classes):
    return is_of(w, value, constants_of(classes)) if value.__class__ is Value else None


def constants_of(classes):
    """The classes that a Value, a class or a tuple of classes, stands for; () if that is not known."""
    if not classes.is_constant:
        return ()
    return classes.constant if type(classes.constant) is tuple else (classes.constant,)


def is_of(w, value, wanted):
    """Whether a value is of one of these classes: known while compiling when its exact type is, else by the classes that were seen; None if it cannot be told."""
    python = value.type.python
    if not wanted or not all(type(kind) is type for kind in wanted):
        return None
    if python is None:
        return is_instance(w, value, wanted)
    if id(python) not in STATIC_ADDRESSES:
        return None
    return w.constant(derives(python, wanted))


def derives(python, wanted):
    """Whether a class derives from one of some classes, without asking any metaclass."""
    return any(base is kind for base in instances.bases(python) for kind in wanted)


def is_instance(w, value, wanted):
    """By the version tags of the classes that were seen; a class's bases cannot change without a new tag."""
    kinds = classes_of(w, value)
    builtin = [kind for kind in w.knowledge.observed.get(origin(w, value), ()) if kind in STATIC]
    if not kinds and not builtin or value.is_constant or len(kinds) + len(builtin) > receivers.POLYMORPHIC:
        return None
    answers = {kind: derives(kind, wanted) for kind in (*kinds, *builtin)}
    # What ``__class__`` says matters only where the type says no.
    if not all(answer or receivers.class_attribute(kind, "__class__") is object.__dict__["__class__"] for kind, answer in answers.items()):
        return None
    if not builtin and len(set(answers.values())) == 1:
        return w.constant(answers[kinds[0]]) if guard_classes(w, value, kinds) else None
    tags = {kind: instances.version_tag(kind) for kind in answers}
    if not all(tags.values()):
        return None
    guard = w.exit(receivers.CLASS_GUARD, observe=value)
    guard.site = origin(w, value)
    return w.operation("instance_of", value, exit=guard, detail=[(tags[kind], answer) for kind, answer in answers.items()])


@builtin(issubclass)
def call_issubclass(w, value, classes):
    """Of a class that is not known, whether it derives from known ones whose metaclass is `type`. Source: CPython Objects/abstract.c (recursive_issubclass)."""
    return is_derived_from(w, value, constants_of(classes))


def is_derived_from(w, value, wanted):
    """The same for a class; None if it cannot be told."""
    if value.type is not OBJECT or value.is_constant or not wanted or not all(type(kind) is type for kind in wanted) or w.knowledge.observed.get(_no_class(w)):
        return None
    guard = w.exit("it is no class", observe=value)
    guard.site = _no_class(w)
    return w.operation("derives_from", value, exit=guard, detail=wanted)


_ASKED = {isinstance: is_of, issubclass: is_derived_from}


def ask(w, count):
    """``isinstance(x, (A, B))``: the tuple of the top `count` stack items is not made, if it can be told without.

    Stack: what is called with its NULL, x, classes. True if the answer has taken the place of all of them.
    """
    w.require(count + 3)
    stack = w.state.stack
    callee, value, classes = stack[-count - (2 if opcodes.NULL_FIRST else 3)], stack[-count - 1], stack[-count:]
    if callee.__class__ is not Value or not callee.is_constant or type(callee.constant) is not BuiltinFunctionType or value.__class__ is not Value or \
            not all(kind.is_constant for kind in classes):
        return False
    asked = _ASKED.get(callee.constant)
    answer = None if asked is None else asked(w, value, [kind.constant for kind in classes])
    if answer is None:
        return False
    w.freeze()
    popped = [w.pop() for _ in range(count + 3)]
    w.push(answer)
    w.release(*dict.fromkeys(popped))
    return True


def _no_class(w):
    """Key under which it is remembered that something else than a class was asked about."""
    return w.instruction.site, "no class"
