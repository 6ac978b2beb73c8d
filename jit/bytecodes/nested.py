"""Calls of functions that a function makes for itself: bodies of their own, entered with the cells of their free variables (comprehensions.py)."""

from types import CellType

from jit.arguments import by_parameter, fill_in
from jit.comprehensions import NESTED, comprehension_record
from jit.decode import takes_more
from jit.enclosing import EnclosedFunction
from jit.templates.calls import in_registers
from jit.types import NULL, OBJECT, PENDING, exact
from jit.values import LocalFunction

#: Facts of callees that are such.
NESTED_FUNCTIONS = (LocalFunction, EnclosedFunction)


def call_nested(w, callee, arguments, names, depth):
    """A call of a function with such facts: its body is entered directly; NotImplemented if it cannot be. Args: names: of the last arguments."""
    code, defaults = callee.facts.code, callee.facts.defaults
    if takes_more(code) or w.inlined or any(value.type in (NULL, PENDING) for value in arguments):
        return NotImplemented
    ordered = by_parameter(code, code.co_argcount, arguments, names)
    if ordered is None or None in ordered and not fill_in(w, ordered, code.co_argcount, defaults):
        return NotImplemented
    relied = [code, w.unit.function.__builtins__, *[defaults] * (len(arguments) < code.co_argcount)]
    for item in relied:
        w.unit.keep(item)
    return (call_local if callee.facts.__class__ is LocalFunction else call_enclosed)(w, callee, relied, ordered, depth)


def call_local(w, callee, relied, arguments, depth):
    """Of one that is made in this very run: its cells are at hand."""
    from jit.bytecodes.calls import call_target
    code = relied[0]
    cells = callee.facts.cells
    if len(cells) != len(code.co_freevars) or not all(cell in w.state.locals for cell in cells):
        return NotImplemented
    function = w.unit.function
    record = comprehension_record(w.unit.record, function, code, NESTED)
    target, arguments = target_of(w, record, arguments, cells, depth)
    if target is None or target.result is None:
        return _not_now(w, target)
    w.operation("guard_code", callee, exit=w.exit("a function has another code"), detail=relied)
    if target.foreign:
        hold_callee(w, callee, depth)
    return call_target(w, target, [*arguments, *cells], depth)


def call_enclosed(w, callee, relied, arguments, depth):
    """Of one that was read from a variable: what it is, is proven, and its cells are read from it."""
    from jit.bytecodes.calls import call_target
    code = relied[0]
    site = w.instruction.site, "callee"
    function, owner = w.unit.function, callee.facts.owner
    if w.knowledge.observed.get(site) or owner.function() is not function:
        return NotImplemented
    record = comprehension_record(owner, function, code, NESTED)
    target, arguments = target_of(w, record, arguments, [w.value(exact(CellType), shape_of_cell(w, name)) for name in code.co_freevars], depth)
    if target is None or target.result is None:
        return _not_now(w, target)
    guard = w.exit("another function is called", observe=callee)
    guard.site = site
    w.operation("guard_enclosed", callee, exit=guard, detail=(function.__globals__, relied))
    cells = [w.operation("closure_cell", callee, kind=exact(CellType), detail=number) for number in range(len(code.co_freevars))]
    return call_target(w, target, [*arguments, *cells], depth)


def hold_callee(w, callee, depth):
    """The operand is a reference of its own, also where a variable has one: whoever counts them in the call, counts both."""
    state = w.state
    if callee in state.locals or callee in state.stack[:-depth]:
        w.freeze()
        held = w.operation("hold", callee, kind=OBJECT)
        state.owned |= {held}
        state.stack[-depth:] = [held if item is callee else item for item in state.stack[-depth:]]


def target_of(w, record, arguments, cells, depth):
    """See `calls.target_of`."""
    from jit.bytecodes.calls import ask
    kinds = [cell.type for cell in cells]

    def target_for(values):
        fits = in_registers([*(value.type for value in values), *kinds])
        return w.unit.nested(w, record, [*values, *cells]) if fits else None

    return ask(w, arguments, depth, target_for, lambda types: record.boxed_for([*types, *kinds]))


def shape_of_cell(w, name):
    """The Shape of the cell with a variable of this name, if there is one here, or None."""
    names = w.unit.slot_names
    cell = w.state.locals[names.index(name)] if name in names else None
    return cell.shape if cell is not None and cell.type is exact(CellType) else None


def _not_now(w, target):
    from jit.bytecodes.calls import unknown_result
    return NotImplemented if target is None else unknown_result(w)
