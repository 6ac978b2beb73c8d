"""Leaving behind the search of a `not in` gave the interpreter the answer to `in`."""

from fuzz.export import check

SOURCE = '''\
import sys
class Item:
    def __eq__(self, other):
        global G
        G += 1
        sys._getframe(1).f_locals
        return False
G = 0
def f(items):
    return G, Item() not in items, Item() in items, G
'''
CASE = {'source': SOURCE,
 'entry': 'f',
 'calls': ['([1, 2],)', '([1],)', '([],)'],
 'code': '',
 'manner': 'plain',
 'origin': ['objects'],
 'way': 'compiled',
 'register': 4}


def test_not_in_behind_an_exit():
    check('jit', CASE)
