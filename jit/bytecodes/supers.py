"""``super().method(...)``: the method that follows in the order of the receiver's class, without making the object between.

What follows is found while compiling, in the dictionaries of the classes that come behind; the version tag of the receiver's class stands
for them all. The call of `super` and the load of the method are one step, so that no exit finds half of it done.
Source: CPython Objects/typeobject.c (super_init_without_args, do_super_lookup).
"""

from types import CellType

from jit import receivers
from jit.bytecodes.classes import classes_of, guard_classes
from jit.types import OBJECT, exact
from jit.values import Value
from jit.walk import bytecode
from platforms.cpython import instances


def super_call(w, arguments, depth):
    """A call of `super` whose result's method is loaded at once: (method, self) in place of its operands, or NotImplemented."""
    index = w.index + 1
    if not w.inside(index) or w.instructions[index].operation != "LOAD_METHOD" or w.instructions[index].executing in w.unit.handlers_missed:
        return NotImplemented
    if len(arguments) == 2:
        kind, owner = arguments
    elif not arguments and w.instruction.last:
        kind, owner = own_class(w), own_first_argument(w)
    else:
        return NotImplemented
    if kind is None or owner is None or not put_method(w, kind, owner, w.unit.code.co_names[w.instructions[index].argument], depth):
        return NotImplemented
    w.index = index
    return None


@bytecode("LOAD_SUPER_ATTR")
def load_super_attr(w, instruction):
    """Stack: super, class, self -> (method, self); other attributes are left to the interpreter."""
    w.require(3)
    called, kind, owner = w.peek(3), w.peek(2), w.peek(1)
    is_method = instruction.argument & 1
    if is_method and called.is_constant and called.constant is super and put_method(w, kind, owner, w.unit.code.co_names[instruction.argument >> 2], 3):
        return None
    return w.leave("super() of something unknown")


def put_method(w, kind, owner, name, depth):
    """Replace the operands of `super` by (method, self); False if the method is not known."""
    if not (kind.__class__ is owner.__class__ is Value) or owner.type is not OBJECT or name == "__class__":
        return False
    if not kind.is_constant or type(kind.constant) is not type:
        return False
    # What was seen may have come through a caller that has several classes there.
    kinds = [python for python in classes_of(w, owner) if derives(python, kind.constant)] or [kind.constant]
    found = [following(python, kind.constant, name) for python in kinds]
    if not found or any(item is not found[0] for item in found) or not is_method(found[0]) or not guard_classes(w, owner, kinds):
        return False
    w.freeze()
    popped = w.state.stack[-depth:]
    del w.state.stack[-depth:]
    w.push(w.constant(found[0]))
    w.push(owner)
    w.release(*dict.fromkeys(popped))
    return True


def following(python, kind, name):
    """What a name means behind `kind` in the order of a class; None if it means nothing there."""
    bases = instances.bases(python)
    place = next((number for number, base in enumerate(bases) if base is kind), len(bases))
    for base in bases[place + 1:]:
        namespace = instances.namespace(base)
        if name in namespace:
            return namespace[name]
    return None


def derives(python, kind):
    """Whether a class is another one or derives from it."""
    return any(base is kind for base in instances.bases(python))


def is_method(item):
    """Whether a class's attribute is bound when it is called through an instance, and by nothing else."""
    return receivers.is_function(item) or item is object.__init__


def own_class(w):
    """The Value of the class that the function belongs to, guarded, or None."""
    names = w.unit.code.co_freevars
    if "__class__" not in names:
        return None
    cell = w.state.locals[len(w.state.locals) - len(names) + names.index("__class__")]
    if cell is None or not cell.is_constant or type(cell.constant) is not CellType:
        return None
    try:
        kind = cell.constant.cell_contents
    except ValueError:
        return None
    known = w.constant(kind)
    w.operation("guard_cell", cell, known, exit=w.exit("a closure variable was rebound"))
    return known


def own_first_argument(w):
    """The Value of the function's first argument, or None."""
    value, bound = w.state.locals[0], w.state.bound[0]
    if not w.unit.code.co_argcount or value is None or bound is not True or value.type is exact(CellType):
        return None
    return value
