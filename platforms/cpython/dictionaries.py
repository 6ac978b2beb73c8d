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


#: Places of an index that compiled code looks at by itself to find that a key is absent.
MOST_PROBES = 3


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


class Absence:
    """How a dictionary that looks like another one shows that it has not a key.

    Attributes:
        form: as of a Hint. probes: for each place in the index that a search comes to: (its offset from the keys, the number of the entry it
        leads to, offset of that entry, the other key there); the number is -1 at the last, which is free, and the others None.
    """

    __slots__ = ("form", "probes")

    def __init__(self, form: int, probes: list):
        self.form = form
        self.probes = probes


def absence(mapping: dict, key: str) -> Absence | None:
    """How such a dictionary shows that it has not `key`, in a few probes of an index of single bytes; or None."""
    fields = layout()
    keys = read(id(mapping) + fields.dict_keys)
    log2_size, log2_index = read(keys + fields.keys_log2_size, 1), read(keys + fields.keys_log2_index_bytes, 1)
    if not read(keys + fields.keys_kind, 1) or log2_size != log2_index:
        return None
    entries = fields.keys_indices + (1 << log2_index)
    place = perturbation = hash(key) & (1 << 64) - 1
    probes = []
    for _ in range(MOST_PROBES):
        index = fields.keys_indices + (place & (1 << log2_size) - 1)
        number = read(keys + index, 1)
        if number == 0xFF:
            probes.append((index, -1, None, None))
            return Absence(read(keys + fields.keys_log2_size, 4) & 0xFFFFFF, probes)
        if number >= read(keys + fields.keys_entries_used):
            return None  # a deleted one
        entry = entries + number * fields.keys_entry_size
        other = ctypes.cast(read(keys + entry), ctypes.py_object).value if read(keys + entry) else None
        if type(other) is not str or hash(other) == hash(key):
            return None
        probes.append((index, number, entry, other))
        perturbation >>= 5
        place = place * 5 + perturbation + 1
    return None


def may_be_replaced_in(mapping, watched=0):
    """Whether nobody watches a dict, and the collector knows it, so that an entry's object may be replaced by any other.

    Args:
        watched: bits of watchers that do not count.
    """
    fields = layout()
    return bool(read(id(mapping) + fields.gc_next)) and not (fields.dict_watchers and read(id(mapping) + fields.dict_tag, 1) & ~watched)
