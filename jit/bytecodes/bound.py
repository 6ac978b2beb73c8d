"""Calls of what is not a function itself: bound methods, methods of C types bound to an instance, instances with ``__call__``.

Source: CPython Objects/classobject.c (method_vectorcall), Objects/typeobject.c (slot_tp_call), Modules/_randommodule.c.
"""

import sys
from types import BuiltinMethodType, MethodDescriptorType, MethodType, ModuleType, NoneType

from jit import receivers
from jit.bytecodes.classes import classes_of, guard_classes
from jit.enclosing import EnclosedFunction
from jit.holding import is_loose
from jit.types import OBJECT
from platforms.cpython import instances


class Bound:
    """Facts of a Value that is a method of a C type bound to an instance. Attributes: method: its descriptor. owner: Value of the instance."""

    __slots__ = ("method", "owner")

    def __init__(self, method, owner):
        self.method = method
        self.owner = owner


class BoundMethod:
    """Facts of a Value that is a method object made here. Attribute `function`: the Python function that is bound in it."""

    __slots__ = ("function",)

    def __init__(self, function):
        self.function = function


def call_bound_function(w, callee, arguments, names, depth):
    """A call of a method object that was made here: its function is called directly; NotImplemented if it cannot be. Args: as of `call_through`."""
    from jit.bytecodes.calls import direct_call, fitting_arguments
    function = callee.facts.function
    if fitting_arguments(w, function, [callee, *arguments], names) is None:
        return NotImplemented
    return direct_call(w, function, [bound_instance(w, callee), *arguments], names, depth)


def bound_instance(w, method):
    """What a method object is bound to."""
    return w.operation("bound_instance", method, kind=OBJECT)


def call_as_seen(w, callee, arguments, names, depth):
    """A call of what was a Python function, or one bound, when this was compiled, and is proven to be so here; NotImplemented if it was not, or has been another."""
    from jit.bytecodes.calls import direct_call, fitting_arguments
    example = callee.shape.example if callee.shape is not None else None
    site = w.instruction.site, "callee"
    bound = type(example) is MethodType
    function = example.__func__ if bound else example
    if not receivers.is_function(function) or w.knowledge.observed.get(site) or fitting_arguments(w, function, [callee] * bound + arguments, names) is None:
        return NotImplemented
    guard = w.exit("another function is called", observe=callee)
    guard.site = site
    w.operation("guard_bound_function" if bound else "guard_same", callee, w.constant(function), exit=guard)
    return direct_call(w, function, [bound_instance(w, callee), *arguments] if bound else arguments, names, depth)


def call_through(w, callee, arguments, names, depth):
    """Call the Python function that calling `callee` comes down to, directly; NotImplemented if there is none.

    Args:
        arguments: Values. names: of the last ones. depth: operands on the stack.
    """
    from jit.bytecodes.calls import direct_call
    known = callee.known or callee
    if known.is_constant and type(known.constant) is MethodType:
        method = known.constant
        if is_loose(method.__self__) or not receivers.is_function(method.__func__):
            return NotImplemented
        return direct_call(w, method.__func__, [w.constant(method.__self__), *arguments], names, depth)
    if callee.type is not OBJECT or callee.facts.__class__ not in (NoneType, EnclosedFunction) or known.is_constant and receivers.is_function(known.constant):
        return NotImplemented  # the last has been tried
    done = call_as_seen(w, callee, arguments, names, depth)
    if done is not NotImplemented:
        return done
    kinds = classes_of(w, callee, note=False)
    function = receivers.class_attribute(kinds[0], "__call__") if len(kinds) == 1 else None
    if not receivers.is_function(function) or receivers.receiver(kinds[0]) is None or not w.unit.match_arguments(w, function, [callee, *arguments], names):
        return NotImplemented
    guard_classes(w, callee, kinds)
    return direct_call(w, function, [callee, *arguments], names, depth)


def descriptor_of(w, callee):
    """(method of a C type, Value of what it is bound to) that a callee is, or None."""
    if callee.facts.__class__ is Bound:
        return callee.facts.method, callee.facts.owner
    bound = callee.constant if callee.is_constant else None
    if type(bound) is not BuiltinMethodType or bound.__self__ is None or type(bound.__self__) is ModuleType or type(bound.__self__) is type:
        return None
    for base in instances.bases(type(bound.__self__)):
        method = instances.namespace(base).get(bound.__name__)
        if type(method) is MethodDescriptorType and method.__get__(bound.__self__) == bound:
            return method, w.constant(None)
    return None


def result_of_random(method):
    """The type of what a method of _random.Random returns that runs no foreign code when its argument is an int; or None."""
    module = sys.modules.get("_random")
    owner = module.__dict__.get("Random") if type(module) is ModuleType else None
    if owner is None or method.__objclass__ is not owner:
        return None
    return {"random": float, "getrandbits": int}.get(method.__name__)
