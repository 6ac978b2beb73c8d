"""Counting references."""

from fuzz.faults.planting import Fault, rewriting

FAULTS = [
    Fault("append-without-incref", "references", "jit",
          rewriting("jit.templates.calls", "list_append", ("emit_incref(asm, rax, rdx)", "pass")),
          "An appended object gets no reference from the list, unless the list has to grow.", """
import sys

def collect(items, item):
    items.append(item)
    return len(items)

def main():
    item = object()
    keep, items = [item] * 50, [1, 2, 3, 4, 5]
    items.append(6)
    counts = [collect(items, item) for _ in range(2)]
    return counts, sys.getrefcount(item)
"""),
    Fault("returned-item-without-incref", "references", "jit",
          rewriting("jit.bytecodes.control", "return_value",
                    ("value not in state.owned:", "value not in state.owned and value not in state.transient:")),
          "An object that was read from a container is returned without a reference of its own.", """
import sys

def first(items):
    return items[0]

def main():
    item = object()
    keep = [item] * 50
    got = [first(keep) for _ in range(10)]
    return sys.getrefcount(item)
"""),
    Fault("borrowed-item-not-kept-across-store", "references", "jit",
          rewriting("jit.bytecodes.containers", "store_subscr", ("w.before_effect()\n        return store_item", "w.freeze()\n        return store_item")),
          "An item that was read from a list is not held while the list's reference to it is replaced.", """
def replace(items, new):
    old = items[0]
    items[0] = new
    other = [new, new]
    return old, other

def main():
    return [replace([["old", "item"], "b"], "new") for _ in range(5)]
"""),
    Fault("loop-variable-without-incref", "references", "jit",
          rewriting("jit.placement", "Placement.edge_moves", ("self.emit_incref(value)", "pass")),
          "An object that becomes the value of a loop's variable gets no reference for it.", """
import sys

def exchange(a, b, count):
    last = b
    for _ in range(count):
        last, b = a, last
    return last

def main():
    item, other = object(), object()
    keep = [item, other] * 50
    got = [exchange(item, other, 3) for _ in range(10)]
    return sys.getrefcount(item), sys.getrefcount(other)
"""),
    Fault("local-not-dropped-at-return", "references", "jit",
          rewriting("jit.templates.control", "return_result", ("in operation.detail:", "in operation.detail[1:]:")),
          "The first local that holds a reference keeps it when the function returns.", """
import sys

def count(item):
    pair = [item, item]
    return len(pair)

def main():
    item = object()
    counts = [count(item) for _ in range(10)]
    return counts, sys.getrefcount(item)
"""),
    Fault("reference-moved-into-two-slots", "exits", "jit",
          rewriting("jit.descriptors", "DescriptorWriter.entry", ("value in owned and root not in given", "value in owned")),
          "Two variables that name one object both take its only reference into the interpreter's frame.", """
import sys

def double(item, number):
    first = [item]
    second = first
    return second, number + number

def main():
    keep = []
    for number in (1, 2**62):
        keep.append(double("item", number)[0])
    return [sys.getrefcount(item) for item in keep]
"""),
    Fault("taken-argument-without-incref", "references", "jit",
          rewriting("jit.bytecodes.operands", "give", ('w.operation("incref", value)', "pass")),
          "A callee that takes over its arguments gets no reference of its own to one that its caller goes on holding.", """
import sys

def callee(item, number):
    total = 0
    for i in range(number):
        total += i
    item = total
    return item

def caller(item):
    return callee(item, 5) + callee(item, 6)

def main():
    item = object()
    keep = [item] * 100
    counts = [caller(item) for _ in range(10)]
    return counts, sys.getrefcount(item)
"""),
    Fault("taken-argument-kept", "references", "jit",
          rewriting("jit.bytecodes.operands", "give", ("given.add(value)", 'given.add(value) or w.operation("incref", value)')),
          "The reference that only a call has to its argument is not handed over, but kept.", """
import weakref

class Thing:
    pass

def callee(thing, number):
    dead = weakref.ref(thing)
    for i in range(number):
        number += i
    thing = number
    return dead() is None, thing

def caller(number):
    return callee(Thing(), number)

def main():
    return [caller(number) for number in range(5)]
"""),
    Fault("arguments-taken-from-anybody", "references", "jit",
          rewriting("jit.matching", "ArgumentMatching.emit_operands_check", ("asm.jae(other)", "return")),
          "An entry takes arguments over although it is C code that passes them, and goes on using them.", """
import sys

def key(item):
    name = str(item)
    item = name
    return len(item)

def main():
    item = object()
    keep = [item] * 100
    got = [sorted([item, item], key=key)[1] is item for _ in range(10)]
    return got, sys.getrefcount(item)
"""),
    Fault("index-of-a-store-kept", "references", "jit",
          rewriting("jit.ownership", "Ownership.settle", ('self.operation("drop", value)', "pass")),
          "The object that an index was before it became a machine number is never dropped.", """
import sys
from types import SimpleNamespace

def store(items, numbers, value):
    items[numbers.index] = value
    return items[numbers.index]

def main():
    numbers = SimpleNamespace(index=int("700"))
    items = [0] * 1000
    got = [store(items, numbers, value) for value in range(50)]
    return got, sys.getrefcount(numbers.index)
"""),
    Fault("second-operand-kept-where-a-finaliser-looks", "references", "jit",
          rewriting("jit.ownership", "Ownership.unnamed", ("held = self.state.values()", "return ()")),
          "Where the finaliser of an operand looks at the frame, the other operand never dies.", """
import sys

log = []

class Thing:
    def __init__(self, name):
        self.name = name
    def __del__(self):
        log.append((self.name, sys._getframe(1).f_lineno > 0))

def make(name):
    return Thing(name)

def same(number):
    return make("left") is make("right"), number

def main():
    got = [same(number) for number in range(30)]
    return got, log
"""),
]
