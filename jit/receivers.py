"""What an attribute of an instance is, found out while compiling without running anybody's code.

Problem: ``point.x`` may be a value of the instance, a slot, a method, a property, a constant of some base class, or code in
``__getattr__``; the interpreter finds out each time, or guards a cache by the class's version tag.
Idea: look once, in the classes of the receivers that were seen; compiled code tests the version tag, which stands for the class, its
bases and all their attributes as they are (a class that changes gets another tag, and none is used twice).
Source: CPython Python/specialize.c, Objects/typeobject.c (_PyType_Lookup), Objects/object.c (_PyObject_GenericGetAttrWithDict).
"""

import weakref
from types import FunctionType, MemberDescriptorType, MethodDescriptorType

from jit.machine import simple_classes
from jit.types import STATIC
from platforms.cpython import instances
from platforms.cpython.layout import layout

#: Classes of receivers that one place is compiled for.
POLYMORPHIC = 6
#: Classes that are looked at for those that have instances.
FAMILY_LIMIT = 50
#: Classes remembered by their addresses.
FOUND_LIMIT = 4096
#: Reason of the exits of guards of classes.
CLASS_GUARD = "its receiver is of another class"
_MISSING = object()
#: id of a class -> (class, its version tag), for `version_tag`.
_tags = {}
#: id of a class -> (class, its Receiver or None).
_receivers = {}
#: Non-data descriptors that are understood, and types whose instances are no descriptors.
_PLAIN_CONSTANTS = (*(kind for kind in STATIC if kind is not type(None)), type(None), type)


class Receiver:
    """A class as it is now. Attributes: kind: the class. tag: its version tag."""

    __slots__ = ("kind", "tag")

    def __init__(self, kind, tag):
        self.kind = kind
        self.tag = tag


class Attribute:
    """What a name means for instances of a class.

    Attributes:
        how: "value" (of the instance, by number), "dict" (of the instance, by name), "slot" (at an offset), "item" (of a named tuple, by index), "constant" (of the class), "method" (a function of the
        class), "class method" (its function), "builtin" (a method of a builtin base), "property" (its getter). place: number, offset, object, function or getter. keys: None, or (address of the shared
        keys, number of names in them) where an instance could have an attribute of the same name as soon as there are more.
    """

    __slots__ = ("how", "place", "keys")

    def __init__(self, how, place, keys=None):
        self.how = how
        self.place = place
        self.keys = keys

    def same(self, other):
        """Whether both are read and written alike, whatever the class is."""
        return self.how != "class method" and self.how == other.how and self.place is other.place and (self.keys is None) == (other.keys is None)


def receiver(kind):
    """The `Receiver` for instances of a Python class that can be looked into, or None; found once in a compilation."""
    found = _receivers.get(id(kind))
    if found is None:
        found = _receivers[id(kind)] = kind, _receiver(kind)
    return found[1]


def _receiver(kind):
    fields = layout()
    tag = version_tag(kind)
    if not instances.flags(kind) & instances.HEAP_TYPE:
        return None
    if instances.slot_function(kind, fields.type_getattro) != instances.slot_function(object, fields.type_getattro) and \
            class_attribute(kind, "__getattribute__") is not object.__getattribute__:
        return None
    if tag:
        simple_classes.note(kind, tag)
    return Receiver(kind, tag) if tag else None


def stores_plainly(kind):
    """Whether setting attributes of instances is `object`'s business."""
    field = layout().type_setattro
    return instances.slot_function(kind, field) == instances.slot_function(object, field)


def version_tag(kind):
    """The version tag that a class had when it was first looked into in this compilation; 0 if there is none.

    Other threads run while compiling. A class that they change has another tag then, so that what was found out before is never
    believed of it.
    """
    found = _tags.get(id(kind))
    if found is None:
        found = _tags[id(kind)] = (kind, instances.version_tag(kind) if instances.flags(kind) & instances.HEAP_TYPE else 0)
    return found[1]


