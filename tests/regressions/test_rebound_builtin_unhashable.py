"""Found by comparison: starved: exception: arguments of TypeError"""

from fuzz.export import check

SOURCE = '''\
import math
from array import array
inf = 1e309
nan = inf - inf

class Number(int):
    pass

class Real(float):
    pass

def g(a):
    return min(a)

def f0(p0, p1):
    global min
    p1, r, *min = p0
    r = g(p0)
    r = g(p0)
    if p1:
        min = type
    return (r, g(p0))
'''
CASE = {'source': SOURCE,
 'entry': 'f0',
 'calls': ['((257, 1152921504606846974,), False)', "('', False)", '((6, 8, -9, -9,), True)', '([4, -3], False)'],
 'code': '',
 'manner': 'plain',
 'origin': ['idiom', 'rearrange', 'splice'],
 'way': 'starved',
 'register': 8}


def test_starved_exception_arguments_of_typeerror():
    check('jit', CASE)
