"""Data that compiled code and the shared routines read: descriptors, function records, version records.

All of it lies in the data part of the arena. A *descriptor* says how to build the interpreter frame of one activation at
one bytecode: what each local and operand-stack slot holds, and where the compiled code keeps it.

Locations are byte offsets from S, the base of the save area that a routine fills directly below the body's frame
(S = body's rsp - 256): general register n at 8n, xmm register n at 128 + 8n, spill slot k at 256 + 8k.
"""

import ctypes
from struct import Struct

from platforms.cpython.layout import layout
from platforms.pages import memmove

(NULL, CONST, INT, FLOAT, BOOL, BORROWED, OWNED, BORROWED_OR_NULL, OWNED_OR_NULL, IF, RANGE_ITERATOR, INT_CONSTANT,
 RANGE_ITERATOR_STOP, TUPLE, MADE_FUNCTION, CLOSURE) = range(16)

SAVE_AREA = 256
CO_NEWLOCALS = 2

# Descriptor fields.
FRAME_SIZE, STACKTOP, FUNCTION_RECORD, VERSION_RECORD = 0, 4, 8, 16
RESUME, EXECUTING, FOLLOWING, COUNT, OBSERVE, FLAGS, N_ENTRIES, WEIGHT, OBSERVED = 24, 32, 40, 48, 56, 60, 64, 68, 80
#: The types observed last, so many; a power of two.
OBSERVED_TYPES = 4
ENTRIES = OBSERVED + 8 * OBSERVED_TYPES
ENTRY_SIZE = 16
#: Flags: the body keeps a slot for its frame; nothing has happened before this exit, so the call may be made anew; the version was
#: entered at a loop's header; a NULL comes on top of the result. Above them the number of entries behind the others, for objects that
#: are dropped as soon as the frame is there.
HAS_FRAME_SLOT, RESTARTS, ENTERED, NULL_ABOVE, ONE_LOOSE = 1, 2, 4, 8, 16
_HEAD = Struct("<IIqqqqqQiIIIQ32x")
_OBSERVED = Struct(f"<{OBSERVED_TYPES}q")
_ENTRY = Struct("<Iiq")

# Function record fields.
FUNCTION, CODE, FRAME_SLOTS, N_LOCALS, NAMESPACE = 0, 8, 16, 20, 24
_FUNCTION_RECORD = Struct("<qqIIq")
FUNCTION_RECORD_SIZE = _FUNCTION_RECORD.size

# Version record fields.
CALLS, EXITS, EXIT_LIMIT, ATTENTION, N_WORDS, N_DEPENDENCIES, WORDS, DEPENDENCIES, PRESSURE = 0, 8, 16, 24, 32, 36, 40, 48, 56
VERSION_HEAD = 64
WORD_SIZE, DEPENDENCY_SIZE = 24, 48
#: Of a dependency: dict, key, object (0: none), where the dict probably keeps it, and the object's type if that is to be compared, too.
D_MAPPING, D_KEY, D_VALUE, D_FORM, D_NUMBER, D_OFFSET, D_TYPE = 0, 8, 16, 24, 28, 32, 40
NO_FORM = (1 << 32) - 1
_VERSION = Struct("<QQQQIIqqQ")
_TRIPLE = Struct("<qqq")
_DEPENDENCY = Struct("<qqqIIQq")

#: A version asks for attention when the weights of its exits come to this. What leaves a loop loses the rest of it to the interpreter;
#: other exits are cheap, and more of them tell more of the types that come.
FIRST_EXIT_LIMIT = 32
LOOP_WEIGHT, WEIGHT_ELSEWHERE = 16, 1

class VersionState:
    """What machine code has counted for a version."""

    __slots__ = ("calls", "exits", "limit", "attention", "pressure")

    def __init__(self, *values):
        self.calls, self.exits, self.limit, self.attention, self.pressure = values


def gpr_location(number):
    return 8 * number


def xmm_location(number):
    return 128 + 8 * number


def slot_location(number):
    return SAVE_AREA + 8 * number


def descriptor_size(entries):
    return ENTRIES + ENTRY_SIZE * entries


