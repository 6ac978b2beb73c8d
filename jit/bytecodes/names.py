"""Globals, builtins, closures and functions made.

A global is a constant as long as its dictionary says so: the version depends on (dictionary, key, object), which is
checked on entry and after everything that may run foreign code. Numbers in globals that keep changing are loaded.
"""

from types import CellType, CodeType, ModuleType

from jit.bytecodes.containers import build_sequence
from jit.bytecodes.items import Built, take
from jit.enclosing import ANNOTATIONS, CLOSURE, DEFAULTS, KEYWORD_DEFAULTS, enclosed_function
from jit.errors import Unsupported
from jit.foreign import Call, blind_call, callout
from jit.holding import is_loose, is_reliable
from jit.types import FLOAT, INT, OBJECT, TUPLE, Shape, exact, shape_of
from jit.machine.watcher import our_bit
from jit.templates.calls import blind_template
from jit.templates.globals import QUIETLY
from jit.comprehensions import consumer_below, is_called_at_once, is_generator, operands_of
from jit.unit import looked_up
from jit.values import LocalFunction, Value, VirtualFunction
from jit.walk import bytecode
from platforms.cpython.dictionaries import entry_number, may_be_replaced_in

#: Templates for globals that are numbers.
_STORED_IN_PLACE = {INT: "store_global_int", FLOAT: "store_global_float"}


@bytecode("LOAD_GLOBAL")
def load_global(w, instruction):
    name = w.unit.code.co_names[instruction.argument]
    if name in w.knowledge.unstable or name in w.unit.stored:
        return load_changing_global(w, name)
    if must_be_read(w.unit.function.__globals__, name):
        return load_changing_global(w, name)
    found, value = w.unit.global_value(name)
    if not found:
        return w.leave(f"name {name!r} is not defined")
    if not is_reliable(value):
        return w.leave(f"builtin {name!r} may be exchanged for another of its address")
    constant = w.constant(value)
    if constant.shape is None and constant.type.is_object:
        constant.shape = shape_of(value)
    w.push(constant)


def must_be_read(namespace, name):
    """Whether a global's object would live longer, or not be told from another, if it became a constant."""
    return type(namespace) is dict and not is_reliable(looked_up(namespace, name))


def load_changing_global(w, name):
    """Read the entry of a dictionary each time, where it was while compiling; its key tells whether it still is there."""
    namespace = w.unit.function.__globals__
    number = entry_number(namespace, name) if type(namespace) is dict and name in namespace else None
    if number is None:
        return w.leave(f"global {name!r} keeps changing")
    w.unit.keep(name)
    w.push(take(w, "global", (), dict, Shape(OBJECT, shape_of(namespace[name])), (namespace, name, number)))
    return None


@bytecode("LOAD_NAME")
def load_name(w, instruction):
    """A module's locals are its globals."""
    return load_global(w, instruction) if w.unit.is_module else w.leave("a name of a class body")


@bytecode("STORE_NAME")
def store_name(w, instruction):
    return store_global(w, instruction) if w.unit.is_module else w.leave("a name of a class body")


@bytecode("STORE_GLOBAL")
def store_global(w, instruction):
    name = w.unit.code.co_names[instruction.argument]
    namespace = w.unit.function.__globals__
    value = w.peek()
    number = entry_number(namespace, name) if type(namespace) is dict and name in namespace else None
    if number is None or value.__class__ is not Value or w.knowledge.checks_stores or \
            value.type not in _STORED_IN_PLACE and not may_be_replaced_in(namespace, our_bit()):
        return store_by_python(w, namespace, name)
    w.before_effect()
    if w.unit.is_module or w.unit.entered is not None:
        if value.type not in _STORED_IN_PLACE:
            return store_by_python(w, namespace, name)
        w.overwritten.add(name)
    else:
        # Compiled callers look around only where their callee got a frame.
        w.unit.manager.note_written(namespace, name)
    w.unit.keep(name)
    detail = namespace, name, number
    if value.type in _STORED_IN_PLACE:
        quietly = () if name in w.overwritten else (QUIETLY,)
        w.operation(_STORED_IN_PLACE[value.type], value, detail=(*detail, *quietly), exit=w.exit("the global is no number"))
        w.pop()
        return None
    exit = w.exit("the global cannot be replaced")
    w.freeze()
    value = w.box(value)
    w.pop()
    moved = value in w.state.owned and not w.state.holds(value)
    if moved:
        w.state.owned -= {value}
    w.operation("store_global_object", value, detail=(*detail, moved), exit=exit, after=w.exit_after("a finaliser looked at the frame"))
    return None