def forget_tags():
    """A compilation begins or has ended."""
    _tags.clear()
    _receivers.clear()


def class_attribute(kind, name):
    """The attribute of a class as it stands in its or a base's dictionary, or `_MISSING`."""
    version_tag(kind)
    for base in instances.bases(kind):
        found = instances.namespace(base).get(name, _MISSING)
        if found is not _MISSING:
            return found
    return _MISSING


def has_attribute(kind, name):
    """Whether a class or a base has an attribute in its dictionary."""
    return class_attribute(kind, name) is not _MISSING


def find(kind, name, instance=None):
    """What reading an attribute of an instance means.

    Args:
        kind: its class, see `receiver`. name: str. instance: one to go by where both class and instance may have it, or None.

    Returns:
        Attribute, or None: it is left to the interpreter.
    """
    found = class_attribute(kind, name)
    if name == "__class__" and found is object.__dict__["__class__"]:
        return Attribute("constant", kind)
    meaning = of_class(found)
    if meaning is not None and meaning.how == "property":
        # Where its getter raises AttributeError, __getattr__ is asked.
        return None if has_attribute(kind, "__getattr__") else meaning
    if meaning is not None and meaning.how in ("slot", "item"):
        return meaning
    if found is not _MISSING and meaning is None:
        return None
    number = shared_number(kind, name)
    if number is not None and (found is _MISSING or instance is not None and instances.attribute(instance, number)[0]):
        return Attribute("value", number)
    if number is not None:
        return None
    if meaning is None:
        return Attribute("dict", name) if instances.has_values(kind) else None
    if instances.flags(kind) & instances.MANAGED_DICT:
        keys = instances.shared_keys(kind)
        names = instances.shared_names(kind)
        if names is None:
            return None
        meaning.keys = keys, len(names)
    elif instances.dict_offset(kind):
        return None
    return meaning


def find_for_store(kind, name, instance=None):
    """What setting an attribute of an instance means: see `find`. A name new to the class's shared keys is made known to them."""
    if not stores_plainly(kind):
        return None
    found = class_attribute(kind, name)
    if type(found) is MemberDescriptorType:
        return of_class(found)
    if found is not _MISSING and not is_function(found) and not is_constant(found):
        return None
    number = shared_number(kind, name)
    if number is not None:
        return Attribute("value", number)
    introduced = instances.introduce(kind, name)
    number = shared_number(kind, name)
    if number is not None:
        return Attribute("value", number)
    # The shared keys are full, and stay so.
    return Attribute("dict", name) if introduced and instances.shared_names(kind) is not None else None


def of_class(found):
    """An `Attribute` for what stands in a class's dictionary; None if it is absent or a descriptor of another kind."""
    if found is _MISSING:
        return None
    made = type(found)
    if made is FunctionType or is_function(found):
        return Attribute("method", found)
    if made is MethodDescriptorType:
        return Attribute("builtin", found)
    if made is MemberDescriptorType:
        offset = instances.slot_offset(found)
        return None if offset is None else Attribute("slot", offset)
    if made is instances.tuple_getter():
        return Attribute("item", found.__reduce__()[1][0])
    if made is property:
        getter = found.fget
        return Attribute("property", getter) if is_function(getter) else None
    if made is classmethod:
        return Attribute("class method", found.__func__) if is_function(found.__func__) else None
    if made is staticmethod:
        return Attribute("constant", found.__func__)
    return Attribute("constant", found) if is_constant(found) else None


def is_constant(item):
    """Whether an object in a class's dictionary is no descriptor."""
    made = type(item)
    return any(made is kind for kind in _PLAIN_CONSTANTS) or is_plain_instance(made)


def is_data_descriptor(item):
    """Whether a class's attribute comes before what an instance has (`_MISSING` does not)."""
    return any(has_attribute(type(item), name) for name in ("__set__", "__delete__"))


def is_function(item):
    """Whether an object is a Python function, redirected to compiled code or not. Unlike `isinstance` it does not believe what an object says."""
    return issubclass(type(item), FunctionType)


