"""An item of a tuple that decided an `and` was counted twice when a local held it, too."""

from fuzz.export import check

SOURCE = '''\
nan = float('nan')
def f1(p0, p1):
    v2 = p0
    v3 = p1[1]
    if (v3 and v2) == v2:
        pass
'''
CASE = {'source': SOURCE,
 'entry': 'f1',
 'calls': ['(False, (0, 1e-10))', '(False, (0, nan))'],
 'code': '',
 'manner': 'plain',
 'origin': ['typed'],
 'way': 'compiled',
 'register': 4}


def test_references_of_and():
    check('jit', CASE)
