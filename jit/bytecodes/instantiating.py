"""Calls of Python classes: the instance is made by ``object.__new__``'s C function, and ``__init__`` is called directly.

Source: CPython Objects/typeobject.c (type_call, object_new, slot_tp_init).
"""

from jit import receivers
from jit.bytecodes import operands
from jit.decode import VARARGS, VARKEYWORDS, decode
from jit.foreign import Call, blind_vectorcall
from jit.inlining import initialiser_candidate, inline
from jit.machine import simple_classes
from jit.templates.attributes import Place
from jit.templates.instances import LONGEST_TUPLE, filled_template
from jit.types import NONE, NULL, OBJECT, PENDING, instance_of
from jit.unit import looked_up
from jit.values import Value
from platforms.cpython import instances
from platforms.cpython.layout import layout

#: The global by which named tuples' ``__new__`` knows ``tuple.__new__``.
MAKER = "_tuple_new"
_SILENT = frozenset({"RESUME", "PUSH_NULL", "NOP"})
#: Builtin types of which classes are derived.
CONTAINERS = (list, dict, set)


def instantiate(w, callee, arguments, names, depth):
    """``kind(arguments)``, the operands being on the stack; NotImplemented if the class does more than these two things."""
    from jit.bytecodes import calls
    kind = callee.constant
    tag = receivers.version_tag(kind)
    maker = plain_maker(kind)
    if w.inlined or not tag:
        return NotImplemented
    simple_classes.note(kind, tag)
    if maker is None and make_named_tuple(w, callee, arguments, names, depth):
        return None
    if maker is None:
        return make_empty(w, callee, depth) if not arguments and derives_plainly(kind) else NotImplemented
    initialiser = receivers.class_attribute(kind, "__init__")
    made = w.value(OBJECT, instance_of(kind))
    if initialiser is object.__init__:
        if arguments:
            return NotImplemented
        make(w, callee, maker, made)
        operands.take_operands(w, depth)
        w.push(made)
        return None
    if not receivers.is_function(initialiser):
        return NotImplemented
    ordered = calls.fitting_arguments(w, initialiser, [made, *arguments], names)
    if ordered is not None and make_filled(w, callee, maker, initialiser, ordered, depth):
        return None
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


def derives_plainly(kind):
    """Whether instances of a class are made, when it is called without arguments, by what a builtin container's are made by, and nothing else."""
    if type(kind) is not type or not instances.flags(kind) & instances.HEAP_TYPE or instances.flags(kind) & instances.ABSTRACT:
        return False
    fields = layout()
    return any(all(instances.slot_function(kind, field) == instances.slot_function(base, field) for field in (fields.type_new, fields.type_init))
               for base in CONTAINERS)


def make_empty(w, callee, depth):
    """Let the class's C functions make an instance; they run no foreign code."""
    w.before_effect(rebinds=False)
    w.operation("guard_tag", callee, detail=receivers.version_tag(callee.constant))
    w.freeze()
    w.state.stack[-depth:] = w.null, callee
    return blind_vectorcall(w, Call("PyObject_Vectorcall", vector=True), depth, OBJECT, instance_of(callee.constant))


def make_named_tuple(w, callee, arguments, names, depth):
    """Let the operands be replaced by a named tuple of the arguments; False if the class, or its ``__new__``, is not as `namedtuple` makes it."""
    kind = callee.constant
    function = maker_of_named_tuple(kind)
    if function is None:
        return False
    ordered = w.unit.match_arguments(w, function, [callee, *arguments], names)
    if ordered is None or any(value.__class__ is not Value or value.type in (NULL, PENDING) for value in ordered) or len(ordered) > LONGEST_TUPLE:
        return False
    space = function.__globals__
    w.unit.depend(space, MAKER, tuple.__new__)
    w.unit.rely_on_code(function)
    w.operation("guard_levels", detail=1, exit=w.exit("recursion limit"))
    w.before_effect(rebinds=False)
    w.operation("guard_tag", callee, detail=receivers.version_tag(kind))
    w.freeze()
    given = w.state.stack[-depth:]
    values = [w.constant_object(value) if value.is_constant and value.type.unboxed else value for value in ordered[1:]]
    places = [Place(offset=layout().tuple_items + 8 * number) for number in range(len(values))]
    made = w.operation_of(filled_template(len(values)), [callee, *values], exit=w.exit_here("exception"), mismatch=w.exit("instances have no values"),
                          detail=(len(values), places), kind=OBJECT, shape=instance_of(kind))
    del w.state.stack[-depth:]
    w.push(made)
    w.state.owned |= {made}
    w.release(*dict.fromkeys(given))
    return True


