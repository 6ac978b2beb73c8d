"""Checks of the layout of data objects: build one, read its fields back.

A check yields (field, found, expected); see verify.py.
"""

import ctypes
import gc
import sys

from platforms.cpython import symbols
from platforms.cpython.matches import empty_pattern
from platforms.cpython.observe import keep, read, read_signed

_WORD = 8
#: Some versions are counted for all dictionaries, in steps of up to 4096, and each look at memory lets the program go on: in one of so many
#: attempts it changes few enough that the number grows by less than this, as it would not four bytes further on.
_ATTEMPTS, _GROWTH = 20, 1 << 32


def checks(fields, peeker):
    """All checks of this module."""
    for check in (_header, _numbers, _sequences, _bytes, _arrays, _memoryviews, _strings, _iterators, _others):
        yield from check(fields, peeker)


class _Marker:
    """Its instances are recognised by their address."""


def _header(fields, _):
    marker = _Marker()
    before = read(id(marker) + fields.ob_refcnt)
    references = [marker] * 5
    yield "ob_refcnt", read(id(marker) + fields.ob_refcnt) - before, len(references)
    yield "ob_type", read(id(marker) + fields.ob_type), id(_Marker)
    yield "ob_size", read(id((1, 2, 3)) + fields.ob_size), 3
    yield "immortal_refcounts", read_signed(id(None) + fields.ob_refcnt, 4) < 0, fields.immortal_refcounts


def _numbers(fields, _):
    yield "compensated_sum", sum([0.1] * 10) == 1.0, fields.compensated_sum
    number = float("-1.75e100")
    yield "float_value", ctypes.c_double.from_address(id(number) + fields.float_value).value, number
    big = sum(digit << 30 * place for place, digit in enumerate((7, 5, 3)))
    digits = keep(ctypes.c_uint32 * 3)
    yield "long_digits", tuple(digits.from_address(id(big) + fields.long_digits)), (7, 5, 3)
    numbers = (big, -big, 0, 1, -1)
    if fields.long_size is not None:
        found = tuple(read_signed(id(number) + fields.long_size) for number in numbers)
        yield "long_size", found, (3, -3, 0, 1, -1)
    if fields.long_tag is not None:
        found = tuple(read(id(number) + fields.long_tag) for number in numbers)
        yield "long_tag", found, (3 << 3, 3 << 3 | 2, 1, 1 << 3, 1 << 3 | 2)
    addresses = [id(number) for number in range(-5, 257)]
    start = fields.small_int_base - 5 * fields.small_int_stride
    expected = list(range(start, start + 262 * fields.small_int_stride, fields.small_int_stride))
    yield "small_int_stride", addresses, expected


def _sequences(fields, peeker):
    markers = [_Marker(), _Marker(), _Marker()]
    addresses = b"".join(id(marker).to_bytes(_WORD, "little") for marker in markers)
    growing = []
    for marker in markers:
        growing.append(marker)  # over-allocates, unlike a display
    yield "list_size", read(id(growing) + fields.list_size), 3
    yield "list_items", peeker.copy(read(id(growing) + fields.list_items), 3 * _WORD), addresses
    capacity = (growing.__sizeof__() - [].__sizeof__()) // _WORD
    yield "list_allocated", read(id(growing) + fields.list_allocated), capacity
    emptied = [None]
    emptied.pop()
    yield "emptied_list_cleared", emptied.__sizeof__() == [].__sizeof__(), fields.emptied_list_cleared
    fixed = tuple(markers)
    yield "tuple_size", read(id(fixed) + fields.tuple_size), 3
    yield "tuple_items", ctypes.string_at(id(fixed) + fields.tuple_items, 3 * _WORD), addresses


def _bytes(fields, _):
    text = b"verified"
    yield "bytes_size", read(id(text) + fields.bytes_size), 8
    yield "bytes_data", ctypes.string_at(id(text) + fields.bytes_data, 9), text + b"\0"
    growing = bytearray(b"xx" + text)
    del growing[:2]  # moves the start away from the allocation
    yield "bytearray_exports", read(id(growing) + fields.bytearray_exports), 0
    start = ctypes.c_char.from_buffer(growing)
    yield "bytearray_size", read(id(growing) + fields.bytearray_size), 8
    yield "bytearray_start", read(id(growing) + fields.bytearray_start), ctypes.addressof(start)
    yield "bytearray_exports", read(id(growing) + fields.bytearray_exports), 1


