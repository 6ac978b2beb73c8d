"""Generators that are resumed in compiled code."""

from fuzz.faults.planting import Fault, rewriting

_TEMPLATES = "jit.templates.generators"

FAULTS = [
    Fault("generator-goes-on-where-it-was", "generators", "jit",
          rewriting(_TEMPLATES, "suspend", ("asm.mov(mem64(base, frame + L.frame_instruction), rax)", "pass")),
          "A generator that has yielded waits at the yield before.", """
def two(n):
    while n > 0:
        yield n
        yield -n
        n = n - 1

def main():
    return list(two(20))
"""),
    Fault("yielded-variable-not-given-back", "generators", "jit",
          rewriting(_TEMPLATES, "suspend", ("for number, place, flag in slots:", "for number, place, flag in slots[:1] + slots[2:]:")),
          "One of a generator's variables is lost at a yield.", """
def sums(n, total):
    for number in range(n):
        total = total + number
        yield total

def main():
    return attempt(list, sums(10, 1000)), attempt(list, sums(10, 1000))
"""),
    Fault("part-entered-at-another-yield", "generators", "jit",
          rewriting("jit.resume_entry", "ResumeEmitter.emit_part_of",
                    ("asm.cmp(mem64(r12, L.frame_instruction), rax)\n        asm.jne(other)", "pass\n        pass")),
          "A part of a generator is run at whatever yield that waits.", """
def two(n):
    while n > 0:
        yield n
        n = n - 1
        yield -n

def main():
    return list(two(20)), list(two(20))
"""),
    Fault("exception-of-a-generator-ends-it-quietly", "generators", "jit",
          rewriting("jit.resume_entry", "ResumeEmitter.emit_resumed", ("self.emit_raise()", "self.emit_suspend(), asm.xor(eax, eax), asm.jmp(self.out)")),
          "A generator that has raised in compiled code waits for more instead of being over.", """
def dividing(n):
    while n > -5:
        n = n - 1
        yield 10 // n

def main():
    found = []
    for _ in range(4):
        made = dividing(9)
        found.append((attempt(list, made), attempt(list, made)))
    return found
"""),
    Fault("range-backward-one-item-late", "walk", "jit",
          rewriting("jit.bytecodes.ranges", "range_backward", ('arithmetic(w, "-", remaining, w.constant(1))', "remaining")),
          "A range walked backwards begins one item behind its end.", """
def backward(n):
    found = []
    for number in reversed(range(n)):
        found.append(number)
    return found

def main():
    return backward(5), backward(0)
"""),
    Fault("collected-list-used-again-with-its-items", "generators", "jit",
          rewriting("jit.machine.lists", "_tuple", ("asm.mov(mem64(rbx, L.list_size), 0)", "pass")),
          "The list in which a generator expression's items are collected still has them when it is used for the next.", """
def gathered(items):
    return tuple(item + 1 for item in items)

def main():
    return [len(gathered([1, 2, 3])) for _ in range(20)]
"""),
]
