"""With blocks: ``__enter__`` and ``__exit__`` of Python classes are called directly, those of types written in C by the C-API.

What a with block does where an exception ends it is the interpreter's, as in every handler (WITH_EXCEPT_START).
Source: CPython Python/ceval.c (BEFORE_WITH), Objects/typeobject.c (_PyObject_LookupSpecial), Objects/classobject.c (method_vectorcall).
"""

from types import MethodDescriptorType

from jit import receivers
from jit.bytecodes.bound import BoundMethod
from jit.bytecodes.classes import classes_of, guard_classes
from jit.foreign import Call, blind_call, callout
from jit.types import OBJECT
from jit.values import Value
from jit.walk import bytecode


@bytecode("BEFORE_WITH")
def before_with(w, instruction):
    """Stack: manager -> its ``__exit__``, bound; what its ``__enter__`` gives.

    Both are looked up before either is called. Nothing may leave to the instruction's beginning once ``__exit__`` is bound, so ``__enter__`` is not inlined.
    """
    from jit.bytecodes.calls import call_target, fitting_arguments, target_of, unknown_result
    w.require(1)
    manager = w.peek()
    if manager.__class__ is not Value or w.unit.code.co_stacksize < len(w.state.stack) + 2:
        return w.leave("a context manager that is no object")
    found = methods_of(w, manager)
    if found is None:
        return w.leave("a context manager of an unknown class")
    enter, leave = found
    ordered = fitting_arguments(w, enter, [manager], ()) if receivers.is_function(enter) else None
    target = None if ordered is None else target_of(w, enter, ordered, 1)[0]
    if target is not None and target.result is None:
        return unknown_result(w)
    w.freeze()
    if receivers.is_function(leave):
        w.push(w.constant(leave))
        w.push(manager)
        ended = blind_call(w, "PyMethod_New", 2, OBJECT)
        facts = BoundMethod(leave)
    else:
        w.push(manager)
        w.push(w.constant("__exit__"))
        ended = blind_call(w, "_PyObject_LookupSpecial", 2, OBJECT)
        facts = None
    if ended:
        return ended
    w.peek().facts = facts
    stack = w.state.stack
    stack[-2:] = stack[-1], stack[-2]
    if target is not None:
        return call_target(w, target, ordered, 1)
    stack[-1:] = w.constant(enter), stack[-1]
    return callout(w, Call("PyObject_CallOneArg"), 2)


def methods_of(w, manager):
    """(``__enter__``, ``__exit__``) of all classes the manager was seen to be of, which are guarded here; None if they are not two functions, or two methods of a
    type written in C."""
    kinds = classes_of(w, manager) if manager.type is OBJECT else []
    if not kinds or any(kind is None or receivers.receiver(kind) is None for kind in kinds):
        return None
    found = [[receivers.class_attribute(kind, name) for name in ("__enter__", "__exit__")] for kind in kinds]
    if any(method is not first for methods in found for method, first in zip(methods, found[0])):
        return None
    if not all(map(receivers.is_function, found[0])) and not all(type(method) is MethodDescriptorType for method in found[0]):
        return None
    return found[0] if guard_classes(w, manager, kinds) else None
