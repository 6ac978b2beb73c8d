"""Calls of Python classes: the instance is made by ``object.__new__``'s C function, and ``__init__`` is called directly.

Source: CPython Objects/typeobject.c (type_call, object_new, slot_tp_init).
"""

from jit import receivers
from jit.types import NONE, OBJECT, instance_of
from platforms.cpython import instances
from platforms.cpython.layout import layout


def instantiate(w, callee, arguments, names, depth):
    """``kind(arguments)``, the operands being on the stack; NotImplemented if the class does more than these two things."""
    from jit.bytecodes import calls
    kind = callee.constant
    tag = receivers.version_tag(kind)
    maker = plain_maker(kind)
    if maker is None or w.inlined or not tag:
        return NotImplemented
    initialiser = receivers.class_attribute(kind, "__init__")
    made = w.value(OBJECT, instance_of(kind))
    if initialiser is object.__init__:
        if arguments:
            return NotImplemented
        make(w, callee, maker, made)
        calls.take_operands(w, depth)
        w.push(made)
        return None
    if not receivers.is_function(initialiser):
        return NotImplemented
    ordered = calls.fitting_arguments(w, initialiser, [made, *arguments], names)
    target = None if ordered is None else calls.body_of(w, initialiser, ordered)
    if target is None:
        return NotImplemented
    if target.result is None:
        return calls.unknown_result(w)
    if target.result is not NONE:
        return NotImplemented
    make(w, callee, maker, made)
    initialise(w, ordered, target, made, depth)
    return None


def plain_maker(kind):
    """The address of the C function that makes instances of a class, if it is ``object.__new__``'s and nothing else is done; or None."""
    fields = layout()
    if type(kind) is not type or not instances.flags(kind) & instances.HEAP_TYPE or instances.flags(kind) & instances.ABSTRACT:
        return None
    maker = instances.slot_function(object, fields.type_new)
    return maker if instances.slot_function(kind, fields.type_new) == maker else None


def make(w, callee, maker, made):
    """Emit the guard of the class and the making of the instance, whose reference is ours."""
    w.before_effect()
    w.operation("guard_tag", callee, detail=receivers.version_tag(callee.constant))
    w.freeze()
    template = w.make("new_instance", (callee,), exit=w.exit_here("exception"), detail=maker)
    template.results.append(made)
    made.block = w.block
    w.block.operations.append(template)
    w.state.owned |= {made}


def initialise(w, ordered, target, made, depth):
    """Call ``__init__``; the new instance lies below the operands meanwhile, and is what is left of them."""
    from jit.bytecodes import calls
    w.state.stack[-depth] = made
    throw = w.exit_here("exception")
    consumed = calls.take_operands(w, depth - 1)
    after = w.exit_after("__init__ left its compiled code")
    result = calls.call_body(w, ordered, calls.BodyCall(target, consumed, initialises=True), throw, after)
    w.state.owned |= {result}
    w.drop(result)
    calls.drop_consumed(w, consumed)