def _arrays(fields, peeker):
    try:
        from array import array
    except ImportError:  # then no array can ever be met either
        names = "array_size array_items array_allocated array_descr array_exports array_descr_typecode"
        yield from ((name, None, None) for name in names.split())
        return
    numbers = array("q", (11, 22))
    numbers.append(33)
    address, length = numbers.buffer_info()
    yield "array_size", read(id(numbers) + fields.array_size), length
    yield "array_items", read(id(numbers) + fields.array_items), address
    capacity = (numbers.__sizeof__() - array("q").__sizeof__()) // 8
    yield "array_allocated", read(id(numbers) + fields.array_allocated), capacity
    for code in "qdB":
        empty = array(code)
        descr = read(id(empty) + fields.array_descr)
        yield "array_descr", descr != 0, True
        yield "array_descr_typecode", peeker.number(descr + fields.array_descr_typecode, 1), ord(code)
    views = [memoryview(numbers) for _ in range(3)]
    yield "array_exports", read(id(numbers) + fields.array_exports), len(views)


def _memoryviews(fields, peeker):
    storage = bytearray(48)
    address = ctypes.addressof(ctypes.c_char.from_buffer(storage))
    bytes_view = memoryview(storage)[8:]
    view = bytes_view.cast("d", (1, 5))
    base = id(view)
    yield "memoryview_buf", read(base + fields.memoryview_buf), address + 8
    yield "memoryview_obj", read(base + fields.memoryview_obj), id(storage)
    yield "memoryview_len", read(base + fields.memoryview_len), 40
    yield "memoryview_itemsize", read(base + fields.memoryview_itemsize), 8
    yield "memoryview_ndim", read(base + fields.memoryview_ndim, 4), 2
    yield "memoryview_ndim", read(id(bytes_view) + fields.memoryview_ndim, 4), 1
    yield "memoryview_readonly", read(base + fields.memoryview_readonly, 4), 0
    constant = memoryview(b"constant")
    yield "memoryview_readonly", read(id(constant) + fields.memoryview_readonly, 4), 1
    yield "memoryview_format", peeker.copy(read(base + fields.memoryview_format), 2), b"d\0"
    words = [number.to_bytes(8, "little") for number in (1, 5, 40, 8)]
    yield "memoryview_shape", peeker.copy(read(base + fields.memoryview_shape), 16), words[0] + words[1]
    yield "memoryview_strides", peeker.copy(read(base + fields.memoryview_strides), 16), words[2] + words[3]
    # Only exotic exporters have suboffsets, so the field is known by its place in the struct.
    yield "memoryview_suboffsets", fields.memoryview_suboffsets, fields.memoryview_strides + 8
    yield "memoryview_suboffsets", read(base + fields.memoryview_suboffsets), 0
    yield "memoryview_exports", read(base + fields.memoryview_exports), 0
    buffer = keep(ctypes.create_string_buffer(80))  # a Py_buffer
    failed = symbols.function("PyObject_GetBuffer", ctypes.c_int, ctypes.py_object, ctypes.c_void_p, ctypes.c_int)(view, buffer, 0)
    yield "memoryview_exports", (failed, read(base + fields.memoryview_exports)), (0, 1)
    symbols.function("PyBuffer_Release", None, ctypes.c_void_p)(buffer)
    yield from _released_memoryview(fields, peeker, constant)


def _released_memoryview(fields, peeker, view):
    managed, part = read(id(view) + fields.memoryview_managed), view[1:]
    yield "memoryview_flags", read(id(view) + fields.memoryview_flags, 4) & 1, 0
    yield "memoryview_managed", managed, read(id(part) + fields.memoryview_managed)
    part.release()
    yield "managed_buffer_flags", peeker.number(managed + fields.managed_buffer_flags, 4), 0
    view.release()
    yield "memoryview_flags", read(id(view) + fields.memoryview_flags, 4) & 1, 1
    yield "managed_buffer_flags", peeker.number(managed + fields.managed_buffer_flags, 4), 1


