"""Arguments that only the call held were never dropped after direct calls of compiled functions."""

from fuzz.export import check

SOURCE = '''\
def f0(p0, l):
    for i in range(1):
        pass
    return (l, p0)
def f1(p0):
    p0 = f0(p0, [1, 2])
'''
CASE = {'source': SOURCE,
 'entry': 'f1',
 'calls': ['(2.0,)'],
 'code': '',
 'manner': 'plain',
 'origin': ['typed'],
 'way': 'compiled',
 'register': 0}


def test_arguments_of_direct_calls():
    check('jit', CASE)
