"""Arithmetic and comparison on doubles; roundings and signs are Python's: Objects/floatobject.c, Modules/mathmodule.c."""

from asm import al, cl, eax, ecx, rax, rcx, xmm0, xmm1, xmm14, xmm15
from jit.template import template

#: Ints up to here are doubles exactly.
_EXACT = 1 << 53
#: Conditions of ucomisd, and whether its operands change places, so that nan comes out false.
ORDERED = {"<": ("a", True), "<=": ("ae", True), ">": ("a", False), ">=": ("ae", False)}


@template("BINARY_OP /", "left: int, right: int -- quotient: float")
def true_divide_inexact(asm, left, right, quotient, exit):
    """Exact operands (up to 2**53) make the quotient of the doubles the correctly rounded one, as long_true_divide's is."""
    for operand in (left, right):
        if isinstance(operand, int):
            if operand == 0 and operand is right or abs(operand) > _EXACT:
                asm.jmp(exit)
                return
            continue
        asm.mov(rax, operand)
        asm.mov(rcx, _EXACT)
        asm.add(rax, rcx)
        asm.add(rcx, rcx)
        asm.cmp(rax, rcx)
        asm.ja(exit)
    if not isinstance(right, int):
        asm.cmp(right, 0)
        asm.je(exit)
    asm.mov(rax, left)
    asm.mov(rcx, right)
    asm.pxor(quotient, quotient)
    asm.cvtsi2sd(quotient, rax)
    asm.pxor(xmm15, xmm15)
    asm.cvtsi2sd(xmm15, rcx)
    asm.divsd(quotient, xmm15)


def _float_operation(mnemonic, commutative):
    def emit(asm, left, right, result):
        if result is right:
            if commutative:
                left, right = right, left
            else:
                asm.movapd(xmm15, right)
                right = xmm15
        _load(asm, result, left)
        asm.emit(mnemonic, result, right)
    emit.__name__ = f"float_{mnemonic}"
    return emit


def _load(asm, destination, source):
    if destination is source:
        return
    if source.kind == "xmm":
        asm.movapd(destination, source)
    else:
        asm.movsd(destination, source)


for _symbol, _mnemonic in (("+", "addsd"), ("-", "subsd"), ("*", "mulsd")):
    template(f"BINARY_OP {_symbol}", "left: float, right: float -- result: float")(
        _float_operation(_mnemonic, _symbol != "-"))


@template("BINARY_OP /", "left: float, right: float -- quotient: float")
def float_divide_by_zero(asm, left, right, quotient, exit):
    """ucomisd calls nan "equal" too; leaving for it is slow, not wrong."""
    asm.pxor(xmm15, xmm15)
    _load(asm, xmm14, right)
    asm.ucomisd(xmm14, xmm15)
    asm.je(exit)
    _load(asm, quotient, left)
    asm.divsd(quotient, xmm14)


@template("BINARY_OP %", "left: float, right: float -- remainder: float", clobbers="c")
def float_modulo_by_zero(asm, left, right, remainder, exit, emitter):
    """fmod, then the divisor's sign (Objects/floatobject.c, float_rem)."""
    done, zero = asm.label("done"), asm.label("zero")
    asm.pxor(xmm15, xmm15)
    _load(asm, xmm14, right)
    asm.ucomisd(xmm14, xmm15)
    asm.je(exit)
    emitter.place([(xmm0, left), (xmm1, right)])
    emitter.call_symbol("fmod")
    _load(asm, xmm1, emitter.after_call("right"))
    asm.pxor(xmm15, xmm15)
    asm.ucomisd(xmm0, xmm15)
    asm.jp(done)
    asm.je(zero)
    asm.movmskpd(eax, xmm0)
    asm.movmskpd(ecx, xmm1)
    asm.xor(eax, ecx)
    asm.test(eax, 1)
    asm.jz(done)
    asm.addsd(xmm0, xmm1)
    asm.jmp(done)
    asm.bind(zero)
    asm.movq(rax, xmm1)
    asm.shr(rax, 63)
    asm.shl(rax, 63)
    asm.movq(xmm0, rax)
    asm.bind(done)
    _load(asm, remainder, xmm0)


@template("BINARY_OP **", "base: float, exponent: float -- power: float", clobbers="c")
def float_power_special(asm, base, exponent, power, exit, emitter):
    """C's pow for a positive base, or a whole constant exponent, and a finite result; all special cases are left to float_pow."""
    known = emitter.operation.arguments[1]
    if not known.is_constant or known.constant <= 0 or known.constant != int(known.constant):
        asm.pxor(xmm15, xmm15)
        _load(asm, xmm14, base)
        asm.ucomisd(xmm14, xmm15)
        asm.jbe(exit)
    emitter.place([(xmm0, base), (xmm1, exponent)])
    emitter.call_symbol("pow")
    _leave_unless_finite(asm, exit)
    _load(asm, power, xmm0)


