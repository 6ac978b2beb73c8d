"""Attributes that are read: of modules, of builtin types, and of instances of Python classes by the class's version tag.

Which classes the owner may be of is known from the arguments that are compiled for, or noted at run time. Up to four are told apart;
another one leaves. What is found in an instance is borrowed from it until the next effect.
"""

from types import MethodDescriptorType, ModuleType, WrapperDescriptorType

from jit import profiles, receivers
from jit.bytecodes.bound import Bound, BoundMethod
from jit.bytecodes.classes import class_of_interpreter, example_of, guard_classes, meanings, on_class, settle_class
from jit.bytecodes.fixed_types import fixed_method, interned
from jit.bytecodes.guards import probably
from jit.bytecodes.items import take
from jit.foreign import Call, blind_call, callout
from jit.holding import is_reliable
from jit.templates.attributes import Place
from jit.types import MIXED, OBJECT, STATIC, Shape, is_class, shape_of
from jit.values import Value
from jit.walk import bytecode
from platforms.cpython import instances, opcodes
from platforms.cpython.layout import layout

#: Meanings of what instances keep themselves.
STORED = frozenset({"value", "slot", "dict", "item"})
#: Types whose methods are looked up while compiling.
_BUILTIN = tuple(STATIC)


@bytecode("LOAD_ATTR")
def load_attr(w, instruction):
    name = w.unit.code.co_names[instruction.argument]
    owner = w.peek()
    if owner.__class__ is not Value:
        return w.leave("attribute of an iterator")
    owner = settle_class(w, 1)
    itself = owner.known or owner
    known = module_attribute(w, itself, name) or class_attribute(w, itself, name)
    if known is not None:
        w.pop()
        w.push(known)
        return None
    groups = meanings(w, owner, name)
    if not groups:
        return get_attribute(w, name, bound_builtin(owner, name))
    return on_class(w, owner, groups, lambda choice: push_attribute(w, owner, name, choice))


class BoundBuiltin:
    """Facts of a builtin method object: `method`, a descriptor, and the `type` and `shape` of what it is bound to."""

    __slots__ = ("method", "type", "shape")

    def __init__(self, method, type, shape):
        self.method, self.type, self.shape = method, type, shape


def bound_builtin(owner, name):
    """What will be known of ``items.append``, or None."""
    method = receivers.class_attribute(owner.type.python, name) if owner.type.python in STATIC and not owner.is_constant else None
    return BoundBuiltin(method, owner.type, owner.shape) if type(method) is type(list.append) else None


def bound_to(w, value):
    """What a builtin method object is bound to; it lives as long as that."""
    facts = value.facts
    return w.operation("bound_to", value, kind=facts.type, shape=facts.shape)


def get_attribute(w, name, facts=None, symbol="PyObject_GetAttr"):
    """By a C function, or a routine of ours."""
    w.freeze()
    w.push(w.constant(name))
    ended = callout(w, Call(symbol), 2)
    if not ended:
        w.peek().facts = facts
    return ended


def module_attribute(w, owner, name):
    """The constant Value of ``module.name``, guarded by the module's class and dictionary, or None."""
    if owner.is_constant and type(owner.constant) is ModuleType:
        module = owner.constant
        namespace = ModuleType.__dict__["__dict__"].__get__(module)
        if name in namespace and type(name) is str and not receivers.is_data_descriptor(receivers.class_attribute(ModuleType, name)):
            value = namespace[name]
            if not is_reliable(value):
                return None
            w.unit.keep(module)
            w.unit.depend_word(id(module) + layout().ob_type, id(ModuleType))
            w.unit.depend(namespace, name, value)
            return w.constant(value)
    return None


def class_attribute(w, owner, name):
    """The constant Value of ``Class.name``, guarded by the version tags of the class and its metaclass, or None."""
    if not is_plain_class(owner, name):
        return static_attribute(w, owner, name)
    meaning = receivers.of_class(receivers.class_attribute(owner.constant, name))
    if meaning is None or meaning.how not in ("method", "constant") or not guard_tag(w, owner):
        return None
    return class_constant(w, meaning.place)


def static_attribute(w, owner, name):
    """``int.__repr__``: methods of types written in C, which do not change, are themselves where they are asked of the type."""
    if not owner.is_constant or type(owner.constant) is not type or owner.constant not in STATIC or \
            receivers.is_data_descriptor(receivers.class_attribute(type, name)):
        return None
    found = receivers.class_attribute(owner.constant, name)
    return w.constant(found) if type(found) in (WrapperDescriptorType, MethodDescriptorType) else None


