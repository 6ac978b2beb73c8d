"""The operations of the reference evaluator on values: stack, variables, operators, attributes, text."""

import operator
from types import CellType

from fuzz.evaluator import NULL, NotEvaluated, operation
from platforms.cpython import opcodes

BINARY = {"+": operator.add, "&": operator.and_, "//": operator.floordiv, "<<": operator.lshift, "@": operator.matmul,
          "*": operator.mul, "%": operator.mod, "|": operator.or_, "**": operator.pow, ">>": operator.rshift,
          "-": operator.sub, "/": operator.truediv, "^": operator.xor,
          "+=": operator.iadd, "&=": operator.iand, "//=": operator.ifloordiv, "<<=": operator.ilshift,
          "@=": operator.imatmul, "*=": operator.imul, "%=": operator.imod, "|=": operator.ior, "**=": operator.ipow,
          ">>=": operator.irshift, "-=": operator.isub, "/=": operator.itruediv, "^=": operator.ixor}
COMPARE = {"<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, ">=": operator.ge}
UNARY = {"UNARY_NEGATIVE": operator.neg, "UNARY_POSITIVE": operator.pos, "UNARY_INVERT": operator.invert,
         "UNARY_NOT": operator.not_, "TO_BOOL": bool, "LIST_TO_TUPLE": tuple, "GET_ITER": iter,
         "FORMAT_SIMPLE": lambda value: value if type(value) is str else format(value)}


# -- the stack ----------------------------------------------------------------------------------------


@operation("LOAD_CONST")
def load_const(frame, instruction):
    frame.push(frame.code.co_consts[instruction.argument])


@operation("PUSH_NULL")
def push_null(frame, instruction):
    frame.push(NULL)


@operation("POP_TOP")
def pop_top(frame, instruction):
    frame.pop()


@operation("COPY")
def copy(frame, instruction):
    frame.push(frame.peek(instruction.argument))


@operation("SWAP")
def swap(frame, instruction):
    stack, depth = frame.stack, instruction.argument
    frame.need(depth)
    if depth == 0:
        raise NotEvaluated("a swap with nothing")
    stack[-1], stack[-depth] = stack[-depth], stack[-1]


# -- variables ----------------------------------------------------------------------------------------


def unbound(frame, number):
    name = frame.local_name(number)
    if frame.is_free(number):
        text = f"cannot access free variable {name!r} where it is not associated with a value in enclosing scope"
        raise NameError(text, name=name)
    raise UnboundLocalError(f"cannot access local variable {name!r} where it is not associated with a value")


@operation("LOAD_FAST")
def load_fast(frame, instruction):
    value = frame.locals[instruction.argument]
    if value is NULL:
        unbound(frame, instruction.argument)
    frame.push(value)


@operation("LOAD_FAST_AND_CLEAR")
def load_fast_and_clear(frame, instruction):
    frame.push(frame.locals[instruction.argument])
    frame.locals[instruction.argument] = NULL


@operation("STORE_FAST")
def store_fast(frame, instruction):
    frame.locals[instruction.argument] = frame.pop_any()


@operation("DELETE_FAST")
def delete_fast(frame, instruction):
    if frame.locals[instruction.argument] is NULL:
        unbound(frame, instruction.argument)
    frame.locals[instruction.argument] = NULL


@operation("MAKE_CELL")
def make_cell(frame, instruction):
    value = frame.locals[instruction.argument]
    frame.locals[instruction.argument] = CellType() if value is NULL else CellType(value)


@operation("COPY_FREE_VARS")
def copy_free_vars(frame, instruction):
    closure = frame.function.__closure__ or ()
    if instruction.argument != len(closure):
        raise NotEvaluated("a closure of another length")
    frame.locals[len(frame.locals) - len(closure):] = closure


def cell(frame, instruction):
    """The cell that an instruction is about."""
    found = frame.locals[instruction.argument] if instruction.argument < len(frame.locals) else NULL
    if type(found) is not CellType:
        raise NotEvaluated("a cell that is none")
    return found


@operation("LOAD_CLOSURE")
def load_closure(frame, instruction):
    frame.push(cell(frame, instruction))


@operation("LOAD_DEREF")
def load_deref(frame, instruction):
    try:
        value = cell(frame, instruction).cell_contents
    except ValueError:
        value = NULL
    if value is NULL:
        unbound(frame, instruction.argument)
    frame.push(value)


@operation("STORE_DEREF")
def store_deref(frame, instruction):
    cell(frame, instruction).cell_contents = frame.pop()


@operation("DELETE_DEREF")
def delete_deref(frame, instruction):
    load_deref(frame, instruction)
    frame.pop()
    del cell(frame, instruction).cell_contents


@operation("LOAD_GLOBAL")
def load_global(frame, instruction):
    name = frame.name(instruction)
    for namespace in (frame.function.__globals__, frame.builtins):
        if name in namespace:
            frame.push(namespace[name])
            return
    raise NameError(f"name {name!r} is not defined", name=name)


@operation("STORE_GLOBAL")
def store_global(frame, instruction):
    frame.function.__globals__[frame.name(instruction)] = frame.pop()


@operation("DELETE_GLOBAL")
def delete_global(frame, instruction):
    name = frame.name(instruction)
    if name not in frame.function.__globals__:
        raise NameError(f"name {name!r} is not defined", name=name)
    del frame.function.__globals__[name]


# -- operators ----------------------------------------------------------------------------------------


@operation("BINARY_OP")
def binary_op(frame, instruction):
    left, right = frame.pop_many(2)
    frame.push(BINARY[instruction.argument](left, right))


@operation("COMPARE_OP")
def compare_op(frame, instruction):
    left, right = frame.pop_many(2)
    frame.push(COMPARE[instruction.argument](left, right))


@operation(*UNARY)
def unary(frame, instruction):
    frame.push(UNARY[instruction.operation](frame.pop()))


@operation("IS_OP")
def is_op(frame, instruction):
    left, right = frame.pop_many(2)
    frame.push((left is right) != instruction.argument)


@operation("CONTAINS_OP")
def contains_op(frame, instruction):
    item, container = frame.pop_many(2)
    frame.push((item in container) != instruction.argument)


@operation("BINARY_SUBSCR")
def binary_subscr(frame, instruction):
    container, key = frame.pop_many(2)
    frame.push(container[key])


@operation("STORE_SUBSCR")
def store_subscr(frame, instruction):
    value, container, key = frame.pop_many(3)
    container[key] = value


@operation("DELETE_SUBSCR")
def delete_subscr(frame, instruction):
    container, key = frame.pop_many(2)
    del container[key]


@operation("BINARY_SLICE")
def binary_slice(frame, instruction):
    container, start, stop = frame.pop_many(3)
    frame.push(container[start:stop])


@operation("STORE_SLICE")
def store_slice(frame, instruction):
    value, container, start, stop = frame.pop_many(4)
    container[start:stop] = value


# -- attributes ---------------------------------------------------------------------------------------


@operation("LOAD_ATTR")
def load_attr(frame, instruction):
    frame.push(getattr(frame.pop(), frame.name(instruction)))


@operation("LOAD_METHOD")
def load_method(frame, instruction):
    push_callable(frame, getattr(frame.pop(), frame.name(instruction)))


def push_callable(frame, value):
    """Push what is called next, and the NULL where else a method's object would lie."""
    frame.push(*((NULL, value) if opcodes.NULL_FIRST else (value, NULL)))


@operation("LOAD_SUPER_ATTR")
def load_super_attr(frame, instruction):
    """The lowest bit asks for a NULL beside the attribute, as before a call; the next for super with its arguments."""
    maker, owner, instance = frame.pop_many(3)
    if maker is super or instruction.argument & 2:
        made = maker(owner, instance)
    else:
        made = maker()
    value = getattr(made, frame.name_at(instruction.argument >> 2))
    if instruction.argument & 1:
        push_callable(frame, value)
    else:
        frame.push(value)


@operation("STORE_ATTR")
def store_attr(frame, instruction):
    value, owner = frame.pop_many(2)
    setattr(owner, frame.name(instruction), value)


@operation("DELETE_ATTR")
def delete_attr(frame, instruction):
    delattr(frame.pop(), frame.name(instruction))


# -- text ---------------------------------------------------------------------------------------------

CONVERSIONS = (lambda value: value, str, repr, ascii)


def text(frame):
    value = frame.pop()
    if not issubclass(type(value), str):
        raise NotEvaluated("a format that is no text")
    return value


@operation("FORMAT_VALUE")
def format_value(frame, instruction):
    spec = text(frame) if instruction.argument & 4 else ""
    value = CONVERSIONS[instruction.argument & 3](frame.pop())
    frame.push(value if type(value) is str and not spec else format(value, spec))


@operation("CONVERT_VALUE")
def convert_value(frame, instruction):
    if instruction.argument >= len(CONVERSIONS):
        raise NotEvaluated("an unknown conversion")
    frame.push(CONVERSIONS[instruction.argument](frame.pop()))


@operation("FORMAT_WITH_SPEC")
def format_with_spec(frame, instruction):
    spec = text(frame)
    frame.push(format(frame.pop(), spec))


@operation("BUILD_STRING")
def build_string(frame, instruction):
    frame.push("".join(frame.pop_many(instruction.argument)))
