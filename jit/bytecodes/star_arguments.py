"""``f(*a, **k)``, and the dictionaries that are merged for it or in ``{**a, **b}``.

Only what can be iterated over without foreign code, and dictionaries with string keys, are taken apart here: the interpreter words its
errors after what was called. Source: CPython Python/ceval.c (CALL_FUNCTION_EX, DICT_MERGE, DICT_UPDATE).
"""

from jit.bytecodes.calls import looks_at_caller
from jit.bytecodes.displays import DICT, NO_KEYS, SOME_KEYS, TextKeys
from jit.bytecodes.guards import probably
from jit.foreign import Call, blind_call, callout
from jit.templates.calls import blind_template
from jit.types import NULL, TUPLE
from jit.values import Value
from jit.walk import bytecode
from platforms.cpython import opcodes

#: What makes a tuple of them, which runs no foreign code.
_TUPLE_OF = {list: "PyList_AsTuple", **dict.fromkeys((range, str, dict, set, frozenset, type({}.keys()), type({}.values()), type({}.items())), "PySequence_Tuple")}


@bytecode("CALL_FUNCTION_EX")
def call_function_ex(w, instruction):
    """Stack: callable and NULL, the arguments, and a dictionary of keyword arguments if bit 0 is set."""
    keywords = instruction.argument & 1
    depth = 3 + keywords
    w.require(depth)
    operands = w.state.stack[-depth:]
    if any(item.__class__ is not Value for item in operands):
        return w.leave("a call with an iterator as its operand")
    if operands[0 if opcodes.NULL_FIRST else 1].type is not NULL:
        return w.leave("a call with *arguments of something else")
    if keywords and probably(w, operands[-1], (dict,), "keyword arguments").type is not DICT:
        return w.leave("keyword arguments that are no dictionary")
    positional = probably(w, w.peek(1 + keywords), (tuple, *_TUPLE_OF), "arguments")
    making = _TUPLE_OF.get(positional.type.python)
    if making is None and positional.type is not TUPLE:
        return w.leave("*arguments that are no list or tuple")
    if making:
        ended = _tuple_of_arguments(w, making, keywords)
        if ended:
            return ended
    made = Call("PyObject_Call", () if keywords else (0,))
    made.looks = looks_at_caller(w, w.peek(depth - opcodes.NULL_FIRST))
    return callout(w, made, depth)


def _tuple_of_arguments(w, making, keywords):
    """Replace what is iterated over by a tuple of its items, with which the interpreter would make the call as well."""
    w.freeze()
    above = w.pop() if keywords else None
    ended = blind_call(w, making, 1, TUPLE)
    if above is not None and not ended:
        w.push(above)
    return ended


@bytecode("DICT_MERGE")
def dict_merge(w, instruction):
    """``f(**k)``: a name that is there twice is an error, so only an empty dictionary takes up another."""
    return _take_up(w, instruction, lambda facts: facts is NO_KEYS)


@bytecode("DICT_UPDATE")
def dict_update(w, instruction):
    return _take_up(w, instruction, lambda facts: facts.__class__ is TextKeys)


def _take_up(w, instruction, fits):
    """Stack: the dictionary that is being made, `argument` deep; another."""
    w.require(instruction.argument + 1)
    container, items = w.peek(instruction.argument + 1), w.peek()
    if container.__class__ is not Value or items.__class__ is not Value or not fits(container.facts):
        return w.leave("dictionaries are merged")
    items = probably(w, items, (dict,), "merged")
    if items.type is not DICT:
        return w.leave("something that is no dictionary is merged")
    if items.facts.__class__ is not TextKeys:
        w.operation("guard_text_keys", items, exit=w.exit("keys that are no strings"))
    w.before_effect(rebinds=False)
    w.freeze()
    w.operation_of(blind_template(2), [container, items], exit=w.exit_here("exception"), detail=Call("PyDict_Update", failure=-1))
    container.facts = SOME_KEYS
    w.pop()
    w.release(items)
    return None