def is_plain_instance(kind):
    """Whether objects of a Python class are no descriptors."""
    return bool(instances.flags(kind) & instances.HEAP_TYPE) and all(class_attribute(kind, name) is _MISSING for name in ("__get__", "__set__", "__delete__"))


def shared_number(kind, name):
    """The number of an attribute in the shared keys of a class, or None."""
    names = instances.shared_names(kind)
    return names.index(name) if names and name in names else None


#: Addresses of classes that were found before -> weak references: most classes that are met are met again.
_found_before = {}


def classes_at(addresses):
    """{address: class} of the living classes among some addresses."""
    found = {}
    for address in addresses:
        reference = _found_before.get(address)
        kind = None if reference is None else reference()
        if kind is not None:
            found[address] = kind
    wanted = set(addresses).difference(found)
    if wanted:
        if len(_found_before) >= FOUND_LIMIT:
            _found_before.clear()
        for address, kind in _search(wanted).items():
            found[address] = kind
            _found_before[address] = weakref.ref(kind)
    return found


#: Version tag of a class -> weak reference to it.
_tagged = {}
#: The greatest tag that a class had when all were looked at last, of those that static types have from 3.12 on, and of those above.
_looked_up_to = [0, 0]


def _no_class():
    """In the place of a weak reference: no class has this tag any more."""


def class_with_tag(tag):
    """The living class that has this version tag, which the interpreter has met, or None."""
    # Tags are counted up and used once: what was not found up to there is no class's any more.
    if tag not in _tagged and tag > _looked_up_to[tag >> 16 > 0]:
        _tagged.clear()
        _tagged[tag] = _no_class
        for kind in _all_classes():
            found = instances.known_tag(kind)
            if found:
                _tagged[found] = weakref.ref(kind)
        living = [found for found, reference in _tagged.items() if reference is not _no_class]
        _looked_up_to[:] = (max((found for found in living if (found >> 16 > 0) is above), default=0) for above in (False, True))
    kind = _tagged.get(tag, _no_class)()
    return kind if kind is not None and instances.known_tag(kind) == tag else None


def relatives(base, known=()):
    """The classes that instances of a Python class or of classes derived from it are of, as far as can be told, `known` first; [] if they are too many."""
    found, pending = list(known), [base]
    while pending:
        kind = pending.pop()
        derived = type.__subclasses__(kind)
        pending.extend(derived)
        if not any(kind is other for other in found) and seems_used(kind, derived) and not instances.flags(kind) & instances.ABSTRACT:
            found.append(kind)
        if len(found) > POLYMORPHIC or len(pending) > FAMILY_LIMIT:
            return []
    return found


def seems_used(kind, derived):
    """Whether there have probably been instances of a class: one has set an attribute or, where that leaves no trace, no class is derived from it."""
    return bool(instances.shared_names(kind)) if instances.flags(kind) & instances.MANAGED_DICT else not derived


def common_base(kinds):
    """The Python class that all of these derive from and that is closest to the first, or None."""
    for base in instances.bases(kinds[0]):
        if instances.flags(base) & instances.HEAP_TYPE and all(any(other is base for other in instances.bases(kind)) for kind in kinds):
            return base
    return None


def home_of(kind, function):
    """The base of a class in whose namespace a function stands under its name, or None."""
    for base in instances.bases(kind):
        if instances.namespace(base).get(function.__name__, _MISSING) is function:
            return base
    return None


def _search(wanted):
    """The same, from all classes there are."""
    wanted, found = set(wanted), {}
    for kind in _all_classes():
        if id(kind) in wanted:
            found[id(kind)] = kind
            wanted.discard(id(kind))
            if not wanted:
                break
    return found


def _all_classes():
    """Every living class, once."""
    pending, known = [object], {id(object)}
    while pending:
        kind = pending.pop()
        yield kind
        for derived in type.__subclasses__(kind):
            if id(derived) not in known:
                known.add(id(derived))
                pending.append(derived)