def is_plain_class(owner, name):
    """Whether a Value is a known Python class, and its metaclass leaves the look-up of this attribute to `type`."""
    if not owner.is_constant:
        return False
    made = type(owner.constant)
    if not is_class(owner.constant) or not instances.flags(owner.constant) & instances.HEAP_TYPE:
        return False
    return receivers.class_attribute(made, "__getattribute__") is type.__getattribute__ and \
        not receivers.is_data_descriptor(receivers.class_attribute(made, name))


def class_method(w, owner, name):
    """The function of ``Class.name``, a class method, guarded by the class's version tag, or None."""
    if not is_plain_class(owner, name):
        return None
    found = receivers.class_attribute(owner.constant, name)
    if type(found) is not classmethod or not receivers.is_function(found.__func__) or not guard_tag(w, owner):
        return None
    return found.__func__


def guard_tag(w, owner):
    """Guard that a class and its metaclass are as they are now; False if one has no version tag."""
    made = type(owner.constant)
    tags = [(owner, receivers.version_tag(owner.constant))]
    if instances.flags(made) & instances.HEAP_TYPE:
        tags.append((w.constant(made), receivers.version_tag(made)))
    if any(not tag for _, tag in tags):
        return False
    for kind, tag in tags:
        w.operation("guard_tag", kind, detail=tag)
    return True


@bytecode("LOAD_METHOD")
def load_method(w, instruction):
    """Push (method, self) for a method of a builtin type or of a Python class, as CPython does, else (NULL, bound attribute)."""
    name = w.unit.code.co_names[instruction.argument]
    owner = w.peek()
    if owner.__class__ is not Value:
        return w.leave("method of an iterator")
    owner = settle_class(w, 1)
    itself = owner.known or owner
    known = module_attribute(w, itself, name) or class_attribute(w, itself, name)
    if known is not None:
        w.pop()
        push_callable(w, known)
        return None
    function = class_method(w, itself, name)
    if function is not None:
        return push_bound(w, function, owner)
    groups = meanings(w, owner, name)
    if groups:
        return on_class(w, owner, groups, lambda choice: push_method(w, owner, name, choice))
    owner = probably_builtin(w, owner)
    method = receivers.class_attribute(owner.type.python, name) if owner.type.python in STATIC else fixed_method(w, owner, name)
    if type(method) is MethodDescriptorType:
        return push_bound(w, method, owner)
    return put_callable(w, lambda: get_attribute(w, name, symbol="method_to_call"))


def push_bound(w, function, owner):
    """Stack: owner -> (function, self)."""
    w.pop()
    w.push(w.constant(function))
    w.push(owner)


def probably_builtin(w, owner):
    """`owner` with its type proven, if it has been seen to be of one builtin type."""
    if owner.type is not OBJECT or owner.is_constant:
        return owner
    if not w.seen("owner"):
        told = class_of_interpreter(w)
        if any(told is kind for kind in _BUILTIN):
            w.knowledge.observed[w.instruction.site, "owner"] = {told}
    return probably(w, owner, _BUILTIN, "owner")


def push_callable(w, value):
    """Push a callable without self, NULL where this version's calls want it."""
    if opcodes.NULL_FIRST:
        w.push(w.null)
        w.push(value)
    else:
        w.push(value)
        w.push(w.null)


def put_callable(w, put_attribute):
    """Let an attribute take its owner's place on top of the stack, with a NULL beside it: also where the interpreter goes on behind the instruction."""
    if opcodes.NULL_FIRST:
        w.state.stack.insert(len(w.state.stack) - 1, w.null)
        return put_attribute()
    w.null_above = True
    try:
        ended = put_attribute()
    finally:
        w.null_above = False
    if not ended:
        w.push(w.null)
    return ended


# -- reading ------------------------------------------------------------------------------------------------

def push_attribute(w, owner, name, choice):
    """Stack: owner -> the attribute."""
    receiver, meaning = choice
    if meaning.how in STORED:
        return replace_owner(w, owner, stored_value(w, owner, receiver, meaning, name))
    guard_keys(w, owner, receiver, meaning, name)
    if meaning.how == "builtin":
        return bind_builtin(w, owner, name, meaning.place)
    if meaning.how == "constant":
        return replace_owner(w, owner, class_constant(w, meaning.place))
    if meaning.how == "property":
        from jit.bytecodes.calls import direct_call
        done = direct_call(w, meaning.place, [owner], (), 1)
        return get_attribute(w, name) if done is NotImplemented else done
    w.freeze()
    if meaning.how == "class method":
        w.push(w.constant(meaning.place))
        w.push(w.constant(receiver.kind))
        return blind_call(w, "PyMethod_New", 2, OBJECT) or replace_owner(w, owner, w.pop())
    push_bound(w, meaning.place, owner)
    ended = blind_call(w, "PyMethod_New", 2, OBJECT)
    if not ended:
        w.peek().facts = BoundMethod(meaning.place)
    return ended


