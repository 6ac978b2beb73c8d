"""Loops over sequences, ranges, dicts, sets, enumerations and zips, by the fields of their iterator objects."""

from jit.bytecodes.buffers import array_format
from jit.bytecodes.classes import is_list_seen
from jit.bytecodes.guards import probably
from jit.bytecodes.items import take
from jit.foreign import blind_call
from jit.iteration import SOURCES, Entries, Enumerated, Members, Numbers, Sequence, View, Zipped, nodes
from jit.types import ARRAY, OBJECT, STR
from jit.values import Value, VirtualTuple

_SEQUENCES = (list, tuple, bytes, bytearray, str)
#: Role in which iterators are observed that left a loop because of their dict or set.
SHARED = "dict that shares its keys, or has changed"
#: What a loop walks by itself, if it is of exactly this type.
ITERABLES = frozenset((*_SEQUENCES, range, dict, set, frozenset, ARRAY))


def source_of(value):
    """What an iterator over `value` (whose type is proven) walks over, or None if that is not known."""
    if value.__class__ is not Value:
        return None
    if value.facts.__class__ in SOURCES:
        return value.facts
    if value.facts.__class__ is View:
        return Entries(value.facts.what, value.facts.shape)
    python = value.type.python
    if python is range:
        return Numbers()
    if python is dict:
        return Entries("keys", value.shape)
    if python is set or python is frozenset:
        return Members()
    if python in _SEQUENCES:
        return Sequence(python, value.shape)
    buffer = array_format(value)
    return None if buffer is None else Sequence(ARRAY, value.shape, buffer=buffer)


def reversed_source_of(value):
    """The same for ``reversed(value)``."""
    source = source_of(value)
    if source is None or value.facts is source or source.__class__ in (Entries, Members):
        return None
    if source.__class__ is Sequence:
        source.step = -1
    return source


def iterable(w, value, role):
    """`value` with its type proven if it probably is something whose iterators we know."""
    if value.__class__ is Value and (value.facts.__class__ in SOURCES or value.facts.__class__ is View):
        return value
    return probably(w, value, ITERABLES, role)


def list_source(w, value):
    """What an iterator over an instance of subclasses of list walks over, if these were seen and iterate as lists do, or None."""
    return Sequence(list, None) if value.__class__ is Value and is_list_seen(w, value, "iterable", "__iter__") else None


def make_iterator(w, value, source):
    """Replace the iterable on top of the stack by its iterator, which walks over `source`."""
    if value.facts is source:
        return None
    ended = blind_call(w, "PyObject_GetIter", 1, OBJECT, value.shape)
    if not ended:
        w.peek().facts = source
    return ended


def is_private(w, iterator):
    """Whether nothing but the top of the operand stack names the iterator, so that its end is the end of it."""
    state = w.state
    return iterator in state.owned and iterator not in state.locals and state.stack.count(iterator) == 1


def for_source(w, instruction, iterator, exhausted):
    """One turn: leave the loop if a part is exhausted; else read the items, advance all parts, push the items.

    Items are not put into a tuple that the next instruction would take apart.
    """
    source = iterator.facts
    w.split("branch_source", (iterator,), source, exhausted, exit=source_exit(w, iterator))
    items = _read(w, iterator, source, ())
    w.operation("advance_source", iterator, detail=source)
    straight = w.go_on_behind()
    if items.__class__ is list and straight and _taken_apart(w, items):
        w.push(_virtual(w, items))
    else:
        _push(w, items)
    if straight:
        return None
    w.jump(w.index + 1)
    return True


def source_exit(w, iterator):
    """Taken where only CPython can tell whether an iterator goes on; dicts that share their keys are remembered, and left to it."""
    if not any(part.__class__ in (Entries, Members) for _, part in nodes(iterator.facts)):
        return w.exit("a range beyond 64 bits")
    leaving = w.exit("a dict that shares its keys, or a dict or set that has changed its size", observe=iterator)
    leaving.site = w.instruction.site, SHARED
    return leaving


def _taken_apart(w, items):
    """Whether the instructions that follow unpack these items, and their items, before they do anything else of note."""
    waiting = [items]
    index = w.index + 1
    while waiting and w.inside(index):
        item, instruction = waiting.pop(), w.instructions[index]
        if item.__class__ is list:
            if instruction.operation != "UNPACK_SEQUENCE" or instruction.argument != len(item):
                return False
            waiting.extend(item[::-1])
        elif instruction.operation != "STORE_FAST":
            return not any(left.__class__ is list for left in waiting)
        index += 1
    return not waiting


def _virtual(w, item):
    """The item as it stands on the operand stack; strings of one character are made."""
    if item.__class__ is list:
        return VirtualTuple([_virtual(w, part) for part in item])
    if item.__class__ is tuple:
        character(w, item[0])
        return w.pop()
    return item


def _read(w, iterator, source, path):
    """A Value, a code point in a tuple of one, or a list of these for what arrives as a tuple. Nothing is changed yet."""
    if source.__class__ is Zipped:
        return [_read(w, iterator, part, (*path, number)) for number, part in enumerate(source.sources)]
    detail = path, source
    if source.__class__ is Enumerated:
        count = w.operation("source_count", iterator, detail=detail)
        if source.nonnegative:
            count.facts = "nonnegative"
        return [count, _read(w, iterator, source.source, (*path, -1))]
    if source.__class__ is Numbers:
        return w.operation("source_number", iterator, detail=detail)
    if source.__class__ is Entries:
        return _read_entry(w, iterator, source, path)
    if source.__class__ is Members:
        return take(w, "entry_key", (iterator, w.operation("source_member", iterator, detail=path)), dict, None, role=("key", *path))
    if source.python is str:
        return (w.operation("source_character", iterator, detail=detail),)
    if source.buffer is not None:
        return w.operation(f"source_element_{source.buffer.type.name}", iterator, detail=detail)
    return take(w, "source_item", (iterator,), source.python, source.shape, detail, ("item", *path))


def _read_entry(w, iterator, source, path):
    entry = iterator, w.operation("source_entry", iterator, detail=path)
    key = value = None
    if source.what != "values":
        key = take(w, "entry_key", entry, dict, None, role=("key", *path))
    if source.what != "keys":
        value = take(w, "entry_value", entry, dict, source.shape, role=("item", *path))
    return [key, value] if source.what == "items" else key or value


def _push(w, item):
    if item.__class__ is list:
        from jit.bytecodes.containers import build_sequence
        for part in item:
            _push(w, part)
        build_sequence(w, len(item), False)
    elif item.__class__ is tuple:
        character(w, item[0])
    else:
        w.push(item)


def character(w, code):
    """Push the string of one character; its reference is ours."""
    throw = w.exit_here("out of memory")
    made = w.operation("character", code, exit=throw, kind=STR)
    w.state.owned |= {made}
    w.push(made)
