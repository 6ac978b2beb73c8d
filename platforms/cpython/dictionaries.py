"""Where a dictionary keeps an entry.

Source: Include/internal/pycore_dict.h (PyDictKeysObject): the indices are followed by the entries, in order of insertion;
where all keys are strings, an entry is a key and a value.
"""

import ctypes

from platforms.cpython.layout import layout
from platforms.cpython.observe import read


def entry_number(mapping: dict, key: str) -> int | None:
    """The number of the entry for `key` among all entries, deleted ones included; None if the dictionary is of another form.

    Args:
        mapping: an exact dict that nobody changes meanwhile. key: the very object that is its key.
    """
    fields = layout()
    keys = read(id(mapping) + fields.dict_keys)
    if read(id(mapping) + fields.dict_values) or not read(keys + fields.keys_kind, 1):
        return None
    entries = keys + fields.keys_indices + (1 << read(keys + fields.keys_log2_index_bytes, 1))
    for number in range(read(keys + fields.keys_entries_used)):
        if ctypes.c_void_p.from_address(entries + number * fields.keys_entry_size).value == id(key):
            return number
    return None


class Hint:
    """Where a dictionary that looks like another one keeps a key.

    Attributes:
        form: the bytes of its keys from `keys_log2_size` to `keys_kind`. number: of the entry. offset: of the entry, from the keys.
    """

    __slots__ = ("form", "number", "offset")

    def __init__(self, form: int, number: int, offset: int):
        self.form = form
        self.number = number
        self.offset = offset


def hint(mapping: dict, key: str) -> Hint | None:
    """Where such a dictionary keeps `key`, or None."""
    number = entry_number(mapping, key)
    if number is None:
        return None
    fields = layout()
    keys = read(id(mapping) + fields.dict_keys)
    form = read(keys + fields.keys_log2_size, 4) & 0xFFFFFF
    offset = fields.keys_indices + (1 << read(keys + fields.keys_log2_index_bytes, 1)) + number * fields.keys_entry_size
    return Hint(form, number, offset)


def may_be_replaced_in(mapping, watched=0):
    """Whether nobody watches a dict, and the collector knows it, so that an entry's object may be replaced by any other.

    Args:
        watched: bits of watchers that do not count.
    """
    fields = layout()
    return bool(read(id(mapping) + fields.gc_next)) and not (fields.dict_watchers and read(id(mapping) + fields.dict_tag, 1) & ~watched)