def write_descriptor(address, *, frame_size, stacktop, function_record, version_record, resume, executing, following,
                     observe, flags, identity, entries, loose=(), weight=1):
    """Fill a descriptor. Instruction pointers are what the frame's field is to hold, 0 where there is none.

    Args:
        entries: list of (kind, location, payload); stacktop: how many frame slots they produce. loose: such for objects to be dropped.
        weight: see FIRST_EXIT_LIMIT.
    """
    pack = _ENTRY.pack
    data = _HEAD.pack(frame_size, stacktop, function_record, version_record, resume, executing, following, 0, observe,
                      flags | len(loose) * ONE_LOOSE, len(entries), weight, identity)
    data += b"".join([pack(*entry) for entry in (*entries, *loose)])
    memmove(address, data, len(data))


def version_size(words, dependencies):
    return (VERSION_HEAD + WORD_SIZE * words + DEPENDENCY_SIZE * dependencies + 15) & -16


def write_version(address, words, dependencies):
    """Fill a version record: words are (address, expected, kind), dependencies (dict, key, expected or 0, its type or 0, Hint or None)."""
    first = address + VERSION_HEAD
    second = first + WORD_SIZE * len(words)
    data = _VERSION.pack(0, 0, FIRST_EXIT_LIMIT, 0, len(words), len(dependencies), first, second, 0)
    data += b"".join(_TRIPLE.pack(*entry) for entry in words)
    for mapping, key, expected, kind, hint in dependencies:
        place = (NO_FORM, 0, 0) if hint is None else (hint.form, hint.number, hint.offset)
        data += _DEPENDENCY.pack(mapping, key, expected, *place, kind)
    memmove(address, data, len(data))


def write_function(address, function, code):
    """Fill the record of a function with this code object; the pointers in it are borrowed. A module has its globals for locals.

    Args:
        function: None if it is the one that the wrapper's block names: one of many with the same code.
    """
    fields = layout()
    base = id(code)
    if fields.code_framesize is not None:
        slots = read_int(base + fields.code_framesize)
    else:
        slots = read_int(base + fields.code_nlocalsplus) + read_int(base + fields.code_stacksize) + \
            fields.frame_specials_slots
    namespace = 0 if code.co_flags & CO_NEWLOCALS else id(function.__globals__)
    memmove(address, _FUNCTION_RECORD.pack(0 if function is None else id(function), base, slots, read_int(base + fields.code_nlocalsplus), namespace),
                   FUNCTION_RECORD_SIZE)


def dictionary_word(namespace):
    """The word that changes whenever the dict does, as (address, value now, kind 0)."""
    fields = layout()
    if fields.dict_version is None:
        from jit.machine.watcher import watched_word
        return watched_word(namespace)
    address = id(namespace) + fields.dict_version
    return (address, read_word(address), 0)


def read_word(address):
    """An 8-byte word as the signed number the tables hold."""
    return ctypes.c_int64.from_address(address).value


def read_int(address):
    return ctypes.c_int32.from_address(address).value


def read_count(descriptor):
    return read_word(descriptor + COUNT)


def read_observed(descriptor):
    """Addresses of the types observed last."""
    return [address for address in _OBSERVED.unpack(ctypes.string_at(descriptor + OBSERVED, _OBSERVED.size)) if address]


def read_version(record):
    return VersionState(*(read_word(record + 8 * number) for number in range(4)), read_word(record + PRESSURE))


def asks_for_attention(record):
    return ctypes.c_int64.from_address(record + ATTENTION).value != 0


def set_exit_limit(record, limit):
    ctypes.c_int64.from_address(record + EXIT_LIMIT).value = limit


def clear_attention(record):
    ctypes.c_int64.from_address(record + ATTENTION).value = 0


def expected_address(record, place):
    """Address of the expected value of a version's word number `place`."""
    return record + VERSION_HEAD + WORD_SIZE * place + 8


def read_words(record):
    """The words of a version: list of (address, expected, kind)."""
    count = read_int(record + N_WORDS)
    first = record + VERSION_HEAD
    return [tuple(read_word(first + WORD_SIZE * place + 8 * field) for field in range(3)) for place in range(count)]


def poison(record):
    """Let a version's next check fail, and every one after it."""
    ctypes.c_int64.from_address(record + ATTENTION).value = 1
    if read_int(record + N_WORDS):
        # Whatever the first word was, it is one now that can be read for ever and is never what is expected.
        memmove(record + VERSION_HEAD, _TRIPLE.pack(record + WORDS, 0, 1), WORD_SIZE)
