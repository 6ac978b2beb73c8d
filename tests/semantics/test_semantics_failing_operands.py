"""Operands of what raises die in the interpreter's order: most instructions drop them before they raise, others leave them to the unwinding."""

from compare import child

PROGRAM = """
from jit import jit
log = []
class Thing:
    def __init__(self, name):
        self.name = name
    def __del__(self):
        log.append(self.name)
class Loud(Thing):
    def refuse(self, *_):
        raise KeyError(self.name)
    __add__ = __lt__ = __contains__ = __getitem__ = __setitem__ = __delitem__ = __call__ = __setattr__ = refuse
    def __init__(self, name):
        self.__dict__["name"] = name
    def __format__(self, spec):
        raise KeyError(self.name)
class Quiet(Thing):
    def nothing(self, *_):
        pass
    __getitem__ = __setitem__ = nothing
def add(): Thing(1) + Thing(2)
def power(): Thing(1) ** Thing(2)
def inplace():
    x = Thing(1)
    x -= Thing(2)
def loud(): Loud(1) + Thing(2)
def less(): Thing(1) < Thing(2)
def loud_less(): Loud(1) < Thing(2)
def contained(): Thing(1) in Thing(2)
def loud_contained(): Thing(1) in Loud(2)
def item(): [Thing(1)][Thing(2)]
def loud_item(): Loud(1)[Thing(2)]
def stored(): [Thing(1)][Thing(2)] = Thing(3)
def loud_stored(): Loud(1)[Thing(2)] = Thing(3)
def deleted():
    del Loud(1)[Thing(2)]
def sliced(): Loud(1)[Thing(2):Thing(3)]
def slice_stored(): [1, 2][0:Thing(1)] = Thing(2)
def quiet_sliced(): Quiet(1)[Thing(2):Thing(3)]
def quiet_slice_stored(): Quiet(1)[Thing(2):Thing(3)] = Thing(4)
def quiet_stored(): Quiet(1)[Thing(2)] = Thing(3)
def attribute(): Loud(1).x = Thing(2)
def no_attribute(): (Thing(1), Thing(2).x)
def called(): Loud(1)(Thing(2), Thing(3))
def not_callable(): Thing(1)(Thing(2), Thing(3))
def method(): [Thing(1)].index(Thing(2), Thing(3))
def builtin(): max(Thing(1), Thing(2))
def keywords(): sorted([Thing(1), 2], key=Thing(3))
def starred(): max(*[Thing(1), Thing(2)], **{"key": Thing(3)})
def table(): {Thing(1).name: Thing(2), Loud(3): Loud(4)(Thing(5))}
def unhashable(): {[]: Thing(1)}
def formatted(): f"{Thing(1)} {Loud(2)} {Thing(3)}"
def nested(): (Thing(1), Thing(2) + Thing(3), Thing(4))
def caught():
    try:
        return [Thing(1), Thing(2) - Thing(3)]
    except TypeError:
        log.append("caught")
        return Thing(4).name
FUNCTIONS = [add, power, inplace, loud, less, loud_less, contained, loud_contained, item, loud_item, stored, loud_stored, deleted, sliced, slice_stored, quiet_sliced, quiet_slice_stored, quiet_stored,
             attribute, no_attribute, called, not_callable, method, builtin, keywords, starred, table, unhashable, formatted, nested, caught]
for function in FUNCTIONS:
    call = jit(function) if COMPILED else function
    for _ in range(6):
        try:
            call()
        except Exception as error:
            log.append(type(error).__name__)
        print(function.__name__, log)
        log.clear()
"""


def test_order():
    plain, compiled = (child(f"COMPILED = {compiled}\n{PROGRAM}") for compiled in (False, True))
    assert plain.splitlines() == compiled.splitlines()
    assert len(plain.splitlines()) == 31 * 6
