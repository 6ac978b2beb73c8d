"""Templates of machine integers."""

from fuzz.faults.planting import Fault, rewriting

_MODULE = "jit.templates.numbers"

FAULTS = [
    Fault("addition-without-overflow-guard", "templates", "jit",
          rewriting(_MODULE, "add_overflow", ("asm.jo(exit)", "pass")),
          "The sum of two ints wraps at 2**63.", """
def add(a, b):
    return a + b

def main():
    return add(1, 2), add(2**62, 2**62)
"""),
    Fault("multiplication-by-constant-without-guard", "templates", "jit",
          rewriting(_MODULE, "multiply_overflow", ("    asm.jo(exit)", "    isinstance(right, int) or asm.jo(exit)")),
          "The product of an int and a constant wraps at 2**63.", """
def triple(a):
    return a * 3

def main():
    return triple(2), triple(2**62)
"""),
    Fault("floor-division-towards-zero", "templates", "jit",
          rewriting(_MODULE, "floor_divide_by_zero", ("asm.dec(rax)", "pass")),
          "A quotient by a variable is rounded towards zero.", """
def quotient(a, b):
    return a // b

def main():
    return quotient(7, 2), quotient(-7, 2)
"""),
    Fault("remainder-ignores-divisors-sign", "templates", "jit",
          rewriting(_MODULE, "modulo_by_zero", ("asm.xor(rax, rcx)", "asm.test(rax, rax)")),
          "The sign of a remainder is mended by the dividend's sign alone.", """
def remainder(a, b):
    return a % b

def main():
    return remainder(7, 3), remainder(7, -3)
"""),
    Fault("left-shift-count-not-checked", "templates", "jit",
          rewriting(_MODULE, "shift_left_overflow", ("asm.jae(exit)", "pass")),
          "Shifting left by 64 or more shifts by the count's low six bits.", """
def shift(a, b):
    return a << b

def main():
    return shift(3, 2), shift(1, 64)
"""),
    Fault("right-shift-by-negative-count", "templates", "jit",
          rewriting(_MODULE, "shift_right_negative", ("asm.js(exit)", "pass")),
          "Shifting right by a negative count is taken for a large one.", """
def shift(a, b):
    return a >> b

def main():
    return shift(9, 1), attempt(shift, 9, -1)
"""),
    Fault("less-or-equal-branch-is-less", "templates", "jit",
          rewriting(_MODULE, "branch_on_ints", ("SIGNED[detail], detail", 'SIGNED["<" if detail == "<=" else detail], detail')),
          "A branch on <= of ints jumps by the condition of < (jl for jle).", """
def at_most(a, b):
    if a <= b:
        return "yes"
    return "no"

def main():
    return at_most(1, 2), at_most(2, 2), at_most(3, 2)
"""),
    Fault("exchanged-comparison-keeps-its-condition", "templates", "jit",
          rewriting("jit.emitter", "Emitter.compare", ("EXCHANGED[condition]", "condition")),
          "A comparison with a constant on the left exchanges the operands but not the condition.", """
def above_five(a):
    return 5 < a

def main():
    return above_five(4), above_five(6)
"""),
    Fault("variable-step-range-one-item-too-long", "templates", "jit",
          rewriting(_MODULE, "range_length_zero_step", ("asm.dec(rax)", "pass")),
          "A range with a step that is no constant has an item too many if the step divides its span.", """
def items(start, stop, step):
    found = []
    for number in range(start, stop, step):
        found.append(number)
    return found

def main():
    return items(0, 9, 2), items(0, 10, 2), items(3, -3, -3)
"""),
]
