"""Types in C whose instances hold nothing, or just a few other objects: how these die is known, see harmless.py."""

from types import BuiltinMethodType, CellType, FunctionType, MethodType

from asm import mem32, rdx, relative
from jit.iteration import DICT_ITERATORS, SET_ITERATOR
from platforms.cpython import instances
from platforms.cpython.layout import layout
from platforms.cpython.matches import MATCH

L = layout()
#: Objects of these types hold nothing.
PLAIN = (float, int, str, type(None), bool, bytes, type(iter(range(0))))
#: Iterators over strings differ, from 3.12 on, by what these are made of.
_SEQUENCE_ITERATORS = dict.fromkeys((*map(type, map(iter, ([], (), "", "\xe9", b"", bytearray()))), type(reversed([]))))
#: The code first: the earlier it is visited, the fewer references tell that it lives (harmless.py).
_OF_FUNCTIONS = tuple(getattr(L, f"function_{name}") for name in ("code", "globals", "builtins", "name", "qualname", "defaults", "kwdefaults", "closure", "doc", "dict", "module",
                      "annotations", *(("type_params",) if L.function_type_params else ())))
#: Types of objects that hold a few others, and offsets of these. Iterators over containers hold nothing when they have come to the end.
HOLDERS = ((FunctionType, _OF_FUNCTIONS), (MethodType, (L.method_function, L.method_self)), (CellType, (L.cell_value,)),
           *((kind, (L.sequence_iterator_sequence,)) for kind in _SEQUENCE_ITERATORS),
           *((kind, (L.dict_iterator_dict, L.dict_iterator_result)) for kind in DICT_ITERATORS), (SET_ITERATOR, (L.set_iterator_set,)),
           (enumerate, (L.enumerate_iterator, L.enumerate_result, L.enumerate_long_index)), (zip, (L.zip_iterators, L.zip_result)),
           *((type(view), (L.dict_view_dict,)) for view in ({}.keys(), {}.values(), {}.items())),
           (BuiltinMethodType, (L.cfunction_m_self, L.cfunction_m_module)), (MATCH, (L.match_string, L.match_pattern, L.match_regs)))


def emit_go_to_kind(asm, known):
    """Go to the label of the type in rdx, if it is one of `known`: pairs of a type and a label. Most dead objects are of the program's classes: these ask for little."""
    made_by_program = asm.label("made_by_program")
    asm.test(mem32(rdx, L.type_flags), instances.HEAP_TYPE)
    asm.jnz(made_by_program)
    for is_heap_type in (0, instances.HEAP_TYPE):
        for kind, label in known:
            if instances.flags(kind) & instances.HEAP_TYPE == is_heap_type:
                asm.cmp(rdx, relative(asm.constant(id(kind))))
                asm.je(label)
        if not is_heap_type:
            asm.bind(made_by_program)
