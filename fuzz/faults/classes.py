"""Classes as arguments, classes derived from lists, and what happens without a frame around it."""

from fuzz.faults.planting import Fault, rewriting

FAULTS = [
    Fault("another-class-not-noticed", "caches", "jit",
          rewriting("jit.templates.boxing", "another_object", ("asm.jne(exit)", "pass")),
          "The class that a function is called with is taken for the one it was compiled for.", """
class First:
    level = 1

class Second:
    level = 2

def level(kind):
    return kind.level

def main():
    return [level(kind) for kind in (First, First, First, Second, First)]
"""),
    Fault("initialiser-of-a-derived-list-runs-unseen", "frames", "jit",
          rewriting("jit.bytecodes.instantiating", "derives_plainly", ("(fields.type_new, fields.type_init)", "(fields.type_new,)")),
          "A class derived from list is made without a frame although its initialiser is a Python function.", """
import sys

class Items(list):
    def __init__(self, *more):
        list.__init__(self, more)
        self.made_by = sys._getframe(1).f_code.co_name

def make():
    items = Items()
    return items.made_by

def main():
    return [make() for _ in range(4)]
"""),
    Fault("items-of-a-derived-list-freed-unseen", "frames", "jit",
          rewriting("jit.machine.harmless", "_emit_instance", ("asm.cmp(mem32(rcx, 28), IS_LIST)\n    asm.jb(no_items)\n    asm.ja(is_tuple)", "asm.jmp(no_items)\n    pass\n    pass")),
          "A dying instance of a class derived from list is freed without a frame whatever its items are.", """
import sys

class Items(list):
    pass

class Loud:
    def __del__(self):
        SEEN.append(sys._getframe(1).f_code.co_name)

SEEN = []

def use():
    items = Items()
    items.append(Loud())
    items = None
    return len(SEEN)

def main():
    del SEEN[:]
    return [use() for _ in range(4)], SEEN[:]
"""),
    Fault("sequence-dies-unseen-with-its-iterator", "frames", "jit",
          rewriting("jit.machine.freeing", "FreeingRoutines.emit_is_only_holder", ("asm.je(foreign)", "pass")),
          "An iterator that is the last to hold a list is freed without a frame whatever the list holds.", """
import sys

class Loud:
    def __del__(self):
        SEEN.append(sys._getframe(1).f_code.co_name)

SEEN = []

def count(kind):
    total = 0
    for item in [kind(), kind()]:
        total += 1
        item = None
    return total

def main():
    del SEEN[:]
    return [count(Loud) for _ in range(4)], SEEN[:]
"""),
    Fault("foreign-text-made-unseen", "frames", "jit",
          rewriting("jit.bytecodes.operators", "format_text", ("item.type.python in _PLAIN_TEXT", "item.type.is_object")),
          "Formatting an instance runs its method without a frame around it.", """
import sys

class Named:
    def __str__(self):
        return sys._getframe(1).f_code.co_name

def show(item):
    return "made by %s" % item

def main():
    return [show(Named()) for _ in range(4)]
"""),
    Fault("own-attribute-hidden-by-its-absence-elsewhere", "caches", "jit",
          rewriting("jit.templates.instance_dicts", "emit_absence",
                    ("asm.cmp(mem8(rdx, index), number)\n        asm.jne(otherwise)", "asm.cmp(mem8(rdx, index), number)\n        pass")),
          "An instance's dict is believed not to have a name because another one had it not.", """
class Thing:
    def name(self):
        return "method"

def call(thing):
    return thing.name()

def main():
    found = []
    things = [Thing() for _ in range(8)]
    for number, thing in enumerate(things):
        thing.__dict__ = {"first": 1}
        if number > 5:
            thing.__dict__ = {"first": 1, "name": lambda: "its own"}
        found.append(call(thing))
    return found
"""),
    Fault("keys-of-sets-told-apart-by-hash", "containers", "jit",
          rewriting("jit.machine.lookups", "_Finder.emit_compare_int", ("asm.jne(self.unknown)", "asm.jne(other)")),
          "A key of another type that is equal to an int is not found in a set.", """
class Number:
    def __hash__(self):
        return 5

    def __eq__(self, other):
        return other == 5

def has(items, number):
    return number in items

def main():
    return [has(items, 5) for items in ({1, 2}, {5}, {4, Number()}, {5.0})]
"""),
    Fault("local-function-keeps-its-code", "calls", "jit",
          rewriting("jit.templates.classes", "function_has_another_code", ("asm.jne(exit)", "pass")),
          "A function that was made where it is called is called by the code it was made with, whatever it has now.", """
def run(times):
    def first(number):
        return "first", number

    def second(number):
        return "second", number

    found = []
    for number in range(times):
        found.append(first(number))
        if number == 2:
            first.__code__ = second.__code__
    return found

def main():
    return run(5), run(2)
"""),
    Fault("dict-that-changed-its-size-is-walked-on", "containers", "jit",
          rewriting("jit.machine.dictionaries", "_emit_next_entry", ("asm.cmp(rax, mem64(rcx, L.dict_iterator_used))\n    asm.jne(unknown)",
                                                                     "asm.cmp(rax, mem64(rcx, L.dict_iterator_used))\n    pass")),
          "A loop over a dict goes on although the dict has got more entries.", """
def double(items, seen):
    for key in items:
        items[key + 100] = key
        seen.append(key)
    return "done"

def main():
    seen = []
    return attempt(double, {1: 2, 3: 4, 5: 6}, seen), attempt(double, {}, seen), seen
"""),
]
