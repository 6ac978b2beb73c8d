"""Which Python classes a value may be of: what was seen, and code that tells them apart by their version tags."""

from jit import receivers
from jit.bytecodes.guards import divides, meet, observe
from jit.types import LIST, OBJECT, ClassReference, in_order_seen, is_class
from jit.values import Value
from platforms.cpython import instances
from platforms.cpython.layout import layout

def origin(w, owner):
    """Key under which the classes of an owner are remembered: the same for all uses of one value."""
    return (w.instruction.site if owner.origin is None or w.inlined else owner.origin), "class"


def seen_classes(w, owner):
    """Python classes that the owner probably is of, best first; none if nothing is known, or too much."""
    if owner.type is not OBJECT:
        return []
    if owner.is_constant:
        return [type(owner.constant)]
    found = []
    if owner.shape is not None:
        found.extend(owner.shape.kinds())
    seen = w.knowledge.observed.get(origin(w, owner)) or (() if found else told_class(w, owner))
    for reference in in_order_seen(seen):  # without builtin types, which another version is for
        if reference.changes:
            return []
        kind = reference.kind()
        if kind is not None and not any(kind is other for other in found):
            found.append(kind)
    return found if len(found) <= receivers.POLYMORPHIC else []


def told_class(w, owner):
    """A set with a ClassReference to the class that the interpreter has specialised the current instruction for, which is noted; () if there is none."""
    kind = class_of_interpreter(w)
    if kind is None or not instances.flags(kind) & instances.HEAP_TYPE:
        return ()
    found = w.knowledge.observed[origin(w, owner)] = {ClassReference(kind)}
    return found


def class_of_interpreter(w):
    """The class, living and unchanged, of the owner of the attribute that the current instruction is about, as the interpreter has met it; or None."""
    tag = w.unit.feedback(w.instruction, "tag")
    return receivers.class_with_tag(tag) if tag else None


def meanings(w, owner, name, look=receivers.find):
    """What a name means for the classes that the owner may be of.

    Where nothing is known of the owner its class is noted, for a later version.

    Returns:
        list of groups, each of [(Receiver, Attribute)] with attributes that are alike; [] if it is to be left to CPython.
    """
    groups = []
    for kind in classes_of(w, owner):
        receiver = receivers.receiver(kind)
        meaning = None if receiver is None else look(kind, name, example_of(owner, kind))
        if meaning is None:
            continue
        size = instances.basic_size(kind)
        for group in groups:
            if group[0][1].same(meaning) and instances.basic_size(group[0][0].kind) == size:
                group.append((receiver, meaning))
                break
        else:
            groups.append([(receiver, meaning)])
    return groups


def classes_of(w, value, note=True):
    """The Python classes a value may be of, if they are known or have been seen; else they are noted for a later version."""
    known = w.state.receivers.get(value)
    if known is not None:
        return [receiver.kind for receiver in known]
    kinds = seen_classes(w, value)
    if note and not kinds and value.type is OBJECT and not value.is_constant and not w.inlined and not w.knowledge.observed.get(origin(w, value)):
        observe(w, value, "owner").site = origin(w, value)
    return kinds


def guard_classes(w, value, kinds):
    """Guard that the value is of one of these classes; False if one of them cannot be guarded."""
    if w.state.receivers.get(value) is not None:
        return True
    found = [receivers.receiver(kind) for kind in kinds]
    if None in found:
        return False
    guard = w.exit(receivers.CLASS_GUARD, observe=value if not value.is_constant else None)
    guard.site = origin(w, value)
    w.operation("guard_class", value, exit=guard, detail=[receiver.tag for receiver in found])
    w.state.receivers[value] = found
    return True