@template("libm_1", "x: float -- result: float", clobbers="c")
def math_function_not_finite(asm, x, result, exit, detail, emitter):
    """math's own checks decide what a nan or inf result means, so it is made again there."""
    emitter.place([(xmm0, x)])
    emitter.call_symbol(detail)
    _leave_unless_finite(asm, exit)
    _load(asm, result, xmm0)


@template("libm_2", "x: float, y: float -- result: float", clobbers="c")
def math_function_of_two_not_finite(asm, x, y, result, exit, detail, emitter):
    emitter.place([(xmm0, x), (xmm1, y)])
    emitter.call_symbol(detail)
    _leave_unless_finite(asm, exit)
    _load(asm, result, xmm0)


def _leave_unless_finite(asm, exit):
    asm.movq(rcx, xmm0)
    asm.add(rcx, rcx)
    asm.mov(rax, 0xFFE0000000000000)
    asm.cmp(rcx, rax)
    asm.jae(exit)


@template("sqrt", "x: float -- root: float")
def sqrt_of_negative(asm, x, root, exit):
    asm.pxor(xmm15, xmm15)
    _load(asm, xmm14, x)
    asm.ucomisd(xmm14, xmm15)
    asm.jb(exit)
    asm.sqrtsd(root, xmm14)


def _rounding(mode):
    def emit(asm, x, result, exit):
        asm.roundsd(xmm15, x, mode)
        asm.cvttsd2si(rax, xmm15)
        asm.cmp(rax, 1)
        asm.jo(exit)
        asm.mov(result, rax)
    return emit


for _name, _mode in (("round", 8), ("floor", 9), ("ceil", 10), ("float_to_int", 11)):
    _emit = _rounding(_mode)
    _emit.__name__ = f"{_name}_too_large"
    template(_name, "x: float -- result: int")(_emit)


@template("abs", "x: float -- result: float")
def float_abs(asm, x, result, emitter):
    _load(asm, result, x)
    asm.andpd(result, emitter.mask(0x7FFFFFFFFFFFFFFF))


def _float_extreme(mnemonic):
    def emit(asm, left, right, result):
        _load(asm, xmm15, right)
        asm.emit(mnemonic, xmm15, left)
        asm.movapd(result, xmm15)
    return emit


for _name, _mnemonic in (("min", "minsd"), ("max", "maxsd")):
    _emit = _float_extreme(_mnemonic)
    _emit.__name__ = f"float_{_name}"
    template(_name, "left: float, right: float -- result: float")(_emit)


@template("UNARY_NEGATIVE", "x: float -- result: float")
def float_negate(asm, x, result, emitter):
    _load(asm, result, x)
    asm.xorpd(result, emitter.mask(0x8000000000000000))


@template("int_to_float", "x: int -- result: float")
def int_to_float(asm, x, result):
    asm.pxor(result, result)
    asm.cvtsi2sd(result, x)


@template("int_to_exact_float", "x: int -- result: float")
def int_to_float_inexact(asm, x, result, exit):
    asm.mov(rax, x)
    asm.mov(rcx, _EXACT)
    asm.add(rax, rcx)
    asm.add(rcx, rcx)
    asm.cmp(rax, rcx)
    asm.ja(exit)
    asm.pxor(result, result)
    asm.cvtsi2sd(result, x)


@template("truth", "x: float -- result: bool")
def float_truth(asm, x, result):
    """nan is true."""
    _load(asm, xmm14, x)
    asm.pxor(xmm15, xmm15)
    asm.xor(eax, eax)
    asm.ucomisd(xmm14, xmm15)
    asm.setne(al)
    asm.setp(cl)
    asm.or_(al, cl)
    asm.mov(result, rax)


@template("COMPARE_OP", "left: float, right: float -- result: bool")
def compare_floats(asm, left, right, result, detail):
    if detail in ORDERED:
        condition, swapped = ORDERED[detail]
        if swapped:
            left, right = right, left
        _load(asm, xmm14, left)
        asm.ucomisd(xmm14, right)
        asm.setcc(condition, al)
    else:
        _load(asm, xmm14, left)
        asm.ucomisd(xmm14, right)
        asm.setnp(al) if detail == "==" else asm.setp(al)
        asm.sete(cl) if detail == "==" else asm.setne(cl)
        asm.and_(al, cl) if detail == "==" else asm.or_(al, cl)
    asm.movzx(eax, al)
    asm.mov(result, rax)


@template("branch_compare", "left: float, right: float --", terminator=True)
def branch_on_floats(asm, left, right, detail, emitter):
    if detail in ORDERED:
        condition, swapped = ORDERED[detail]
        if swapped:
            left, right = right, left
    if left.kind != "xmm":
        asm.movsd(xmm14, left)
        left = xmm14
    asm.ucomisd(left, right)
    if detail in ORDERED:
        emitter.branch(condition)
    else:
        emitter.branch_float_equal(detail == "==")
