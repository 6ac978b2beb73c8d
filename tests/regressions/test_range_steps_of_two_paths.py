"""Ranges with different constant steps, known on two paths only, met at the head of their loop: an internal error."""

from fuzz.export import check

SOURCE = '''\
def f0(p0, p3):
    step = (True if 5 < (p0 + p3) else -2) + (1 or p3)
    for i3 in range(0, -3, step):
        if p3 > (step ** 0):
            return p0 ** 0.5
    return (step,)
def f1(p0):
    found = []
    for i in range(0, 7, (True if p0 else 2) + 1):
        found.append(i)
    return found
'''


def case(entry, *calls, way='compiled'):
    return {'source': SOURCE, 'entry': entry, 'calls': list(calls), 'code': '', 'manner': 'plain', 'origin': ['typed'], 'way': way,
            'register': 11}


def test_steps_of_different_signs():
    for way in ('compiled', 'forced'):
        check('jit', case('f0', "(0.5, 3)", "(3.75, -2)", "(9.0, 1)", way=way))


def test_steps_of_the_same_sign():
    for way in ('compiled', 'forced'):
        check('jit', case('f1', "(0,)", "(1,)", way=way))
