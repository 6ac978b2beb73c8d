"""A range as numbers met a range object in a block that takes any types: an internal error."""

from fuzz.export import check

SOURCE = '''\
import math
from array import array
inf = 1e999
nan = inf - inf
G0 = 2
G1 = inf
G2 = [1, 2.5, 3]
def f0(p0, p1, p2, p3):
    p2 = (p2 >> 31)
    p2 = ((((-2147483649) * False) and (p2 - (2))) + ((3 / p2) - ((-1) % -1)))
    p3[0] += 3
    for i1 in range(4611686018427387904, 4611686018427387904 + 1):
        i1 *= 2.0
        v2, p2, p2 = (ord(chr(3 & 1023)) < (p2 + 2)), i1, (p2 or -2)
        for i3 in range(5, 5 + -3, p2):
            if len(p3) < 12: p3.append((p1[2] + (i3 % (32768))))
            pass
        pass
    pass
    return (p3,)
'''
CASE = {'source': SOURCE,
 'entry': 'f0',
 'calls': ["(range(0, 3, 1), memoryview(array('f', [100, 100, 2, 7, 2])), -2, [3, -1, 0, 3])",
           "(True, memoryview(array('b', [1, 100])), 5, [3, 0.0, 5e-324, -inf, 5e-324])"],
 'code': '',
 'manner': 'plain',
 'origin': ['typed'],
 'way': 'compiled',
 'register': 7}


def test_two_kinds_of_iterator():
    check('jit', CASE)