def store_by_python(w, namespace, name):
    """By PyDict_SetItem."""
    w.freeze()
    value = w.pop()
    w.push(w.constant(namespace))
    w.push(w.constant(name))
    w.push(value)
    return callout(w, Call("PyDict_SetItem", failure=-1, has_result=False), 3)


@bytecode("COPY_FREE_VARS")
def copy_free_vars(w, instruction):
    if w.unit.is_comprehension:
        return  # its cells are arguments
    state = w.state
    cells = w.unit.function.__closure__ or ()
    if len(cells) != instruction.argument:
        raise Unsupported("it wants another number of cells", instruction.line, instruction.operation)
    first = len(state.locals) - len(cells)
    for number, cell in enumerate(cells):
        state.locals[first + number] = w.constant(cell, kept=False)  # the function has it; holding it would be a cycle
        state.bound[first + number] = True


@bytecode("MAKE_CELL")
def make_cell(w, instruction):
    """A variable shared with inner functions moves into a cell object."""
    number = instruction.argument
    state = w.state
    value = state.locals[number]
    if value is not None and state.bound[number] is not True:
        return w.leave("a variable that may be unbound moves into a cell")
    w.freeze()
    w.push(w.null if value is None else value)
    shape = Shape(exact(CellType), None if value is None else value.shape or Shape(value.type))
    ended = blind_call(w, "PyCell_New", 1, exact(CellType), shape)
    if ended:
        return ended
    state.locals[number], state.bound[number] = w.pop(), True
    w.release(value)
    return None


def cell_of(w, instruction):
    """The Value of the cell an instruction names, or None if the local holds no cell."""
    cell = w.state.locals[instruction.argument]
    if cell is None or cell.type is not exact(CellType) and not (cell.is_constant and type(cell.constant) is CellType):
        return None
    return cell


@bytecode("LOAD_CLOSURE")
def load_closure(w, instruction):
    cell = cell_of(w, instruction)
    if cell is None:
        return w.leave("a closure variable without a cell")
    w.push(cell)
    return None


@bytecode("LOAD_DEREF")
def load_deref(w, instruction):
    cell = cell_of(w, instruction)
    if cell is None:
        return w.leave("a closure variable without a cell")
    if not cell.is_constant:
        item = take(w, "cell", (cell,), "cell", cell.shape)
        if item.type is OBJECT and item.facts is None and not w.inlined and not w.unit.is_shared:
            item.facts = enclosed_function(w.unit.record, w.unit.slot_names[instruction.argument])
        w.push(item)
        return None
    try:
        content = cell.constant.cell_contents
    except ValueError:
        return w.leave("a closure variable is empty")
    if (callable(content) or issubclass(type(content), ModuleType)) and not is_loose(content):
        known = w.constant(content)
        w.operation("guard_cell", cell, known, exit=w.exit("a closure variable was rebound"))
        w.push(known)
        return None
    w.push(take(w, "cell", (cell,), "cell", Shape(exact(CellType), shape_of(content))))
    return None


@bytecode("STORE_DEREF")
def store_deref(w, instruction):
    cell = cell_of(w, instruction)
    if cell is None:
        return w.leave("a closure variable without a cell")
    value = w.peek()
    if value.__class__ is not Value:
        return w.leave("an iterator moves into a cell")
    w.freeze()
    if cell.shape is not None and cell.shape.element is None:
        cell.shape.element = value.shape or Shape(value.type)
    w.before_effect()
    state = w.state
    value, fresh = w.box(value), value.type.unboxed and not value.is_constant
    w.pop()
    moved = value in state.owned and not state.holds(value)
    if moved:
        state.owned = state.owned - {value}
    w.operation("store_cell", cell, value, after=w.exit_after("a finaliser looked at the frame"), detail=moved or fresh)
    return None


