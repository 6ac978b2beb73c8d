"""Where values are while compiled code runs: live intervals, clobbers, saved registers."""

from asm import r8
from fuzz.faults.planting import Fault, replacing, rewriting, together

FAULTS = [
    Fault("interval-one-position-short-at-exits", "liveness", "jit",
          together(rewriting("jit.liveness", "Numbering._operation",
                             ("if leaves or operation.template.clobbers else",
                                                                      "if operation.template.clobbers else")),
                   rewriting("jit.liveness", "Numbering._exit", ("self._use(value, end,", "self._use(value, end - 1,"))),
          "A value that only an exit still needs may lose its register to the result of the operation that exits.", """
def run(count, number):
    total = 0
    for item in range(count):
        total = total ^ (number * item + 1) * number
    return total

def main():
    return run(3, 5), run(3, 2**61)
"""),
    Fault("caller-saved-register-not-among-clobbers", "allocation", "jit",
          replacing("jit.compiler", "LOST_IN_C", lambda lost: lost - {r8}),
          "r8 is taken for a register that C functions keep.", """
def run(table, key, number):
    a = number + 1
    b = table[key]
    c = table[str(number)]
    return a, b, c, a + b

def main():
    return run({"key": 5, "7": 1}, "key", 7)
"""),
    Fault("boxing-loses-a-register", "machine", "jit",
          rewriting("jit.machine.saving", "emit_restore",
                    ("        asm.mov(register,", "        register is rdi or asm.mov(register,")),
          "The routines that make numbers into objects do not bring rdi back.", """
def multiples(a, b, c):
    return a * 1000, b * 1000, c * 1000

def main():
    return multiples(5, 6, 7)
"""),
    Fault("result-of-callout-lost", "machine", "jit",
          rewriting("jit.machine.callouts", "CalloutRoutines.emit_callout_leave",
                    ("asm.mov(rax, rbp)\n        asm.xor(edx, edx)", "asm.mov(rax, r12)\n        asm.xor(edx, edx)")),
          "What foreign code has returned is not brought back when the frame around it is dropped.",
          """
def run(make):
    return [make("a"), make("b")]

def main():
    return run(repr), run(len), run(str.upper)
"""),
    Fault("register-read-behind-the-call", "allocation", "jit",
          rewriting("jit.placement", "Placement.operand_at", ("position < location.until", "position <= location.until")),
          "A value whose register is lost in a call is read from it right behind the call.", """
def make(a, b):
    return [a + b, a - b, a * b, a | b, a ^ b, a & b, a + 1, b + 1, a + 2, b + 2]

def main():
    return make(1000, 3000)
"""),
    Fault("moves-of-an-edge-one-after-the-other", "allocation", "jit",
          rewriting("jit.placement", "Placement.parallel", ("in sequentialise(keyed, scratch):", "in keyed:")),
          "Moves that are to happen at once happen one after the other, so that a later one reads what an earlier one wrote.", """
def fibonacci(count):
    a, b = 0, 1
    for _ in range(count):
        a, b = b, a + b
    return a

def exchange(count, a, b):
    for _ in range(count):
        a, b = b, a
    return a, b

def main():
    return fibonacci(10), exchange(3, 5, 6)
"""),
]
