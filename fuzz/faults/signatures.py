"""Keyword-only parameters, *args and **kwargs, and keys and methods that are not what they mostly are."""

from fuzz.faults.planting import Fault, rewriting

FAULTS = [
    Fault("default-of-a-keyword-dies-in-the-call", "ownership", "jit",
          rewriting("jit.matching_all", "MatchingAll.emit_match_all", ("self._emit_hold(frame.keyword_default(number))", "pass")),
          "The default of a keyword-only parameter is given back after the call though nobody has taken a reference.", """
class Value:
    def __del__(self):
        GONE.append(1)

GONE = []

def take(*, value=None):
    return value is not None

def main():
    del GONE[:]
    take.__kwdefaults__ = {"value": Value()}
    found = [take() for _ in range(6)]
    return found, len(GONE)
"""),
    Fault("keyword-of-the-same-name-taken-for-another", "direct calls", "jit",
          rewriting("jit.matching_all", "MatchingAll._emit_other_name", ("asm.cmp(rax, self.constant(hash(name)))\n            asm.je(fail)", "pass\n            pass")),
          "A keyword whose string is equal to a parameter's, but another object, goes into **kwargs.", """
def take(first=0, *, other=1, **more):
    return first, other, more

def main():
    name = "".join(["oth", "er"])
    found = [take(number, other=number, some=number) for number in range(5)]
    return found, [take(**{name: number}) for number in range(5)]
"""),
    Fault("rest-of-the-arguments-in-the-wrong-order", "direct calls", "jit",
          rewriting("jit.matching_all", "MatchingAll._emit_tuple", ("mem64(r8, 8 * count, r9, 8)", "mem64(r8, 0, r9, 8)")),
          "The tuple of *args begins with the arguments that have parameters.", """
def take(first, *rest):
    return first, rest

def main():
    return [take(1, 2, 3) for _ in range(5)]
"""),
    Fault("key-with-the-same-hash-not-asked", "caches", "jit",
          rewriting("jit.machine.lookups", "_Finder.emit_compare_object", ("asm.jmp(self.unknown)", "asm.jmp(other)")),
          "A key that has the hash of another one's address is not asked whether it is equal.", """
class Node:
    pass

class Same:
    def __init__(self, node):
        self.node = node
    def __hash__(self):
        return object.__hash__(self.node)
    def __eq__(self, other):
        return other is self.node

def ask(table, key):
    return key in table, table.get(key)

def main():
    node = Node()
    plain = {node: 1}
    for _ in range(300):
        ask(plain, node)
    return [ask({Same(node): 2}, node) for _ in range(3)]
"""),
    Fault("method-left-behind-without-its-null", "frames", "jit",
          rewriting("jit.bytecodes.attributes", "put_callable", ("w.state.stack.insert(len(w.state.stack) - 1, w.null)", "pass"),
                    ("return put_attribute()", "return put_attribute() or push_callable(w, w.pop())"), ("w.null_above = True", "w.null_above = False")),
          "Where code left behind the look-up of a method that is none, the interpreter finds no NULL beside it.", """
import sys

KEPT = []

class Odd:
    @property
    def made(self):
        KEPT.append(sys._getframe(1))
        return lambda *arguments: arguments

def use(thing, number):
    return number, thing.made(number)

def main():
    return [use(Odd(), number) for number in range(4)]
"""),
]
