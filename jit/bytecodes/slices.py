"""Slices: where the bounds are ints or absent, the container's own routine takes them as machine numbers; else a slice object is made.

``BUILD_SLICE`` and the subscript right behind it are walked as one, and so is ``a[i:j] = b[k:l]`` between lists where only numbers are
computed in between: then no list is made for what is only moved.
"""

from jit.bytecodes.containers import container_of
from jit.foreign import Call, blind_call, callout
from jit.templates.slices import ABSENT, GIVEN, bounds, slice_template
from jit.types import BOOL, INT, LIST, NONE, OBJECT, STR, TUPLE, Shape, exact
from jit.values import Value
from jit.walk import HANDLERS, bytecode

_ROUTINES = {LIST: "list_slice", TUPLE: "tuple_slice", STR: "text_slice"}
_ENDS = ("BUILD_SLICE", "STORE_SUBSCR", "STORE_SLICE")
#: How many instructions may lie between the two slices of ``a[i:j] = b[k:l]``.
LONGEST_GROUP = 16


class Bounds:
    """Of a slice: `start` and `stop`, each a Value or None; `step`, a number that is not 0."""

    __slots__ = ("start", "stop", "step")

    def __init__(self, start, stop, step=1):
        self.start, self.stop, self.step = start, stop, step

    def values(self):
        return [bound for bound in (self.start, self.stop) if bound is not ABSENT]

    def parts(self):
        return bounds(self.start, self.stop, self.step)


def _is_bound(value):
    return value.__class__ is Value and value.type in (INT, BOOL, NONE)


def bounds_of(items):
    """The Bounds that stack items (start, stop, step if there is one) stand for, or None."""
    if not all(map(_is_bound, items)):
        return None
    start, stop = (None if value.type is NONE else value for value in items[:2])
    step = 1
    if len(items) == 3 and items[2].type is not NONE:
        if not items[2].is_constant or not items[2].constant:
            return None
        step = int(items[2].constant)
    return Bounds(start, stop, step)


def may_continue(w, index):
    """Whether the instruction at `index` may be walked as one with those before it."""
    return w.inside(index) and not w.inlined and w.instructions[index].executing not in w.unit.handlers_missed


def continue_as_one(w):
    """Go on to the next instruction as a part of the present one."""
    w.freeze()
    w.group = w.group or w.instruction
    w.index += 1
    w.instruction = w.instructions[w.index]


@bytecode("BUILD_SLICE")
def build_slice(w, instruction):
    count = 3 if instruction.argument == 3 else 2
    w.require(count)
    items = w.state.stack[-count:]
    found = bounds_of(items)
    following = w.instructions[w.index + 1].operation
    if found is not None and may_continue(w, w.index + 1) and len(w.state.stack) > count:
        if following == "BINARY_SUBSCR" and sliceable(w, w.peek(count + 1), found, w.index + 1):
            continue_as_one(w)
            return load_slice(w, found, count)
        if following == "STORE_SUBSCR" and len(w.state.stack) > count + 1 and may_store(w, w.peek(count + 1), w.peek(count + 2), found):
            continue_as_one(w)
            return store_slice_at(w, found, count)
    return make_slice(w, count)


def make_slice(w, count):
    """A slice object of the top `count` stack items."""
    plain = all(map(_is_bound, w.state.stack[-count:]))
    w.freeze()
    if count == 2:
        w.push(w.constant(None))
    ended = blind_call(w, "PySlice_New", 3, exact(slice))
    if not ended and plain:
        w.peek().facts = "plain"
    return ended


@bytecode("BINARY_SLICE")
def binary_slice(w, instruction):
    """``a[i:j]`` of 3.12 and later; stack: container, start, stop."""
    w.require(3)
    found = bounds_of(w.state.stack[-2:])
    container = container_of(w, w.peek(3))
    if found is not None and not w.inlined and sliceable(w, container, found, w.index):
        return load_slice(w, found, 2)
    ended = make_slice(w, 2)
    if ended:
        return ended
    return callout(w, Call("PyObject_GetItem"), 2)


@bytecode("STORE_SLICE")
def store_slice(w, instruction):
    """3.12 and later. Stack: value, container, start, stop."""
    w.require(4)
    if any(item.__class__ is not Value for item in w.state.stack[-4:]):
        return w.leave("an iterator is stored")
    found = bounds_of(w.state.stack[-2:])
    container = container_of(w, w.peek(3))
    if found is not None and not w.inlined and may_store(w, container, w.peek(4), found):
        return store_slice_at(w, found, 2)
    ended = make_slice(w, 2)
    if ended:
        return ended
    stack = w.state.stack
    stack[-3], stack[-2], stack[-1] = stack[-2], stack[-1], stack[-3]
    return callout(w, Call("PyObject_SetItem", failure=-1, has_result=False), 3)


def sliceable(w, container, found, index):
    """Whether a routine takes this slice of the container; the type may have been seen at the subscript at `index`, but is not guarded here."""
    if container.__class__ is not Value:
        return False
    kind = container.type
    if kind is OBJECT and not container.is_constant:
        seen = w.seen("container", "container", w.instructions[index])
        python = container.shape.type.python if container.shape is not None else None
        if seen:
            python = next(iter(seen)) if len(seen) == 1 else None
        kind = {list: LIST, tuple: TUPLE, str: STR}.get(python)
    return kind is LIST or kind in _ROUTINES and found.step == 1


