"""Templates of doubles, and of their borders to ints."""

from fuzz.faults.planting import Fault, replacing_item, rewriting, together

_MODULE = "jit.templates.floats"

FAULTS = [
    Fault("nan-equals-nan", "templates", "jit",
          together(rewriting(_MODULE, "compare_floats", ('asm.setnp(al) if detail == "=="', 'asm.mov(al, 1) if detail == "=="')),
                   rewriting("jit.emitter", "Emitter.branch_float_equal", ("asm.jp(differs)", "pass"))),
          "Unordered is taken for equal by == of floats.", """
def equal(a, b):
    return a - b == b - a

def branch(a, b):
    if a - b == b - a:
        return "yes"
    return "no"

def main():
    inf = 1e308 * 10
    return equal(1.5, 1.5), equal(inf, inf), branch(1.5, 1.5), branch(inf, inf)
"""),
    Fault("nan-is-less", "templates", "jit",
          replacing_item(_MODULE, "ORDERED", "<", ("b", False)),
          "Unordered is taken for less by < of floats.", """
def less(a, b):
    return a - b < 1.5

def main():
    inf = 1e308 * 10
    return less(1.5, 2.5), less(4.5, 1.5), less(inf, inf)
"""),
    Fault("nan-is-false", "templates", "jit",
          rewriting(_MODULE, "float_truth", ("asm.or_(al, cl)", "pass")),
          "A nan is taken for false.", """
def truth(a, b):
    return not a - b

def main():
    inf = 1e308 * 10
    return truth(1.5, 0.5), truth(1.5, 1.5), truth(inf, inf)
"""),
    Fault("negation-loses-minus-zero", "templates", "jit",
          rewriting(_MODULE, "float_negate", ("_load(asm, result, x)", "_load(asm, xmm15, x), asm.pxor(result, result)"),
                    ("asm.xorpd(result, emitter.mask(0x8000000000000000))", "asm.subsd(result, xmm15)")),
          "A float is negated by subtracting it from zero.", """
def negative(a):
    return -a

def main():
    return negative(1.5), negative(0.0)
"""),
    Fault("true-division-of-inexact-ints", "templates", "jit",
          rewriting(_MODULE, "true_divide_inexact", ("asm.ja(exit)", "pass")),
          "Ints beyond 2**53 are rounded before they are divided.", """
def quotient(a, b):
    return a / b

def main():
    return quotient(7, 2), quotient(2**62 + 513, 3), quotient(2**60 - 1, 2**53 + 1)
"""),
    Fault("float-to-int-rounds-down", "templates", "jit",
          rewriting(_MODULE, "_rounding", ("asm.roundsd(xmm15, x, mode)", "asm.roundsd(xmm15, x, 9 if mode == 11 else mode)")),
          "int() of a negative float rounds down instead of towards zero.", """
def integer(a):
    return int(a)

def main():
    return integer(2.5), integer(-2.5)
"""),
    Fault("float-remainder-keeps-dividends-sign", "templates", "jit",
          rewriting(_MODULE, "float_modulo_by_zero", ("asm.jz(done)", "asm.jmp(done)")),
          "The remainder of floats has the dividend's sign, as C's fmod has.", """
def remainder(a, b):
    return a % b

def main():
    return remainder(7.5, 2.0), remainder(-7.5, 2.0)
"""),
]
