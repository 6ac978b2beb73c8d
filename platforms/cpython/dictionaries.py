"""Where a dictionary keeps an entry.

Source: Include/internal/pycore_dict.h (PyDictKeysObject): the indices are followed by the entries, in order of insertion;
where all keys are strings, an entry is a key and a value.

Other threads may change a dictionary between any two looks at its memory, and free its keys. So these are copied in one go, and the copy is looked at.
"""

import ctypes
import functools

from platforms import pages
from platforms.cpython.layout import layout
from platforms.cpython.observe import read
from platforms.cpython.undisturbed import JA, JE, assemble

#: Of keys whose values lie apart, by their numbers.
_SPLIT = 2
#: Bytes of keys for which there is room at first.
_ROOM = 4096


@functools.cache
def _copy():
    """size_t copy(dict, into, room): copy its keys with their index and entries; the bytes that these take, of which nothing is copied if there is no room.

    0 if not all keys are strings.
    """
    fields = layout()
    code, _ = assemble([
        f"4C 8B 47 {fields.dict_keys:02X}",  # mov r8, [rdi + keys]
        f"41 80 78 {fields.keys_kind:02X} 00", (JE, "none"),  # cmp byte [r8 + kind], 0
        f"41 0F B6 48 {fields.keys_log2_index_bytes:02X} B8 01 00 00 00 48 D3 E0",  # movzx ecx, byte [r8 + log2_index_bytes]; mov eax, 1; shl rax, cl
        f"49 6B 48 {fields.keys_entries_used:02X} {fields.keys_entry_size:02X}",  # imul rcx, [r8 + entries_used], entry_size
        f"48 8D 44 08 {fields.keys_indices:02X} 48 39 D0", (JA, "out"),  # lea rax, [rax + rcx + indices]; cmp rax, rdx
        "48 89 F7 4C 89 C6 48 89 C1 F3 A4",  # mov rdi, rsi; mov rsi, r8; mov rcx, rax; rep movsb
        "out:", "C3", "none:", "31 C0 C3",
    ])
    return pages.routine(code, ctypes.c_size_t, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_size_t)


@functools.cache
def _room(size: int) -> type:
    """The ctypes type of so many bytes; ctypes itself makes it anew each time."""
    return ctypes.c_char * size


class _Keys:
    """The keys of a dictionary as they were at one moment.

    Attributes:
        data: their bytes; empty if not all are strings. index_bytes: of the index. entries: the offset at which the entries begin.
    """

    def __init__(self, mapping):
        size, room = _ROOM, b""
        while size > len(room):
            room = _room(1 << (size - 1).bit_length())()
            size = _copy()(id(mapping), room, len(room))
        self.data = memoryview(room).cast("B")[:size]
        if size:
            self.index_bytes = 1 << self.number("log2_index_bytes", 1)
            self.entries = layout().keys_indices + self.index_bytes

    def number(self, field, size):
        """A field of the keys."""
        start = getattr(layout(), f"keys_{field}")
        return int.from_bytes(self.data[start:start + size], "little")

    def form(self):
        """The bytes from `keys_log2_size` to `keys_kind`."""
        return self.number("log2_size", 3)

    def key(self, number):
        """The address of an entry's key; 0 if it was deleted."""
        start = self.entry(number)
        return int.from_bytes(self.data[start:start + 8], "little")

    def entry(self, number):
        """The offset of an entry."""
        return self.entries + number * layout().keys_entry_size

    def find(self, key):
        """The number of the entry of a key, or None; None also where the values lie apart."""
        if not self.data or self.number("kind", 1) == _SPLIT:
            return None
        words = self.data[self.entries:].cast("Q")[::layout().keys_entry_size // 8].tolist()
        return words.index(id(key)) if id(key) in words else None


def entry_number(mapping: dict, key: str) -> int | None:
    """The number of the entry for `key` among all entries, deleted ones included; None if the dictionary is of another form.

    Args:
        mapping: an exact dict. key: the very object that is its key.
    """
    return _Keys(mapping).find(key)


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
    keys = _Keys(mapping)
    number = keys.find(key)
    return None if number is None else Hint(keys.form(), number, keys.entry(number))


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
    keys, fields = _Keys(mapping), layout()
    if not keys.data or keys.index_bytes != 1 << keys.number("log2_size", 1):
        return None
    known = {id(other): other for other in list(mapping)}
    place = perturbation = hash(key) & (1 << 64) - 1
    probes = []
    for _ in range(MOST_PROBES):
        index = fields.keys_indices + (place & keys.index_bytes - 1)
        number = keys.data[index]
        if number == 0xFF:
            probes.append((index, -1, None, None))
            return Absence(keys.form(), probes)
        if number >= keys.number("entries_used", 8):
            return None  # a deleted one
        other = known.get(keys.key(number))
        if type(other) is not str or hash(other) == hash(key):
            return None
        probes.append((index, number, keys.entry(number), other))
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
