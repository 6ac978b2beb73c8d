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
