"""Found by comparison: compiled twice: not the same code"""

from fuzz.export import check

SOURCE = '''\
import math
from array import array
inf = 1e999
nan = inf - inf
LOG = []
HELD = [1, 2.5]
G = 2
class A:
    def __init__(self, v, w=1):
        self.v, self.w, self.n = v, w, 0
    @property
    def p(self):
        LOG.append(('A', 'p'))
        return self.v
    def step(self, x=1):
        LOG.append(('A', 'step'))
        return self.v
    def __repr__(self): return '<A>'
class B:
    def __init__(self, v, w=1):
        self.v, self.w, self.n = v, w, 0
    @property
    def p(self):
        LOG.append(('B', 'p'))
        global G
        G = None
        return self.v
    @p.setter
    def p(self, value):
        LOG.append(('B', 'set p'))
        self.v = 2
    def step(self, x=1):
        LOG.append(('B', 'step'))
        self.__class__ = B
        return self
    def __repr__(self): return '<B>'
class C(int):
    v = 2.5
    w = n = 0
    @property
    def p(self):
        LOG.append(('C', 'p'))
        if type(G) is int: raise ZeroDivisionError('C')
        return self.v
def help1(x, depth=3):
    if depth <= 0:
        return x
    return help1(x, depth - 1)
def entry(p0, p1):
    LOG.clear()
    if type(p0) is A: p0.__class__ = B
    t1 = 'abc'.replace('b', str(p1))
    t2 = help1((p0.step(x=2)), depth=2)
    return (p0, p1, t2, (getattr(p0, 'w', 0), p0),)
'''
CASE = {'source': SOURCE,
 'entry': 'entry',
 'calls': ["(A('v'), 255)", "(B('v'), True)", '(C(255), 1.5)'],
 'code': '',
 'manner': 'plain',
 'origin': ['objects'],
 'way': 'shuffled',
 'register': 12}


def test_compiled_twice_not_the_same_code():
    check('jit', CASE)