def bind_builtin(w, owner, name, method):
    """Stack: owner -> a builtin base's method bound to it."""
    w.freeze()
    w.push(w.constant(name))
    ended = blind_call(w, "PyObject_GetAttr", 2, OBJECT)
    if not ended:
        w.peek().facts = Bound(method, owner)
    return ended


def push_method(w, owner, name, choice):
    """Stack: owner -> (method, self), or (NULL, attribute)."""
    receiver, meaning = choice
    if meaning.how in ("method", "builtin"):
        guard_keys(w, owner, receiver, meaning, name)
        return push_bound(w, meaning.place, owner)
    if meaning.how == "class method":
        guard_keys(w, owner, receiver, meaning, name)
        w.freeze()
        w.pop()
        w.push(w.constant(meaning.place))
        w.push(w.constant(receiver.kind))
        w.release(owner)
        return None
    return put_callable(w, lambda: push_attribute(w, owner, name, choice))


def replace_owner(w, owner, value):
    w.freeze()
    w.pop()
    w.push(value)
    w.release(owner)


def guard_keys(w, owner, receiver, meaning, name):
    """Make sure that the instance has no attribute of its own that comes before the class's."""
    if meaning.keys is not None:
        absence = profiles.absence(receiver.kind, name, example_of(owner, receiver.kind))
        for _, _, _, other in absence.probes if absence is not None else ():
            w.unit.keep(other)
        w.operation("guard_values", owner, detail=(instances.basic_size(receiver.kind), interned(w, name), absence))


def class_constant(w, item):
    value = w.constant(item)
    if value.shape is None and value.type.is_object:
        value.shape = shape_of(item)
    return value


def stored_value(w, owner, receiver, meaning, name):
    """The Value of what an instance keeps."""
    if meaning.how == "item":
        return take(w, "item", (owner, w.constant(meaning.place)), tuple, owner.shape, role="attribute")
    example = example_of(owner, receiver.kind)
    found, item = False, None
    if example is not None:
        if meaning.how == "dict":
            found, item = instances.dict_attribute(example, name)
        else:
            read = instances.attribute if meaning.how == "value" else instances.slot_value
            found, item = read(example, meaning.place)
        if not profiles.is_known(receiver.kind):
            profiles.note(example)
        if found:
            profiles.note_attribute(receiver.kind, name, item)
    shape = profiles.guess(receiver.kind, name)
    if item is not None and (shape is None or shape.type is not MIXED):
        shape = shape_of(item)
    return take(w, "attribute", (owner,), object, Shape(OBJECT, shape), place_of(w, owner, receiver, meaning, name), "attribute")


def kept_attribute(w, owner, name, among=None):
    """The Value of an attribute that instances keep themselves, alike in all classes that were seen, which are guarded here; None if it is not so.

    Args:
        among: None, or a class: only those derived from it count, for the owner is known to be of one.
    """
    kept = guard_kept(w, owner, name, among)
    return stored_value(w, owner, *kept[0], name) if kept else None


def guard_kept(w, owner, name, among=None):
    """[(Receiver, Attribute)] of the classes of `kept_attribute`, guarded; or None."""
    if owner.__class__ is not Value or owner.type is not OBJECT or owner.is_constant and among is None:
        return None
    groups = [[pair for pair in group if among is None or any(base is among for base in instances.bases(pair[0].kind))] for group in meanings(w, owner, name)]
    groups = [group for group in groups if group]
    if len(groups) != 1 or groups[0][0][1].how not in STORED:
        return None
    kinds = [receiver.kind for receiver, _ in groups[0]]
    known = w.state.receivers.get(owner)
    if known is None or len(known) > len(kinds):
        w.state.receivers.pop(owner, None)
        if not guard_classes(w, owner, kinds):
            return None
    return groups[0]


def place_of(w, owner, receiver, meaning, name, in_dict=False):
    if meaning.how == "slot":
        return Place(offset=meaning.place)
    number = meaning.place if meaning.how == "value" else None
    hint = profiles.hint(receiver.kind, name, example_of(owner, receiver.kind))
    cell = profiles.hint_cell(receiver.kind, name) if hint is None else None
    if cell is not None:
        w.unit.keep(cell)
    return Place(number=number, size=instances.basic_size(receiver.kind), name=interned(w, name), hint=hint, cell=cell, in_dict=in_dict)
