"""The first item of range(True, ...) was True, not 1."""

from fuzz.export import check

SOURCE = '''\
def f0(p0, step):
    items = [i for i in range(p0, p0 + 2)]
    for i in range(p0, 3):
        items.append(i)
    for i in range(True, 4, step):
        items.append(i)
    for i in range(p0, 5, 5):
        pass
    return items, i
'''
CASE = {'source': SOURCE,
 'entry': 'f0',
 'calls': ['(True, 2)', '(False, True)', '(1, 3)'],
 'code': '',
 'manner': 'plain',
 'origin': ['typed'],
 'way': 'compiled',
 'register': 4}


def test_range_from_bool():
    check('jit', CASE)