def _strings(fields, _):
    kind_bit, compact_bit, ascii_bit = fields.unicode_kind_bit, fields.unicode_compact_bit, fields.unicode_ascii_bit
    for text, kind, encoded in (
        ("a-c", 1, b"a-c"),
        ("ab\xe9", 1, b"ab\xe9"),
        ("ab\u20ac", 2, b"a\0b\0\xac\x20"),
        ("ab\U0001f600", 4, b"a\0\0\0b\0\0\0\x00\xf6\x01\0"),
    ):
        is_ascii = text.isascii()
        state = read(id(text) + fields.unicode_state, 4)
        yield "unicode_kind_bit", state >> kind_bit & 7, kind
        yield "unicode_ascii_bit", state >> ascii_bit & 1, is_ascii
        yield "unicode_compact_bit", state >> compact_bit & 1, 1
        yield "unicode_state", state & (7 << kind_bit | 1 << ascii_bit | 1 << compact_bit) != 0, True
        yield "unicode_length", read(id(text) + fields.unicode_length), 3
        yield "unicode_hash", (hash(text), read_signed(id(text) + fields.unicode_hash)), (hash(text),) * 2
        data = "ascii_data" if is_ascii else "compact_data"
        yield data, ctypes.string_at(id(text) + getattr(fields, data), len(encoded)), encoded


def _iterators(fields, peeker):
    yield from _sequence_iterators(fields)
    numbers = range(10, 101, 7)  # 13 items
    iterator = iter(numbers)
    next(iterator), next(iterator)
    given_by_index = fields.range_iterator_index is not None
    if given_by_index:
        yield "range_iterator_index", read(id(iterator) + fields.range_iterator_index), 2
    yield "range_iterator_start", read(id(iterator) + fields.range_iterator_start), 10 if given_by_index else 24
    yield "range_iterator_step", read(id(iterator) + fields.range_iterator_step), 7
    yield "range_iterator_len", read(id(iterator) + fields.range_iterator_len), 13 if given_by_index else 11
    numbers = range(1000, 9001, 400)
    for attribute in ("start", "stop", "step"):
        name = f"range_{attribute}"
        yield name, read(id(numbers) + getattr(fields, name)), id(getattr(numbers, attribute))
    length = read(id(numbers) + fields.range_length)
    yield "range_length", peeker.number(length + fields.long_digits, 4), 21
    yield from _enumerate(fields, peeker)
    yield from _zip(fields, peeker)


def _sequence_iterators(fields):
    index, held = "sequence_iterator_index", "sequence_iterator_sequence"
    sequences = [[1, 2, 3], (1, 2, 3), b"xyz", bytearray(b"xyz"), "abc", "a\xe9\u20ac"]
    try:
        from array import array
        sequences.append(array("h", (1, 2, 3)))
    except ImportError:
        array = None
    for sequence in sequences:
        for make, first, last in ((iter, 2, sequence[2]), (reversed, 0, sequence[0])):
            iterator = make(sequence)
            next(iterator), next(iterator)
            yield index, read(id(iterator) + fields.sequence_iterator_index), first
            yield held, read(id(iterator) + fields.sequence_iterator_sequence), id(sequence)
            rest = list(iterator)
            # Exhausted, an array's iterator keeps its array, and so do reversed ones of some versions.
            if type(sequence) is not array and make is iter:
                yield held, (rest, read(id(iterator) + fields.sequence_iterator_sequence)), ([last], 0)


def _enumerate(fields, peeker):
    iterator, large = iter([1, 2]), 1 << 70
    counted = enumerate(iterator, 1000)
    next(counted)
    yield "enumerate_index", read(id(counted) + fields.enumerate_index), 1001
    yield "enumerate_iterator", read(id(counted) + fields.enumerate_iterator), id(iterator)
    result = read(id(counted) + fields.enumerate_result)
    yield "enumerate_result", peeker.number(result + fields.ob_type), id(tuple)
    yield "enumerate_long_index", read(id(counted) + fields.enumerate_long_index), 0
    counted = enumerate(iterator, large)
    yield "enumerate_long_index", read(id(counted) + fields.enumerate_long_index), id(large)


def _zip(fields, peeker):
    parts = [iter([1, 2]), iter((3, 4))]
    zipped = zip(*parts)
    held = read(id(zipped) + fields.zip_iterators)
    yield "zip_iterators", [peeker.number(held + fields.tuple_items + 8 * number) for number in range(2)], [id(part) for part in parts]
    given = next(zipped)
    yield "zip_result", read(id(zipped) + fields.zip_result), id(given)


def _matches(fields):
    pattern, text = empty_pattern(), "some text"
    found = pattern.match(text)
    yield "match_string", read(id(found) + fields.match_string), id(text)
    yield "match_pattern", read(id(found) + fields.match_pattern), id(pattern)
    yield "match_regs", read(id(found) + fields.match_regs), 0
    places = found.regs
    yield "match_regs", read(id(found) + fields.match_regs), id(places)


