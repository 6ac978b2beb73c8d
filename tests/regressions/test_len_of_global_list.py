"""The length of a list that a global names was taken for a constant, and so was what unpacking it gave."""

from fuzz.export import check

SOURCE = '''\
L = [1, 2]
B = bytearray()
def f(n):
    total = 0
    for i in range(n):
        total += len(L)
        if i == 1:
            L.append(3)
    a, b, *c = L
    L[1:] = [7]
    if not B:
        B.append(1)
        total += 100
    if not B:
        total += 1000
    d, e = L
    return total, a, b, c, d, e
'''
CASE = {'source': SOURCE,
 'entry': 'f',
 'calls': ['(3,)', '(3,)'],
 'code': '',
 'manner': 'plain',
 'origin': ['objects'],
 'way': 'compiled',
 'register': 4}


def test_len_of_global_list():
    check('jit', CASE)
