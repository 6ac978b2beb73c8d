"""The types of compiled regular expressions and of what they find, whether the program imports `re` or not.

Source: CPython Modules/_sre.c (_sre_compile_impl, _validate), Lib/re/_constants.py.
"""

import _sre

_SUCCESS = 1


def empty_pattern():
    """A pattern that finds the empty text, made without the parser."""
    return _sre.compile("", 0, [_SUCCESS], 0, {}, (None,))


MATCH = type(empty_pattern().match(""))