def _others(fields, peeker):
    marker = _Marker()
    cell = (lambda: marker).__closure__[0]
    yield "cell_value", read(id(cell) + fields.cell_value), id(marker)
    yield from _matches(fields)
    mapping = {"first": 1}
    yield "dict_used", read(id(mapping) + fields.dict_used), 1
    yield from _dict_iterators(fields)
    shrunk = {1, 2, 3}
    shrunk.discard(2)
    yield "set_fill", read(id(shrunk) + fields.set_fill), 3
    for items in (shrunk, frozenset(shrunk)):
        yield "set_used", read(id(items) + fields.set_used), 2
        mask, table = read(id(items) + fields.set_mask), read(id(items) + fields.set_table)
        yield "set_mask", mask, 7
        keys = {peeker.number(table + 16 * place): peeker.number(table + 16 * place + 8) for place in range(8)}
        yield "set_table", (keys.get(id(1)), keys.get(id(3)), keys.get(0)), (1, 3, 0)
        yield from _set_iterator(fields, items)
    if fields.dict_version is not None:
        version = read(id(mapping) + fields.dict_version)
        mapping.copy()
        yield "dict_version", read(id(mapping) + fields.dict_version), version
        yield "dict_version", _counts_changes(mapping, fields.dict_version), True
    yield "dict_tag", _counts_changes(mapping, fields.dict_tag), True
    yield "dict_tag", read(id(mapping) + fields.dict_tag) & (0xFF if fields.dict_watchers else 0), 0
    yield "dict_watchers", fields.dict_watchers, hasattr(ctypes.pythonapi, "PyDict_Watch")
    containers = {}, {"list": []}, []
    yield "gc_next", [read(id(item) + fields.gc_next) != 0 for item in containers], [gc.is_tracked(item) for item in containers]
    yield "dict_used", (len(mapping), read(id(mapping) + fields.dict_used)), (len(mapping),) * 2
    method = _others.__get__(marker)
    yield "method_function", read(id(method) + fields.method_function), id(_others)
    yield "method_self", read(id(method) + fields.method_self), id(marker)
    yield from _dictionaries(fields, peeker)
    yield from _builtins(fields, peeker)
    yield from _types(fields)


def _counts_changes(mapping, offset):
    """Whether the number there in a dict grows a little with each change of the dict."""
    for _ in range(_ATTEMPTS):
        numbers = [read(id(mapping) + offset)]
        for number in range(2):
            mapping["second"] = number
            numbers.append(read(id(mapping) + offset))
        if all(0 < after - before < _GROWTH for before, after in zip(numbers, numbers[1:])):
            return True
    return False


def _dict_iterators(fields):
    mapping = {"first": 1, "second": 2, "third": 3}
    del mapping["second"]
    for iterator in (iter(mapping), iter(mapping.values()), iter(mapping.items())):
        given = next(iterator)
        names = [f"dict_iterator_{name}" for name in ("dict", "used", "position", "left")]
        yield from zip(names, [read(id(iterator) + getattr(fields, name)) for name in names], (id(mapping), 2, 1, 1))
        yield "dict_iterator_result", read(id(iterator) + fields.dict_iterator_result), id(given) if type(given) is tuple else 0
    for view in (mapping.keys(), mapping.values(), mapping.items()):
        yield "dict_view_dict", read(id(view) + fields.dict_view_dict), id(mapping)


def _set_iterator(fields, items):
    """`items` is {1, 3}."""
    iterator = iter(items)
    next(iterator)
    names = [f"set_iterator_{name}" for name in ("set", "used", "position", "left")]
    yield from zip(names, [read(id(iterator) + getattr(fields, name)) for name in names], (id(items), 2, 2, 1))


