"""A range whose step is a bool on one path and an int on another met itself in a block that takes any types: an internal error."""

from fuzz.export import check

SOURCE = '''\
def f0(p0):
    v1 = (((1 in range(5))) or p0[2])
    v2 = abs(v1)
    for i3 in range(5, 5 + -3, v1):
        if min(-1.5, v1) > (i3 // 0.5):
            i3 = v1
            pass
        elif (v2 + v2) <= len(p0[i3:-1]):
            pass
        pass
    pass
    return (len(p0[-2:-1]) / (2 if v2 is not p0 else v2))
def f1(p0, p1):
    v1 = p0 > 2 and p1
    found = []
    for i3 in range(p0 > 1 or p1, 5 if p0 else p0 > 2, p0 > 1 or p1):
        for i4 in range(v1 or p1, i3, p1):
            found.append((i3, i4))
    return found
'''


def case(entry, *calls):
    return {'source': SOURCE, 'entry': entry, 'calls': list(calls), 'code': '', 'manner': 'plain', 'origin': ['typed'], 'way': 'starved',
            'register': 11}


def test_range_step_from_bool():
    check('jit', case('f0', "(b'\\x00a\\x01',)", "(b'\\x80\\x80\\x00\\x80',)"))


def test_all_parts_of_ranges_from_bools():
    check('jit', case('f1', "(3, 1)", "(0, 2)", "(1, 1)", "(3, 3)", "(2, 2)"))