def settle_class(w, depth):
    """Guard that a stack item is the very class it was when this was compiled, and put that in its place: ``cls`` in a class method.

    Args:
        depth: of the item on the stack, 1 on top.

    Returns:
        the Value that stands there now: the class, a constant, or what was there, if that is not known to be a Python class.
    """
    value = w.state.stack[-depth]
    if value.__class__ is not Value or value.type is not OBJECT or value.is_constant or value.shape is None or value in w.state.owned:
        return value
    kind = value.shape.example
    if not is_class(kind) or not instances.flags(kind) & instances.HEAP_TYPE:
        return value
    site = origin(w, value)[0], "which class"
    if w.knowledge.observed.get(site):
        return value
    known = w.constant(kind)
    guard = w.exit("it is another class", observe=value)
    guard.site = site
    w.operation("guard_same", value, known, exit=guard)
    w.freeze()
    w.state.stack[-depth] = known
    return known


def is_list(w, value, method=None):
    """Whether a value is a list, or of subclasses that were seen, which are guarded here.

    Args:
        method: name of a special method that has to be list's own.
    """
    return value.type is LIST or is_derived(w, value, list, method)


def is_list_seen(w, value, role, method):
    """The same for what has been seen at this place in this role."""
    return only_classes_seen(w, value, role) and is_list(w, value, method)


def is_derived_tuple(w, value, role, method):
    """Whether a value is of subclasses of tuple, named tuples mostly, that are known or were seen at this place in this role; they are guarded here."""
    return value.__class__ is Value and only_classes_seen(w, value, role) and is_derived(w, value, tuple, method)


def is_derived(w, value, base, method):
    """Whether a value is of subclasses of a builtin one that were seen and have this method from there; they are guarded here."""
    if value.__class__ is not Value or value.type is not OBJECT or value.is_constant:
        return False
    kinds = classes_of(w, value, note=False)
    return bool(kinds) and all(derives_from(kind, base, method) for kind in kinds) and guard_classes(w, value, kinds)


def only_classes_seen(w, value, role):
    """Whether only Python classes have been seen at this place in this role, which are known to be the value's from here on."""
    seen = w.seen(role)
    classes = {reference for reference in seen if reference.__class__ is ClassReference}
    if classes:
        w.knowledge.observed.setdefault(origin(w, value), set()).update(classes)
    return len(classes) == len(seen)


def derives_from(kind, builtin, method):
    """Whether a class derives from a builtin one and has this method from there."""
    return kind is not None and any(base is builtin for base in instances.bases(kind)) and \
        (method is None or receivers.class_attribute(kind, method) is builtin.__dict__[method])


def example_of(owner, kind):
    """An instance of a class that the owner may be, or None."""
    example = owner.constant if owner.is_constant else owner.shape and owner.shape.example
    return example if example is not None and type(example) is kind else None


def on_class(w, owner, groups, perform):
    """Emit `perform(choice)` for each group of `meanings`, told apart by version tags; the last one's guard leaves."""
    known = w.state.receivers.get(owner)
    found = [receiver for receiver, _ in groups[0]]
    rely_on_keys(w, groups[0])
    tags = [receiver.tag for receiver in found]
    if len(groups) == 1:
        if known is None or len(known) > len(found):
            w.state.receivers.pop(owner, None)
            guard_classes(w, owner, [receiver.kind for receiver in found])
        return perform(groups[0][0])
    if not divides(w):
        # Walk on as if there were one class, to learn of other such places in the same walk.
        guard_classes(w, owner, [receiver.kind for receiver in found])
        return perform(groups[0][0])

    def elsewhere():
        if known is not None:
            w.state.receivers[owner] = [receiver for receiver in known if receiver not in found]
        if not on_class(w, owner, groups[1:], perform):
            meet(w)

    w.split("branch_class", (owner,), tags, elsewhere)
    w.state.receivers[owner] = found
    return perform(groups[0][0])


def rely_on_keys(w, group):
    """The version holds as long as no class's instances get attributes of new names: only foreign code can do that."""
    for receiver, meaning in group:
        if meaning.keys is not None:
            address, count = meaning.keys
            w.unit.keep(receiver.kind)
            w.unit.depend_word(address + layout().keys_entries_used, count)