def _dictionaries(fields, peeker):
    mapping = {"first": 1}
    yield "dict_version_tag", _counts_changes(mapping, fields.dict_version_tag), True
    tags = [read(id(mapping) + fields.dict_version_tag)]
    for number in (2, 3):
        mapping["first"] = number
        tags.append(read(id(mapping) + fields.dict_version_tag))
    yield "dict_version_step", [number % fields.dict_version_step for number in tags], [0, 0, 0]
    # There are as many flags as there may be watchers (Include/cpython/dictobject.h), and none before there were watchers.
    yield "dict_watcher_mask", fields.dict_watcher_mask, 255 if fields.dict_version_step > 1 else 0
    # What the collector knows is in a list, the newest last; numbers in a dictionary are nothing that it looks for.
    items = [[] for _ in range(16)]
    linked = any(read(id(item) + fields.gc_next) == id(following) + fields.gc_next for item, following in zip(items, items[1:]))
    yield "gc_next", (read(id(mapping) + fields.gc_next), linked), (0, True)
    mapping = {"first": 1, "second": 2}
    del mapping["first"]
    keys = read(id(mapping) + fields.dict_keys)
    yield "dict_keys", keys != 0, True
    yield "dict_values", read(id(mapping) + fields.dict_values), 0
    instance = _Marker()
    instance.attribute = 1
    yield "dict_values", peeker.number(read(id(instance.__dict__) + fields.dict_values)) is not None, True
    kinds = [peeker.number(read(id(items) + fields.dict_keys) + fields.keys_kind, 1) for items in ({1: 1}, mapping)]
    yield "keys_kind", (kinds[0], kinds[1] != 0), (0, True)
    yield "keys_entries_used", peeker.number(keys + fields.keys_entries_used), 2
    # 8 entries have 8 indices of one byte; 300 entries in a table for 512 have indices of two bytes.
    large = {f"key{number}": number for number in range(300)}
    for items, bytes_used in ((mapping, 3), (large, 10)):
        found = peeker.number(read(id(items) + fields.dict_keys) + fields.keys_log2_index_bytes, 1)
        yield "keys_log2_index_bytes", found, bytes_used
        found = peeker.number(read(id(items) + fields.dict_keys) + fields.keys_log2_size, 1)
        yield "keys_log2_size", found, bytes_used - (bytes_used > 8)
    second = keys + fields.keys_indices + 8 + fields.keys_entry_size
    words = [peeker.number(second), peeker.number(second + 8)]
    yield "keys_indices", words, [id(sys.intern("second")), id(2)]
    yield "keys_entry_size", words, [id(sys.intern("second")), id(2)]


def _builtins(fields, peeker):
    pointer = ctypes.c_void_p
    method, self = len, __import__("builtins")
    definition = read(id(method) + fields.cfunction_m_ml)
    yield "cfunction_m_ml", definition != 0, True
    name = peeker.number(definition + fields.method_def_name)
    yield "method_def_name", peeker.copy(name, 4) if name else None, b"len\0"
    meth = symbols.function("PyCFunction_GetFunction", pointer, ctypes.py_object)(method)
    yield "method_def_meth", peeker.number(definition + fields.method_def_meth), meth
    flags = symbols.function("PyCFunction_GetFlags", ctypes.c_int, ctypes.py_object)(method)
    yield "method_def_flags", peeker.number(definition + fields.method_def_flags, 4), flags
    yield "cfunction_m_self", read(id(method) + fields.cfunction_m_self), id(self)
    yield "cfunction_m_module", read(id(len) + fields.cfunction_m_module), id(len.__module__)
    offset = read(id(type(method)) + fields.type_vectorcall_offset)
    yield "cfunction_vectorcall", offset, fields.cfunction_vectorcall


def _types(fields):
    function = type(_types)
    yield "type_vectorcall_offset", read(id(function) + fields.type_vectorcall_offset), fields.function_vectorcall
    yield "type_basicsize", read(id(function) + fields.type_basicsize), function.__basicsize__
    yield "type_flags", read(id(function) + fields.type_flags), function.__flags__
    get_slot = symbols.function("PyType_GetSlot", ctypes.c_uint64, ctypes.py_object, ctypes.c_int)
    dealloc, iter_, iternext = 52, 62, 63  # Py_tp_dealloc, Py_tp_iter and Py_tp_iternext, <typeslots.h>
    iterator = keep(type("iterator", (), {"__slots__": (), "__iter__": iter, "__next__": next}))
    yield "type_dealloc", read(id(iterator) + fields.type_dealloc), get_slot(iterator, dealloc)
    yield "type_iter", read(id(iterator) + fields.type_iter), get_slot(iterator, iter_)
    yield "type_iternext", read(id(iterator) + fields.type_iternext), get_slot(iterator, iternext)
    getattr(iterator, "absent", None)  # a lookup assigns a version
    assigned = read(id(iterator) + fields.type_version_tag, 4)
    iterator.attribute = sys
    yield "type_version_tag", (assigned != 0, read(id(iterator) + fields.type_version_tag, 4)), (True, 0)