def may_store(w, container, value, found):
    """Whether the items of `value` can take the place of a list's without a slice object."""
    return container.__class__ is Value and container.type is LIST and value.__class__ is Value and value.type in (LIST, TUPLE) and \
        found.step == 1


def load_slice(w, found, count):
    """Stack: container, and `count` items that make up the Bounds."""
    container = container_of(w, w.peek(count + 1))
    if container.type is LIST and move(w, container, found, count):
        return None
    return copy_slice(w, container, container.type, found, count)


def copy_slice(w, container, kind, found, count):
    """Stack: container, proven to be a `kind` or derived from it, and `count` items that make up the Bounds -> its items between them."""
    w.before_effect(rebinds=False)
    w.freeze()
    throw = w.exit_here("exception")
    arguments = [container, *found.values()]
    routine = _ROUTINES[kind]
    parts = (GIVEN, *found.parts())
    shape = None if kind is STR else Shape(kind, container.shape and container.shape.element)
    made = w.operation_of(slice_template("slice", len(arguments)), arguments, exit=throw, detail=(routine, parts), kind=kind, shape=shape)
    del w.state.stack[-count - 1:]
    w.push(made)
    w.state.owned |= {made}
    w.release(container)
    return None


def store_slice_at(w, found, count):
    """Stack: value, container, and `count` items that make up the Bounds. What held the old items is dropped last."""
    value, container = w.peek(count + 2), w.peek(count + 1)
    shape = container.shape
    if shape is not None and shape.element is None and value.shape is not None:
        shape.element = value.shape.element
    w.before_effect()
    w.freeze()
    throw = w.exit_here("exception")
    parts = (GIVEN, *found.parts()[:2], GIVEN)
    arguments = [container, *found.values(), value]
    old = w.operation_of(slice_template("store_slice", len(arguments)), arguments, exit=throw, detail=("store_slice", parts), kind=OBJECT)
    del w.state.stack[-count - 2:]
    drop_old(w, old)
    w.release(value, container)
    return None


def drop_old(w, old):
    w.state.owned |= {old}
    w.drop(old)


# -- a[i:j] = b[k:l] ----------------------------------------------------------------------------------------


def move(w, source, found, count):
    """Walk on to the store if all that is loaded here goes into a slice of a list; False if it does not."""
    end = end_of_move(w)
    if end is None or w.knowledge.observed.get((w.instruction.site, "moved")):
        return False
    site = w.instruction.site, "moved"
    w.freeze()
    w.group = w.group or w.instruction
    del w.state.stack[-count - 1:]
    depth = len(w.state.stack)
    while w.index + 1 < end:
        w.index += 1
        w.instruction = w.instructions[w.index]
        HANDLERS[w.instruction.operation](w, w.instruction)
    if w.instructions[end].operation == "BUILD_SLICE":
        end += 1
    w.index = end
    w.instruction = w.instructions[end]
    target, *items = w.state.stack[depth:]
    w.state.stack[depth:] = [source, target]
    exchange(w, target, bounds_of(items), source, found, site)
    w.release(source, target)
    return True


def exchange(w, target, place, source, found, site):
    """Stack: source, target; they are popped."""
    w.before_effect()
    differ = w.exit("slices of different sizes", observe=source)
    differ.site = site
    del w.state.stack[-2:]
    arguments = [target, *place.values(), source, *found.values()]
    parts = (GIVEN, *place.parts()[:2], GIVEN, *found.parts())
    old = w.operation_of(slice_template("move_slice", len(arguments)), arguments, exit=differ, detail=("move_slice", parts), kind=OBJECT)
    drop_old(w, old)


def end_of_move(w):
    """Index of the BUILD_SLICE or STORE_SLICE in which the list loaded here is stored, if nothing but numbers is computed before; or None."""
    types = []
    for index in range(w.index + 1, w.index + LONGEST_GROUP):
        if not may_continue(w, index):
            return None
        instruction = w.instructions[index]
        operation = instruction.operation
        if operation in _ENDS:
            return index if _stores(w, index, types) else None
        if operation == "LOAD_FAST":
            value = w.state.locals[instruction.argument]
            known = value.__class__ is Value and w.state.bound[instruction.argument] is True
            types.append(value.type if known else None)
        elif operation == "LOAD_CONST":
            types.append(w.constant(w.unit.code.co_consts[instruction.argument]).type)
        elif operation == "BINARY_OP" and instruction.argument in ("+", "-", "*") and types[-2:] == [INT, INT]:
            types.pop()
        else:
            return None
    return None


def _stores(w, index, types):
    """Whether the instruction at `index` ends ``list[start:stop] =`` with operands of these types."""
    instruction = w.instructions[index]
    if len(types) < 3 or types[0] is not LIST or any(kind not in (INT, BOOL, NONE) for kind in types[1:]):
        return False
    if instruction.operation == "STORE_SLICE":
        return len(types) == 3
    return instruction.operation == "BUILD_SLICE" and instruction.argument == 2 and len(types) == 3 and may_continue(w, index + 1) and \
        w.instructions[index + 1].operation == "STORE_SUBSCR"
