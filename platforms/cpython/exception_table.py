"""Exception tables: which handler an exception goes to, and how much of the operand stack stays.

Source: CPython Objects/exception_handling_notes.txt; Python/assemble.c (write_exception_table_item).
"""

_BEGINS, _GOES_ON, _BITS = 0x80, 0x40, 6


def entries(table: bytes) -> list[tuple[int, int, int, int]]:
    """(start, length, target, depth) of each entry; the first three in code units, the depth doubled, its lowest bit saying whether lasti is pushed.

    Raises:
        ValueError: the table is cut off.
    """
    numbers, value = [], 0
    for byte in table:
        value = value << _BITS | byte & _GOES_ON - 1
        if not byte & _GOES_ON:
            numbers.append(value)
            value = 0
    if len(numbers) % 4 or table and table[-1] & _GOES_ON:
        raise ValueError("exception table is cut off")
    return list(zip(*[iter(numbers)] * 4))


def _encoded(value, flag):
    """A number's bytes, the highest first; `flag` marks the first one."""
    pieces = [value & _GOES_ON - 1]
    while value := value >> _BITS:
        pieces.append(value & _GOES_ON - 1 | _GOES_ON)
    return bytes((pieces[-1] | flag, *reversed(pieces[:-1])))


def deepened(table: bytes) -> bytes:
    """The table of code that has one operand more than the original at the bottom of its stack, all the time.

    Without this, what a handler is left with is shifted by one: the interpreter would take anything for anything.

    Raises:
        ValueError: the table is cut off.
    """
    made = bytearray()
    for start, length, target, depth in entries(table):
        made += _encoded(start, _BEGINS)
        for number in (length, target, depth + 2):
            made += _encoded(number, 0)
    return bytes(made)
