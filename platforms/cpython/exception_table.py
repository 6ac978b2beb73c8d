"""Exception tables: which handler an exception goes to, and how much of the operand stack stays.

Source: CPython Objects/exception_handling_notes.txt; Python/assemble.c (write_exception_table_item).
"""

_BEGINS, _GOES_ON, _BITS = 0x80, 0x40, 6


def _numbers(table):
    """Yield the numbers of a table: start, length, target and depth of each entry, one after another."""
    value = 0
    for byte in table:
        value = value << _BITS | byte & _GOES_ON - 1
        if not byte & _GOES_ON:
            yield value
            value = 0


def _encoded(value, flag):
    """A number's bytes, the highest first; `flag` marks the first one."""
    pieces = [value & _GOES_ON - 1]
    while value := value >> _BITS:
        pieces.append(value & _GOES_ON - 1 | _GOES_ON)
    return bytes((pieces[-1] | flag, *reversed(pieces[:-1])))


def deepened(table: bytes) -> bytes:
    """The table of code that has one operand more than the original at the bottom of its stack, all the time.

    Without this, what a handler is left with is shifted by one: the interpreter would take anything for anything.
    """
    made = bytearray()
    for number, value in enumerate(_numbers(table)):
        field = number % 4
        made += _encoded(value + 2 if field == 3 else value, 0 if field else _BEGINS)  # a depth is doubled; its lowest bit says whether lasti is pushed
    return bytes(made)
