"""A function's calls of itself were told the type of its first returns, not of all: an int came out as a pointer."""

from fuzz.export import check

SOURCE = '''\
def f1(p0, p1):
    if 0 < p0 < 7:
        return f1(p0 - 1, p1) + 1
    p0 = True
    v3 = abs(p0)
    return isinstance(v3, float) == (v3 >> 64)
'''
CASE = {'source': SOURCE,
 'entry': 'f1',
 'calls': ['(1, 2.0)', '(3, 2.0)'],
 'code': '',
 'manner': 'plain',
 'origin': ['typed'],
 'way': 'compiled',
 'register': 0}


def test_result_of_recursion():
    check('jit', CASE)