#: Parts of a new function by MAKE_FUNCTION's flag, in the order in which they lie on the stack, last pushed first: (type, what sets it). Of annotations
#: no function takes a tuple. In the interpreter, any object will do.
_FUNCTION_PARTS = {CLOSURE: (TUPLE, "PyFunction_SetClosure"), ANNOTATIONS: (TUPLE, None), KEYWORD_DEFAULTS: (exact(dict), "PyFunction_SetKwDefaults"),
                   DEFAULTS: (TUPLE, "PyFunction_SetDefaults")}


def make_virtual(w, flags):
    """The function of a comprehension, which is called at once, exists only in parts."""
    w.freeze()
    code = w.peek().constant
    consumer = consumer_below(w, operands_of(code)) if is_generator(code) else None
    w.pop()
    w.push(VirtualFunction(code, tuple(w.pop().items) if flags & 8 else (), consumer))


def make_real(w):
    """Make the function in parts that is on top of the stack."""
    made = w.pop()
    if made.cells:
        w.state.stack.extend(made.cells)
        build_sequence(w, len(made.cells), False)
    w.push(w.constant(made.code))
    new_function(w)
    if made.cells:
        set_part(w, CLOSURE)


def new_function(w):
    """Stack: code object -> new function."""
    code = w.peek()
    w.push(w.constant(w.unit.function.__globals__))
    ended = blind_call(w, "PyFunction_New", 2, OBJECT)
    if not ended:
        w.peek().facts = LocalFunction(code.constant)
    return ended


@bytecode("MAKE_FUNCTION")
def make_function(w, instruction):
    """Stack: parts by flag, then the code object."""
    flags = instruction.argument
    w.require(1)
    code = w.peek()
    if code.__class__ is not Value or not code.is_constant or type(code.constant) is not CodeType:
        return w.leave("a function is made of no code object")
    if is_called_at_once(w, w.index):
        make_virtual(w, flags)
        return None
    parts = [flag for flag in _FUNCTION_PARTS if flags & flag]
    if not are_parts(w, parts):
        return w.leave("a function is made of other parts than Python's compiler gives it")
    w.freeze()
    ended = new_function(w)
    if ended:
        return ended
    for flag in parts:
        set_part(w, flag)
    return None


def are_parts(w, flags):
    """Whether what lies below the top of the stack is what these flags stand for, the first uppermost."""
    w.require(1 + len(flags))
    items = [w.peek(2 + number) for number in range(len(flags))]
    return all(item.__class__ is Value and item.type is _FUNCTION_PARTS[flag][0] for flag, item in zip(flags, items))


def set_part(w, flag):
    """Stack: part, function -> function with the part set."""
    part, function, symbol = w.peek(2), w.peek(), _FUNCTION_PARTS[flag][1]
    if symbol is None:
        del w.state.stack[-2]
        moved = part in w.state.owned and not w.state.holds(part)
        w.state.owned -= {part} if moved else set()
        w.operation("set_annotations", function, part, detail=moved)
    else:
        w.operation_of(blind_template(2), [function, part], exit=w.exit_here("exception"), detail=Call(symbol, failure=-1))
        del w.state.stack[-2]
        w.release(part)
    made = function.facts
    if made.__class__ is LocalFunction and flag == CLOSURE:
        function.facts = LocalFunction(made.code, tuple(part.facts.items)) if part.facts.__class__ is Built else None
    elif made.__class__ is LocalFunction and flag == DEFAULTS and part.is_constant and type(part.constant) is tuple:
        made.defaults = part.constant


@bytecode("SET_FUNCTION_ATTRIBUTE")
def set_function_attribute(w, instruction):
    """3.13: stack: part, function."""
    if w.peek().__class__ is VirtualFunction:
        w.freeze()
        made = w.pop()
        w.push(VirtualFunction(made.code, tuple(w.pop().items), made.consumer))
        return None
    if instruction.argument not in _FUNCTION_PARTS or not are_parts(w, [instruction.argument]) or w.peek().__class__ is not Value:
        return w.leave("a function is given other parts than Python's compiler gives it")
    w.freeze()
    set_part(w, instruction.argument)
    return None
