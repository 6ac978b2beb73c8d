"""The abstract walk and what it believes to know."""

import operator

from fuzz.faults.planting import Fault, replacing_item, rewriting, together

FAULTS = [
    Fault("stale-type-round-a-loop", "walk", "jit",
          together(rewriting("jit.merge", "Merger.attach",
                             ("elif wanted is OBJECT and value.type.is_object:",
                              "elif wanted.is_object is value.type.is_object and "
                              "wanted.register_class == value.type.register_class:")),
                   rewriting("jit.walk", "_check_edges",
                             ("if parameter.type.is_object and value.type.is_object and value.type is not PENDING and "
                              "parameter.type is OBJECT:",
                              "if parameter.type.is_object is value.type.is_object and value.type is not PENDING and "
                              "parameter.type.register_class == value.type.register_class:"))),
          "The type that a variable has before a loop is believed in every turn, whatever the loop has assigned.", """
def changes(items):
    last = None
    count = 0
    for item in items:
        if last is None:
            count = count + 1
        last = item
    return count

def last_above(numbers, limit):
    found = 5
    for number in numbers:
        found = number > limit
    return found

def main():
    return changes(["a", "b", "c"]), changes([None, None]), last_above([1, 2], 1)
"""),
    Fault("constant-difference-exchanged", "walk", "jit",
          replacing_item("jit.bytecodes.numbers", "_FOLD", "-", lambda a, b: operator.sub(b, a)),
          "Differences of constants are folded with their operands exchanged.", """
def run(number):
    a = 10
    b = 4
    return a - b + number

def main():
    return run(1)
"""),
    Fault("reads-hoisted-past-stores", "hoisting", "jit",
          rewriting("jit.hoisting", "_Hoister.is_quiet",
                    ("operation.template.name not in QUIET or operation.after is not None:",
                     "operation.template.name not in QUIET and "
                     'not operation.template.name.startswith(("list_append", "store_item", "box", "drop")):')),
          "A loop that appends and stores is taken for one that leaves lists as they are: its reads are done before it.", """
def run(items, count):
    total = 0
    for number in range(count):
        items.append(number)
        total = total + items[-1] + len(items)
    return total

def sums(items, count):
    for number in range(count):
        items[1] = items[0] + number
        items[0] = items[1] + 1
    return items

def main():
    return run([5], 10), sums([1, 2], 5)
"""),
    Fault("closure-variable-frozen", "walk", "jit",
          rewriting("jit.bytecodes.names", "load_deref",
                    ('w.push(take(w, "cell", (cell,), "cell", Shape(exact(CellType), shape_of(content))))',
                     "w.push(w.constant(content))")),
          "A variable of an enclosing function keeps the value it had when the function was compiled.", """
def counter():
    count = 0
    def step(by):
        nonlocal count
        count = count + by
        return count
    return jit(step)

def main():
    step = counter()
    return step(1), step(2), step(3)
"""),
    Fault("global-not-checked-again", "guards", "jit",
          rewriting("jit.machine.validity", "ValidityRoutines.emit_look_into_dictionaries",
                    ("asm.cmp(rax, mem64(r13, r.D_VALUE))\n        asm.jne(failed)", "asm.cmp(rax, mem64(r13, r.D_VALUE))\n        pass")),
          "A version is believed to hold although a global that it relies on was rebound.", """
SCALE = 3

def scaled(number):
    return number * SCALE

def main():
    found = [scaled(5)]
    globals()["SCALE"] = 7
    found.append(scaled(5))
    globals()["SCALE"] = 3
    return found
"""),
    Fault("shadowed-builtin-not-noticed", "guards", "jit",
          rewriting("jit.unit", "Unit.global_value", ("self.depend(namespace, name, ABSENT)", "pass")),
          "A builtin stays what it was when a global of its name appears.", """
def size(items):
    return len(items)

def main():
    found = [size([1, 2])]
    globals()["len"] = lambda items: "shadow"
    found.append(size([1, 2]))
    del globals()["len"]
    return found
"""),
    Fault("stored-global-taken-for-constant", "guards", "jit",
          rewriting("jit.attention", "Unstable.relied_upon", ("return {name for namespace, name in dependencies if name in self.written.get(namespace, ())}",
                                                              "return set()")),
          "A global that a callee stores without telling anybody is a constant for its caller.", """
COUNT = 0

def step():
    global COUNT
    COUNT = COUNT + 1000

def run(times):
    found = []
    for _ in range(times):
        found.append(COUNT)
        step()
    return found

def main():
    return run(4), run(3)
"""),
]
