"""Whether a version's machine code is expected to be faster than the interpreter.

Problem: a call out of compiled code into the C-API needs an interpreter frame around it, and so costs more than the interpreter's own
specialised instruction. A function that does little else is better left alone.
Idea: a static profile. Each operation has a gain over the interpreter (measured on the operations' own loops; ns, rounded), each
block a frequency: loops turn ten times, branches go both ways, except that few leave a loop or end in the interpreter.
`JIT_EAGER=1` compiles all the same, and so does `python -m jit run --eager`: for tests, and for whoever wants to see the code.
"""

import os

ASKED = os.environ.get("JIT_EAGER", "") not in ("", "0")
#: Whether all is compiled.
EAGER = ASKED

TURNS = 10.0
#: How often a loop is left by a branch in it, and how often a branch leads to code that only leaves.
LEAVES_LOOP, LEAVES_CODE = 0.1, 0.05
#: What an operation gains in nanoseconds, where it is not the usual.
GAINS = {"callout": -20, "call_body": 30, "blind_call": 5, "blind_vectorcall": 5, "build": 5, "jump": 0, "poll": 0, "incref": 0, "hold": 0, "drop": 0,
         "drop_if": 0, "drop_unless": 0, "leave": 0, "return": 5, "guard_type": 0, "guard_bound": 0, "guard_distinct": 0, "guard_levels": 0, "guard_few": 0, "list_items": 0,
         "length": 5, "guard_class": 0, "guard_tag": 0, "guard_values": 0, "branch_class": 0, "branch_type": 0, "attribute_object": 3, "attribute_exact": 3,
         "store_attribute_object": 3, "new_instance": 5}
USUAL_GAIN = 12
#: Asking an iterator of a kind that is not known for its next item, around which the frame has to be shown.
UNKNOWN_ITERATOR = -45
#: Entering a with block by a call: the interpreter looks up two methods each time, binds both, and has no form of its own for either call.
ENTERING = 60
#: Calls after which the interpreter has to go on, because somebody has the frame.
SHOWN = -250
#: What a call out of compiled code takes where it is done by the interpreter.
TAKEN = 60
#: The share of its time that a function has to save: below it, what is gained is lost again where interpreted code calls it.
LEAST_PROMISE = 0.1
#: What compiled callers gain because they need not call the interpreter.
CALLABLE = 25


def expected_gain(order, hoped=None):
    """Nanoseconds that one run of these blocks is expected to save.

    Args:
        order: all blocks in linear order, loops known (see order.arrange). hoped: gain of a call out of compiled code, if not the usual.
    """
    return CALLABLE + sum(frequency * sum(_gain(operation, hoped) for operation in (*block.operations, block.terminator))
                          for block, frequency in frequencies_of(order))


def promise(order):
    """What is expected to be gained by these blocks, as a share of the time that the interpreter would take: 0 to 1."""
    gained = taken = 0.0
    for block, frequency in frequencies_of(order):
        for operation in (*block.operations, block.terminator):
            gain = _gain(operation, None)
            gained += frequency * gain
            taken += frequency * (gain if gain > 0 else TAKEN if gain < 0 else 0.0)
    return min(1.0, max(0.0, gained / taken)) if taken else 0.0


def frequencies_of(order):
    """Yield (block, how often it is run when the first is run once)."""
    frequencies = {order[0]: 1.0}
    for block in order:
        frequency = frequencies.get(block, 0.0)
        if block.loop is not None and block.loop.header is block:
            frequency *= TURNS
        yield block, frequency
        shares = [_share(block, edge) for edge in block.edges]
        for edge, share in zip(block.edges, shares):
            if not edge.backward:
                frequencies[edge.target] = frequencies.get(edge.target, 0.0) + frequency * share / sum(shares)


def _gain(operation, hoped):
    name = operation.template.name
    if shows_frames(operation):
        return SHOWN
    if name == "callout" and operation.detail.symbol == "PyIter_Next":
        return UNKNOWN_ITERATOR
    if name == "callout" and operation.detail.symbol == "PyObject_CallOneArg":
        return ENTERING
    if name == "callout" and hoped is not None:
        return hoped
    return GAINS.get(name, USUAL_GAIN)


def shows_frames(operation):
    """Whether an operation gives frames of its callers away, so that these leave their compiled code behind it."""
    name = operation.template.name
    return operation.detail.shows if name == "callout" else name == "call_body" and operation.detail.target.shows


def _share(block, edge):
    """How likely an edge is taken, compared with the block's others."""
    target = edge.target
    if target.terminator.template.name == "leave":
        return LEAVES_CODE
    return LEAVES_LOOP if block.loop is not None and target not in block.loop.blocks else 1.0


def is_worthwhile(order, is_running=False, is_first=True, is_called=False):
    """Whether to compile. While types are still being noted the next version will know more, and other calls out of it count for nothing.

    Args:
        is_running: the interpreter is in the midst of it, and the next version may never come. is_first: none was compiled in that hope before:
            what that one has learnt is all there is to know, mostly. (Of 967 versions in 80 programs one had to be compiled three times.)
        is_called: by compiled code, see is_promising.
    """
    if EAGER:
        return True
    if is_first and is_observing(order) and not any(shows_frames(operation) for block in order for operation in block.operations):
        return not is_running or expected_gain(order, hoped=0) >= 0
    return is_promising(expected_gain(order), promise(order), is_called)


def is_promising(gain, promised, is_called=False):
    """Whether what is expected of a version, as it is, is enough to compile it.

    Args:
        is_called: compiled code calls it. That would have to call the interpreter instead, for which a function that gains next to nothing is worth its while.
    """
    return EAGER or gain >= 0 and (is_called or promised >= LEAST_PROMISE)


def is_observing(order):
    """Whether types are noted for the next version."""
    return any(operation.template.name == "observe" for block in order for operation in block.operations)


def is_hoped_for(order):
    """Whether a version is made in the hope only that the next one, which will know more types, is worthwhile: that one should come soon."""
    return not EAGER and is_observing(order) and expected_gain(order) < 0
