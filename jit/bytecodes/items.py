"""What is read from a container: its probable type, and the guarded load.

Families ``<prefix>_int``, ``_float``, ``_bool``, ``_exact``, ``_object`` exist for every way of reading a pointer out of a
list, tuple or cell; ``_byte`` for bytes and bytearray.
"""

from jit.types import BOOL, BOOL_OBJECT, FLOAT, FLOAT_OBJECT, INT, INT_OBJECT, MIXED, NONE, OBJECT, STATIC, TUPLE, UNBOXED, ClassReference, Shape, exact, instance_of

_SUFFIX = {INT: "_int", FLOAT: "_float", BOOL: "_bool"}


class Built:
    """Facts of a tuple that was made in this function: its `items`, Values. They live as long as the tuple does."""

    __slots__ = ("items",)

    def __init__(self, items):
        self.items = items

    def borrow(self, w, places):
        """The Values at some places, in the state's care."""
        chosen = [self.items[place] for place in places]
        state = w.state
        state.transient |= {value for value in chosen
                            if value.type.is_object and not value.permanent and value not in state.owned}
        return chosen


def element_guess(w, shape, site):
    """(Type, Shape) the next item probably has: what was observed here, else what the container's shape says."""
    seen = w.knowledge.observed.get(site)
    element = None if shape is None else shape.element
    if seen:
        if seen == {int, float}:
            return OBJECT, Shape(MIXED)
        if len(seen) > 1:
            return OBJECT, None
        kind = next(iter(seen))
        if kind in UNBOXED:
            return UNBOXED[kind], None
        if kind in STATIC and kind is not type(None):
            known = element if element is not None and element.type.python is kind else None
            return exact(kind), known
        python_class = kind.kind() if kind.__class__ is ClassReference else None
        return OBJECT, None if python_class is None else instance_of(python_class)
    if element is None:
        return OBJECT, None
    if element.type is MIXED:
        return OBJECT, element
    if element.type is NONE:
        # Where nothing is yet, something will be.
        return OBJECT, None
    if element.type in (INT_OBJECT, FLOAT_OBJECT, BOOL_OBJECT):
        return UNBOXED[element.type.python], None
    return (element.type if element.type.buffer is None else exact(element.type.python)), element


#: What may stand between the load of an item and its store: items taken from the stack, items put there.
_STACK_EFFECTS = {"LOAD_FAST": (0, 1), "LOAD_CONST": (0, 1), "BINARY_OP": (2, 1), "BINARY_SUBSCR": (2, 1)}


_COMPUTING = frozenset({"BINARY_OP", "COMPARE_OP", "UNARY_NEGATIVE"})


def only_stored(w):
    """Whether the item that the current instruction pushes goes, untouched, into a subscript: ``a[i], a[j] = a[j], a[i]``.

    Then it is moved as the object it is, instead of being unboxed and boxed.
    """
    depth = 0  # items above ours
    index = w.index + 1
    while w.inside(index) and index < w.index + 16:
        instruction = w.instructions[index]
        operation = instruction.operation
        if operation == "STORE_SUBSCR":
            if depth <= 2:
                return depth == 2
            depth -= 3
        elif operation == "SWAP":
            if instruction.argument == depth + 1:
                depth = 0
            elif depth == 0:
                depth = instruction.argument - 1
        elif operation in _STACK_EFFECTS:
            taken, put = _STACK_EFFECTS[operation]
            if taken > depth:
                return False
            depth += put - taken
        else:
            return False
        index += 1
    return False


def computed_with(w, local):
    """Whether the function loads a local and computes with it, or compares it, right then."""
    key = id(w.instructions)  # the unit holds the instructions, its own and those of inlined functions
    if key not in w.computed:
        w.computed[key] = _computed_locals(w.instructions)
    return local in w.computed[key]


def _computed_locals(instructions):
    """The locals that are loaded to be computed with, or compared, right then."""
    found = set()
    for index, instruction in enumerate(instructions):
        if instruction.operation == "LOAD_FAST":
            for following in instructions[index + 1:index + 3]:
                if following.operation in _COMPUTING:
                    found.add(instruction.argument)
                if following.operation not in ("LOAD_FAST", "LOAD_CONST"):
                    break
    return found


def take(w, prefix, arguments, container, shape, detail=None, role="item"):
    """Emit the guarded read of one item; returns its Value.

    Args:
        prefix: template family prefix. arguments: Values it reads. container: Python type read from.
        shape: of the container. detail: for the templates, the container if None. role: names the place within the instruction.
    """
    site = (w.instruction.site, role)
    detail = container if detail is None else detail
    if container in (bytes, bytearray):
        item = w.operation(prefix + "_byte", *arguments, detail=detail)
        item.facts = "nonnegative"
        return item
    kind, item_shape = element_guess(w, shape, site)
    if kind in _SUFFIX and only_stored(w):
        kind, item_shape = OBJECT, shape.element if shape is not None else None
    if kind is OBJECT:
        item = w.operation(prefix + "_object", *arguments, detail=detail, shape=item_shape)
        return borrow(w, item, arguments)
    mismatch = w.mismatch_exit(f"item is no {kind.name}", site)
    if kind in _SUFFIX:
        return w.operation(prefix + _SUFFIX[kind], *arguments, detail=detail, mismatch=mismatch)
    item = w.operation(prefix + "_exact", *arguments, detail=(detail, kind.python), mismatch=mismatch, kind=kind,
                       shape=item_shape)
    return borrow(w, item, arguments)


def borrow(w, item, arguments):
    """An item is borrowed until the next effect; one of a tuple that outlives the activation, as long as that."""
    if arguments and arguments[0].type is TUPLE and arguments[0].permanent and not arguments[0].mortal:
        item.permanent = True
    else:
        w.state.transient |= {item}
    return item