def maker_of_named_tuple(kind):
    """The function ``__new__`` of a class that makes its instances, and nothing else, by ``_tuple_new(_cls, (field, ...))``; or None.

    Source: CPython Lib/collections/__init__.py (namedtuple).
    """
    fields = layout()
    if type(kind) is not type or instances.flags(kind) & instances.ABSTRACT or instances.dict_offset(kind) or \
            instances.flags(kind) & instances.MANAGED_DICT or instances.basic_size(kind) != instances.basic_size(tuple) or \
            not any(base is tuple for base in instances.bases(kind)) or \
            instances.slot_function(kind, fields.type_init) != instances.slot_function(tuple, fields.type_init):
        return None
    function = receivers.class_attribute(kind, "__new__")
    function = function.__func__ if type(function) is staticmethod else None
    if not receivers.is_function(function) or type(function.__globals__) is not dict or looked_up(function.__globals__, MAKER) is not tuple.__new__:
        return None
    code = function.__code__
    count = code.co_argcount - 1
    if code.co_names != (MAKER,) or code.co_flags & (VARARGS | VARKEYWORDS) or code.co_kwonlyargcount or code.co_nlocals != count + 1 or count < 0:
        return None
    done = [(instruction.operation, instruction.argument) for instruction in decode(code) if instruction.operation not in _SILENT]
    wanted = [("LOAD_FAST", number) for number in range(count + 1)]
    if done[0][0] != "LOAD_GLOBAL" or done[1:count + 2] != wanted:
        return None
    return function if [operation for operation, _ in done[count + 2:]] == ["BUILD_TUPLE", "CALL", "RETURN_VALUE"] and done[count + 2][1] == count else None


def make(w, callee, maker, made):
    """Emit the guard of the class and the making of the instance, whose reference is ours."""
    w.before_effect(rebinds=False)
    w.operation("guard_tag", callee, detail=receivers.version_tag(callee.constant))
    w.freeze()
    template = w.make("new_instance", (callee,), exit=w.exit_here("exception"), detail=maker)
    template.results.append(made)
    made.block = w.block
    w.block.operations.append(template)
    w.state.owned |= {made}


def make_filled(w, callee, maker, initialiser, ordered, depth):
    """Make the instance with all that a simple ``__init__`` puts into it, in one operation; False if it is not so simple.

    What ``__init__`` calculates is calculated before there is an instance, so that whatever fails leaves before the call.
    """
    kind = callee.constant
    instructions = initialiser_candidate(w.unit, initialiser)
    if instructions is None or not simple_classes.is_simple(kind):
        return False
    w.freeze()
    given, stores = w.state.stack[-depth:], []
    block, length, receivers_before, transient = w.block, len(w.block.operations), dict(w.state.receivers), w.state.transient
    result = inline(w, initialiser, instructions, [w.constant(None), *ordered[1:]], stores)
    places = None if result is None or result.constant is not None or not result.is_constant else places_of(w, kind, stores, given)
    if places is None:
        del block.operations[length:]
        w.state.receivers, w.state.transient = receivers_before, transient
        return False
    w.unit.rely_on_code(initialiser)
    w.before_effect(rebinds=False)
    w.operation("guard_tag", callee, detail=receivers.version_tag(kind))
    w.freeze()
    values = [w.constant_object(value) if value.is_constant and value.type.unboxed else value for _, value in stores]
    made = w.operation_of(filled_template(len(values)), [callee, *values], exit=w.exit_here("exception"), mismatch=w.exit("instances have no values"),
                          detail=(maker, places), kind=OBJECT, shape=instance_of(kind))
    del w.state.stack[-depth:]
    w.push(made)
    w.state.owned |= {made}
    w.release(*dict.fromkeys(given))
    return True


def places_of(w, kind, stores, given):
    """Where a new instance keeps the attributes that are set; None if one is not plainly kept, or what is set might die before.

    Args:
        given: operands of the call, which hold what they hold until it has ended.
    """
    names, roots = [name for name, _ in stores], [value.home or value for value in given]
    if len(set(names)) != len(names):
        return None
    places = []
    for name, value in stores:
        meaning = receivers.find_for_store(kind, name)
        held = value.type.unboxed or value.is_constant or (value.home or value) in roots
        if meaning is None or meaning.how not in ("value", "slot") or not held or value.type in (NULL, PENDING):
            return None
        places.append(Place(offset=meaning.place) if meaning.how == "slot" else Place(number=meaning.place, size=instances.basic_size(kind)))
    return places


def initialise(w, ordered, target, made, depth):
    """Call ``__init__``; the new instance lies below the operands meanwhile, and is what is left of them."""
    w.state.stack[-depth] = made
    w.hold_mortals()
    operands.hold(w, target, ordered)
    throw = w.exit_here("exception")
    consumed = operands.take_operands(w, depth - 1)
    after = w.exit_after("__init__ left its compiled code")
    result = operands.call_body(w, ordered, operands.BodyCall(target, consumed, initialises=True), throw, after)
    w.state.owned |= {result}
    w.drop(result)
    operands.drop_consumed(w, consumed)
