"""Faults in attributes, instances, direct calls of methods, and frames that are filled late."""

from fuzz.faults.planting import Fault, rewriting, together

_MODULE = "jit.templates.attributes"

FAULTS = [
    Fault("class-of-receiver-not-guarded", "caches", "jit",
          rewriting("jit.templates.classes", "receiver_of_another_class", ("asm.jne(exit)", "pass")),
          "An attribute is read where instances of the class that was seen have it, whatever the class.", """
class A:
    def __init__(self): self.x, self.y = 1, 2

class B:
    def __init__(self): self.y, self.x = 3, 4

def read(item):
    return item.x

def main():
    return read(A()), read(A()), read(B())
"""),
    Fault("first-value-of-a-name-not-on-record", "caches", "jit",
          rewriting(_MODULE, "emit_replace", ("asm.jz(done if place.number is None else first)", "asm.jz(done)")),
          "An attribute set for the first time is missing when the instance's dict is made.", """
class A: pass

def put(item):
    item.x = 5
    item.y = 6
    item.z = 7

def main():
    found = []
    for _ in range(3):
        item = A()
        put(item)
        found.append(list(vars(item).items()))
    return found
"""),
    Fault("own-attribute-before-method-not-noticed", "caches", "jit",
          rewriting(_MODULE, "instance_may_have_its_own", ("asm.jmp(exit)", "asm.jmp(fine)")),
          "A method is called although the instance has an attribute of its name in its dict.", """
class A:
    def name(self): return "class"

def call(item):
    return item.name()

def main():
    one, two = A(), A()
    two.__dict__ = {"name": lambda: "own"}
    return call(one), call(one), call(two)
"""),
    Fault("stored-attribute-not-counted", "references", "jit",
          rewriting(_MODULE, "store_attribute_of_dict", ("if not moved:", "if False:")),
          "An object stored in an attribute gets no reference for it.", """
class A:
    def __init__(self): self.x = None

def put(item, value):
    item.x = value
    item.x = 1000

def main():
    value = ["kept"]
    for _ in range(5):
        put(A(), value)
    return value, [0] * 3
"""),
    Fault("shared-float-attribute-overwritten", "references", "jit",
          rewriting(_MODULE, "store_attribute_of_dict_float", ("asm.cmp(emitter.refcount(rax), 1)", "asm.cmp(rax, rax)")),
          "A float attribute is overwritten in place although others refer to the object.", """
class A:
    def __init__(self): self.x = 1.5

def bump(item):
    item.x = item.x + 1.0

def main():
    item = A()
    before = item.x
    bump(item)
    return before, item.x
"""),
    Fault("changed-class-makes-old-instances", "caches", "jit",
          rewriting("jit.templates.classes", "class_has_changed", ("asm.jne(exit)", "pass")),
          "An instance is initialised by the __init__ that its class had when the caller was compiled.", """
class A:
    @jit
    def __init__(self): self.x = "first"

@jit
def other(self): self.x = "second"

first = A.__init__

def make():
    return A().x

def main():
    A.__init__ = first
    found = [make(), make()]
    A.__init__ = other
    return found + [make(), make()]
"""),
    Fault("any-instance-is-true", "caches", "jit",
          rewriting("jit.templates.classes", "truth_of_another_class", ("asm.jne(exit)", "pass")),
          "What is not None is true, without asking its class.", """
class A: pass

class Empty:
    def __len__(self): return 0

def truth(item):
    return "true" if item else "false"

def main():
    return truth(A()), truth(None), truth(A()), truth(Empty())
"""),
    Fault("receiver-believed-across-effects", "caches", "jit",
          rewriting("jit.ownership", "Ownership.before_effect", ("self.state.receivers = {}", "pass")),
          "What an instance's class was is believed after code that may have changed it.", """
class A:
    def name(self): return "A"

class B:
    def name(self): return "B"

def change(item):
    item.__class__ = B

def use(item):
    first = item.name()
    change(item)
    return first, item.name()

def main():
    return [use(A()) for _ in range(3)]
"""),
    Fault("not-implemented-is-a-result", "calls", "jit",
          rewriting(_MODULE, "operation_is_not_implemented", ("asm.je(fails)", "pass")),
          "NotImplemented, returned by an operator's method, is taken for its result.", """
class A:
    @jit
    def __add__(self, other):
        return NotImplemented if other.stop else 1
    def __init__(self, stop): self.stop = stop

def add(left, right):
    return left + right

def main():
    found = [add(A(0), A(0)) for _ in range(3)]
    try:
        return found, add(A(0), A(1))
    except TypeError as error:
        return found, str(error)
"""),
    Fault("locals-not-filled-in", "frames", "jit",
          rewriting("jit.machine.lookers", "LookerRoutines.emit_filled", ("asm.je(sketched)", "pass")),
          "Whoever looks at the frame of a compiled function while it calls out sees no locals.", """
import sys

def look():
    return dict(sys._getframe(1).f_locals)

def work(a):
    b = a + 1
    found = look()
    return found, b

def main():
    return work(1), work(2)
"""),
    Fault("callee-left-loses-instance", "calls", "jit",
          together(rewriting("jit.bytecodes.instantiating", "initialise", ("w.state.stack[-depth] = made", "w.state.stack[-depth] = w.state.stack[-1]")),
                   rewriting("jit.ownership", "Ownership.account_for", ("value not in carried", "False"))),  # which would notice
          "A new instance is not what its class's call leaves behind.", """
class A:
    @jit
    def __init__(self, x):
        self.x = 0
        while self.x < 3:
            self.x = self.x + 1
        self.x = x * x

def make(x):
    return type(A(x)).__name__

def main():
    return make(1), make(2), make(2**40), make(2**41)
"""),
]
