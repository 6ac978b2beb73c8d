"""Where the fields of CPython's structs lie, per version.

The table gives byte offsets (or bit numbers and constants where the comment says so) for
x86-64 release builds; `-` means the version has no such field. They were printed from
each version's own headers. Nothing here is trusted: verify.py reads every field back from
live objects of the running interpreter before the compiler may use it, because micro
releases and distributors can move fields.

Source: CPython, Include/cpython/*.h and Include/internal/pycore_*.h.
"""

import functools
import sys
from types import SimpleNamespace

VERSIONS = ((3, 11), (3, 12), (3, 13))
#: co_flags of generators, coroutines and asynchronous generators.
SUSPENDED = 0x20 | 0x80 | 0x200

_TABLE = """
                                 3.11  3.12  3.13
ob_refcnt                           0     0     0
ob_type                             8     8     8
ob_size                            16    16    16
gc_next                           -16   -16   -16  0: the collector does not know the object
immortal_refcounts              False  True  True  negative low 32 bits of the count: never changed

compensated_sum                 False  True  True  sum() of floats compensates for what rounding loses

float_value                        16    16    16
long_digits                        24    24    24  uint32, 30 bits each
long_size                          16     -     -  signed number of digits
long_tag                            -    16    16  digits << 3 | sign: 0 positive, 1 zero, 2 negative
small_int_stride                   32    32    32  bytes from the int n to the int n + 1, -5 to 256

list_size                          16    16    16
list_items                         24    24    24
list_allocated                     32    32    32
emptied_list_cleared            False  True  True  list.pop gives back the room of a list that it empties, even where it is small
tuple_size                         16    16    16
tuple_items                        24    24    24
bytes_size                         16    16    16
bytes_data                         32    32    32
bytearray_size                     16    16    16
bytearray_start                    40    40    40
bytearray_exports                  48    48    48
array_size                         16    16    16
array_items                        24    24    24
array_allocated                    32    32    32
array_descr                        40    40    40
array_exports                      56    56    56
array_descr_typecode                0     0     0  char, in what array_descr points to
memoryview_managed                 24    24    24  _PyManagedBufferObject*
memoryview_flags                   40    40    40  int; bit 0: released
memoryview_exports                 48    48    48
memoryview_buf                     56    56    56
memoryview_obj                     64    64    64
memoryview_len                     72    72    72  bytes
memoryview_itemsize                80    80    80
memoryview_readonly                88    88    88  int
memoryview_ndim                    92    92    92  int
memoryview_format                  96    96    96  char*
memoryview_shape                  104   104   104
memoryview_strides                112   112   112
memoryview_suboffsets             120   120   120
managed_buffer_flags               16    16    16  int; bit 0: released

unicode_length                     16    16    16
unicode_hash                       24    24    24
unicode_state                      32    32    32  uint32
unicode_kind_bit                    2     2     2  bit number of the 3-bit kind: 1, 2, 4 bytes
unicode_compact_bit                 5     5     5  bit number
unicode_ascii_bit                   6     6     6  bit number
ascii_data                         48    40    40
compact_data                       72    56    56

cell_value                         16    16    16
match_string                       24    24    24  of a re.Match
match_regs                         32    32    32  tuple; NULL until somebody asks
match_pattern                      40    40    40
sequence_iterator_index            16    16    16  of list, tuple, bytes, bytearray, str and array.array, and reversed ones
sequence_iterator_sequence         24    24    24  NULL when exhausted
range_iterator_index               16     -     -  number of items given so far
range_iterator_start               24    16    16  3.11: first item; later: next item
range_iterator_step                32    24    24
range_iterator_len                 40    32    32  3.11: of the whole range; later: items left
range_start                        16    16    16  PyObject*
range_stop                         24    24    24  PyObject*
range_step                         32    32    32  PyObject*
range_length                       40    40    40  PyObject*
zip_iterators                      24    24    24  tuple
zip_result                         32    32    32  the tuple given last, or what is to be given first
enumerate_index                    16    16    16
enumerate_iterator                 24    24    24
enumerate_result                   32    32    32
enumerate_long_index               40    40    40
dict_iterator_dict                 16    16    16  of dict's iterators; NULL when exhausted
dict_iterator_used                 24    24    24  entries that the dict had
dict_iterator_position             32    32    32  number of the next entry, if that is not one deleted
dict_iterator_result               40    40    40  the tuple given last, or NULL
dict_iterator_left                 48    48    48  entries left
dict_view_dict                     16    16    16
set_iterator_set                   16    16    16  of a set's or frozenset's iterator; NULL when exhausted
set_iterator_used                  24    24    24  entries that the set had
set_iterator_position              32    32    32  place in the table to go on at
set_iterator_left                  40    40    40  entries left
dict_used                          16    16    16
set_fill                           16    16    16
set_used                           24    24    24
set_mask                           32    32    32
set_table                          40    40    40  entries: key, hash
dict_version                       24    24     -  uint64
dict_version_tag                   24    24    24  uint64: the version, and below it what it counts in steps of:
dict_version_step                   1   256  4096  number; what is below are flags
dict_watcher_mask                   0   255   255  number: the flags of those who watch the dictionary
dict_tag                           24    24    24  uint64: the version where there is one; from 3.12 on who watches in its low byte
dict_watchers                   False  True  True  a dict's tag says who watches
dict_keys                          32    32    32
dict_values                        40    40    40  not NULL: an instance's, shared keys
keys_log2_size                      8     8     8  uint8, of the index
keys_log2_index_bytes               9     9     9  uint8
keys_kind                          10    10    10  uint8, 0: keys of any type
keys_entries_used                  24    24    24
keys_indices                       32    32    32  behind them the entries
keys_entry_size                    16    16    16  where all keys are str: key, value
method_function                    16    16    16
method_self                        24    24    24
cfunction_m_ml                     16    16    16  PyMethodDef*
cfunction_m_self                   24    24    24
cfunction_m_module                 32    32    32  of functions: its name
cfunction_vectorcall               48    48    48
method_def_name                     0     0     0
method_def_meth                     8     8     8
method_def_flags                   16    16    16  int
type_name                          24    24    24  char*
type_basicsize                     32    32    32
type_dealloc                       48    48    48
type_vectorcall_offset             56    56    56
type_hash                         120   120   120
type_getattro                     144   144   144
type_setattro                     152   152   152
type_flags                        168   168   168
type_richcompare                  200   200   200
type_iter                         216   216   216
type_iternext                     224   224   224
type_init                         296   296   296
type_new                          312   312   312
type_version_tag                  384   384   384  uint32; 0: none
type_cached_keys                  872   880   880  of heap types: the keys that instances' values go by
instance_values                   -32     -     -  from an instance with managed dictionary: its values, NULL once it has a dict
instance_tagged                     -   -24     -  address of the values minus 1, or of a dict, or NULL
instance_dict                     -24     -   -24  its dict, or NULL
values_inline                   False False  True  the values lie behind the instance, at type_basicsize
values_items                        0     0     8  PyObject*[]
values_size                        -2    -2     1  uint8: how many have been set; their order lies before it, or behind the items
values_capacity                     -     -     0  uint8
values_valid                        -     -     3  uint8
getset_definition                  40    40    40  of a getset_descriptor: PyGetSetDef*
getset_definition_name              0     0     0
getset_definition_get               8     8     8
member_offset                      40    40    40  PyMemberDescrObject: PyMemberDef*
member_def_type                     8     8     8  int
member_def_offset                  16    16    16
member_def_flags                   24    24    24  int
property_get                       16    16    16

function_globals                   16    16    16
function_builtins                  24    24    24
function_name                      32    32    32
function_qualname                  40    40    40
function_code                      48    48    48
function_defaults                  56    56    56
function_kwdefaults                64    64    64
function_closure                   72    72    72
function_doc                       80    80    80
function_dict                      88    88    88  NULL until it is asked for
function_module                   104   104   104
function_annotations              112   112   112  NULL if there are none
function_type_params                -   120   120  NULL if there are none
function_vectorcall               120   128   128
function_version                  128   136   136  uint32
code_consts                        24    24    24
code_names                         32    32    32
code_flags                         48    48    48  int
code_argcount                      56    52    52  int
code_kwonlyargcount                64    60    60  int
code_stacksize                     68    64    64  int
code_nlocalsplus                   76    72    72  int
code_framesize                      -    76    76  int, slots
code_first_traceable              168   176   184  int, index of the code unit
code_instrumentation_version        -   160   168  uint64
code_adaptive                     184   192   200  the instructions themselves

frame_function                      0    16    16
frame_code                         32     0     0
frame_globals                       8    24    24
frame_builtins                     16    32    32
frame_locals                       24    40    40
frame_object                       40    48    48
frame_previous                     48     8     8
frame_instruction                  56    56    56  prev_instr (3.11, 3.12), instr_ptr (3.13)
frame_stacktop                     64    64    64  int
frame_is_entry                     68     -     -  bool
frame_return_offset                 -    68    68  uint16
frame_owner                        69    70    70  char: 0 thread, 1 generator, 2 frame object
frame_localsplus                   72    72    72
frame_specials_slots                9     9     9  slots before localsplus
frame_object_back                  16    16    16
frame_object_frame                 24    24    24
frame_object_trace                 32    32    32
frame_object_data                  48    48    64  the frame itself once its function returned
generator_frame                    80    72    72  the frame itself
generator_state                    75    67    67  int8
generator_suspended                -1    -1    -2  its state behind a yield

thread_interp                      16    16    16
thread_recursion_remaining         32    28    44  int
thread_recursion_limit             36    32    48  int
thread_c_recursion_remaining        -    36    52  int
thread_tracing                     44    44    60  int: levels of trace functions, profilers and monitoring callbacks that run
thread_cframe                      56    56     -
thread_current_frame                -     -    72
thread_profile_function            64    64    80  c_profilefunc: not NULL while sys.setprofile is on in this thread
thread_trace_function              72    72    88  c_tracefunc
thread_exc_info                   120   104   120  _PyErr_StackItem*
thread_eval_breaker                 -     -    24  uint64: 8 bits of events, instrumentation version
thread_ident                      152   136   152  threading.get_ident()
thread_id                         240   224   224  unique, never used again
thread_datastack_chunk            296   232   232
thread_datastack_top              304   240   240
thread_datastack_limit            312   248   248
exc_item_value                      0     0     0
exc_item_previous                   8     8     8
cframe_use_tracing                  0     -     -  uint8
cframe_current_frame                8     0     -
cframe_previous                    16     8     -
chunk_previous                      0     0     0
chunk_size                          8     8     8  bytes
chunk_top                          16    16    16  slots in use, kept while not the current chunk
chunk_data                         24    24    24
interp_eval_breaker               100   368     -  int
interp_gil_drop_request           104   372     -  int; next to the eval breaker
interp_pending_calls              120     -     -  int
interp_monitoring_version           -    48     0  uint64
interp_gc_count                   692   156  7444  int: objects made since the last collection, behind the youngest generation's threshold

instruction_resume_bias            -2    -2     0  added to code_adaptive + X to resume at X
instruction_executing_bias          0     0     0  added to claim to be executing X
handler_lookup_bias                 0     0    -2  added to X: where a frame entered with an exception at X looks for its handler
call_convention            null_first null_first callable_first
"""


class Layout(SimpleNamespace):
    """The column of the running version as attributes; None for an absent field."""

    def __setattr__(self, name, value):
        raise AttributeError("a layout is constant")

    def __delattr__(self, name):
        raise AttributeError("a layout is constant")

    __hash__ = object.__hash__


_WORDS = {"-": None, "True": True, "False": False}


def _value(text: str):
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if text.lstrip("-").isdigit() else text


def column(version: tuple[int, int]) -> dict[str, object]:
    """The table's column for one version; LookupError if there is none."""
    if version not in VERSIONS:
        raise LookupError(f"no layout for CPython {version[0]}.{version[1]}")
    position = VERSIONS.index(version) + 1
    rows = (line.split(None, 4) for line in _TABLE.splitlines()[2:] if line)
    return {row[0]: _value(row[position]) for row in rows}


@functools.cache
def layout() -> Layout:
    """The layout of the running interpreter. Only valid if support() is ok."""
    version = tuple(sys.version_info[:2])
    return Layout(version=version, small_int_base=id(0), **column(version))
