"""Arithmetic and comparison on int64, double and 0/1.

Ints leave on overflow (the interpreter then makes the big integer), on division by zero and on negative shift counts.
Rounding and signs are Python's: Objects/longobject.c and Objects/floatobject.c.
"""

from asm import eax, ecx, edx, al, cl, dl, rax, rcx, rdx, xmm0, xmm1, xmm14, xmm15
from jit.template import template

#: Conditions of a signed comparison, and of ucomisd with its operands in the order that makes nan come out false.
SIGNED = {"<": "l", "<=": "le", "==": "e", "!=": "ne", ">": "g", ">=": "ge"}
ORDERED = {"<": ("a", True), "<=": ("ae", True), ">": ("a", False), ">=": ("ae", False)}
_EXACT = 1 << 53


@template("BINARY_OP +", "left: int, right: int -- sum: int")
def add_overflow(asm, left, right, sum, exit):
    """A sum that needs more than 64 bits is left to the interpreter."""
    asm.mov(sum, left)
    asm.add(sum, right)
    asm.jo(exit)


@template("BINARY_OP -", "left: int, right: int -- difference: int")
def subtract_overflow(asm, left, right, difference, exit):
    asm.mov(difference, left)
    asm.sub(difference, right)
    asm.jo(exit)


@template("BINARY_OP *", "left: int, right: int -- product: int")
def multiply_overflow(asm, left, right, product, exit):
    if isinstance(left, int):
        left, right = right, left
    if isinstance(right, int):
        asm.imul(product, left, right)
    else:
        asm.mov(product, left)
        asm.imul(product, right)
    asm.jo(exit)


def _bitwise(mnemonic):
    def emit(asm, left, right, result):
        if result is right:
            left, right = right, left
        asm.mov(result, left)
        asm.emit(mnemonic, result, right)
    emit.__name__ = f"bitwise_{mnemonic}"
    return emit


for _symbol, _mnemonic in (("&", "and"), ("|", "or"), ("^", "xor")):
    template(f"BINARY_OP {_symbol}", "left: bool, right: bool -- result: bool")(_bitwise(_mnemonic))
    template(f"BINARY_OP {_symbol}", "left: int, right: int -- result: int")(_bitwise(_mnemonic))


def _divide(asm, left, right, exit):
    """rax, rdx = truncated quotient, remainder of left / rcx = right; leaves where idiv would trap."""
    asm.mov(rcx, right)
    if not isinstance(right, int):
        asm.test(rcx, rcx)
        asm.jz(exit)
        asm.cmp(rcx, -1)
        asm.je(exit)
    asm.mov(rax, left)
    asm.cqo()
    asm.idiv(rcx)


def _power_of_two(value):
    return isinstance(value, int) and value > 0 and value & value - 1 == 0


@template("BINARY_OP //", "left: int, right: int -- quotient: int")
def floor_divide_by_zero(asm, left, right, quotient, exit):
    """Rounds towards minus infinity: one less than idiv's quotient if the remainder has the other sign than the divisor."""
    if _power_of_two(right):
        asm.mov(quotient, left)
        if right > 1:
            asm.sar(quotient, right.bit_length() - 1)
        return
    if right == 0 or right == -1:
        asm.jmp(exit)
        return
    _divide(asm, left, right, exit)
    if isinstance(right, int) and right > 0:
        asm.sar(rdx, 63)
        asm.add(rax, rdx)
    else:
        done = asm.label("done")
        asm.test(rdx, rdx)
        asm.jz(done)
        asm.xor(rdx, rcx)
        asm.jns(done)
        asm.dec(rax)
        asm.bind(done)
    asm.mov(quotient, rax)


@template("BINARY_OP %", "left: int, right: int -- remainder: int")
def modulo_by_zero(asm, left, right, remainder, exit):
    """The remainder has the divisor's sign."""
    if _power_of_two(right):
        asm.mov(remainder, left)
        asm.and_(remainder, right - 1)
        return
    if right == 0 or right == -1:
        asm.jmp(exit)
        return
    _divide(asm, left, right, exit)
    if isinstance(right, int) and right > 0:
        asm.mov(rax, rdx)
        asm.sar(rax, 63)
        asm.and_(rax, rcx)
        asm.add(rdx, rax)
    else:
        done = asm.label("done")
        asm.test(rdx, rdx)
        asm.jz(done)
        asm.mov(rax, rdx)
        asm.xor(rax, rcx)
        asm.jns(done)
        asm.add(rdx, rcx)
        asm.bind(done)
    asm.mov(remainder, rdx)


@template("BINARY_OP <<", "left: int, right: int -- result: int")
def shift_left_overflow(asm, left, right, result, exit):
    """Leaves unless shifting back gives the same number."""
    if isinstance(right, int):
        if not 0 <= right < 63:
            asm.jmp(exit)
            return
        asm.mov(result, left)
        asm.shl(result, right)
        asm.mov(rax, result)
        asm.sar(rax, right)
    else:
        asm.mov(rcx, right)
        asm.cmp(rcx, 63)
        asm.jae(exit)
        asm.mov(result, left)
        asm.shl(result, cl)
        asm.mov(rax, result)
        asm.sar(rax, cl)
    asm.cmp(rax, left)
    asm.jne(exit)


@template("BINARY_OP >>", "left: int, right: int -- result: int")
def shift_right_negative(asm, left, right, result, exit):
    if isinstance(right, int):
        if right < 0:
            asm.jmp(exit)
            return
        asm.mov(result, left)
        asm.sar(result, min(right, 63))
        return
    asm.mov(rcx, right)
    asm.test(rcx, rcx)
    asm.js(exit)
    asm.mov(eax, 63)
    asm.cmp(rcx, rax)
    asm.cmova(rcx, rax)
    asm.mov(result, left)
    asm.sar(result, cl)


@template("BINARY_OP **", "base: int, exponent: int -- power: int")
def power_overflow(asm, base, exponent, power, exit):
    """Binary exponentiation; a negative exponent (a float result) or an overflow leaves."""
    loop, skip, done = asm.label("square"), asm.label("skip"), asm.label("done")
    asm.mov(rcx, exponent)
    asm.test(rcx, rcx)
    asm.js(exit)
    asm.mov(rax, base)
    asm.mov(edx, 1)
    asm.bind(loop)
    asm.test(cl, 1)
    asm.jz(skip)
    asm.imul(rdx, rax)
    asm.jo(exit)
    asm.bind(skip)
    asm.shr(rcx, 1)
    asm.jz(done)
    asm.imul(rax, rax)
    asm.jo(exit)
    asm.jmp(loop)
    asm.bind(done)
    asm.mov(power, rdx)


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
    adjust, done, zero = asm.label("adjust"), asm.label("done"), asm.label("zero")
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
    """C's pow for a positive base and a finite result; all special cases are left to float_pow."""
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


@template("abs", "x: int -- result: int")
def abs_overflow(asm, x, result, exit):
    asm.mov(rax, x)
    asm.cqo()
    asm.xor(rax, rdx)
    asm.sub(rax, rdx)
    asm.jo(exit)
    asm.mov(result, rax)


@template("abs", "x: float -- result: float")
def float_abs(asm, x, result, emitter):
    _load(asm, result, x)
    asm.andpd(result, emitter.mask(0x7FFFFFFFFFFFFFFF))


def _integer_extreme(condition):
    def emit(asm, left, right, result):
        asm.mov(rax, left)
        asm.mov(rcx, right)
        asm.cmp(rcx, rax)
        asm.cmovcc(condition, rax, rcx)
        asm.mov(result, rax)
    return emit


def _float_extreme(mnemonic):
    def emit(asm, left, right, result):
        _load(asm, xmm15, right)
        asm.emit(mnemonic, xmm15, left)
        asm.movapd(result, xmm15)
    return emit


for _name, _condition, _mnemonic in (("min", "l", "minsd"), ("max", "g", "maxsd")):
    _emit = _integer_extreme(_condition)
    _emit.__name__ = f"integer_{_name}"
    template(_name, "left: int, right: int -- result: int")(_emit)
    _emit = _float_extreme(_mnemonic)
    _emit.__name__ = f"float_{_name}"
    template(_name, "left: float, right: float -- result: float")(_emit)


@template("UNARY_NEGATIVE", "x: int -- result: int")
def negate_overflow(asm, x, result, exit):
    asm.mov(result, x)
    asm.neg(result)
    asm.jo(exit)


@template("UNARY_NEGATIVE", "x: float -- result: float")
def float_negate(asm, x, result, emitter):
    _load(asm, result, x)
    asm.xorpd(result, emitter.mask(0x8000000000000000))


@template("UNARY_INVERT", "x: int -- result: int")
def invert(asm, x, result):
    asm.mov(result, x)
    asm.not_(result)


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


@template("bool_to_int", "x: bool -- result: int")
def bool_to_int(asm, x, result):
    asm.mov(result, x)


@template("not", "x: bool -- result: bool")
def negation(asm, x, result):
    asm.mov(result, x)
    asm.xor(result, 1)


@template("truth", "x: int -- result: bool")
def int_truth(asm, x, result):
    asm.xor(eax, eax)
    asm.cmp(x, 0)
    asm.setne(al)
    asm.mov(result, rax)


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


@template("COMPARE_OP", "left: int, right: int -- result: bool")
def compare_ints(asm, left, right, result, detail, emitter):
    condition = emitter.compare(left, right, SIGNED[detail], detail)
    asm.setcc(condition, al)
    asm.movzx(eax, al)
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


@template("branch_compare", "left: int, right: int --", terminator=True)
def branch_on_ints(left, right, detail, emitter):
    emitter.branch(emitter.compare(left, right, SIGNED[detail], detail))


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


@template("branch_bool", "x: bool --", terminator=True)
def branch_on_bool(asm, x, emitter):
    asm.cmp(x, 0) if x.kind != "gpr" else asm.test(x, x)
    emitter.branch("ne")


@template("range_length", "start: int, stop: int, step: int -- length: int")
def range_length_zero_step(asm, start, stop, step, length, exit):
    """Items of a range, rangeobject.c: (span - 1) // |step| + 1, or 0; leaves where 64 bits do not hold a part."""
    down, divide, empty, done = (asm.label(name) for name in ("down", "divide", "empty", "done"))
    asm.mov(rcx, step)
    asm.test(rcx, rcx)
    asm.jz(exit)
    asm.js(down)
    asm.mov(rax, stop)
    asm.sub(rax, start)
    asm.jo(exit)
    asm.jmp(divide)
    asm.bind(down)
    asm.neg(rcx)
    asm.jo(exit)
    asm.mov(rax, start)
    asm.sub(rax, stop)
    asm.jo(exit)
    asm.bind(divide)
    asm.test(rax, rax)
    asm.jle(empty)
    asm.dec(rax)
    asm.cqo()
    asm.idiv(rcx)
    asm.inc(rax)
    asm.jmp(done)
    asm.bind(empty)
    asm.xor(eax, eax)
    asm.bind(done)
    asm.mov(length, rax)


@template("guard_range_end", "stop: int, step: int --")
def range_end_overflow(asm, stop, step, exit):
    asm.mov(rax, stop)
    asm.add(rax, step)
    asm.jo(exit)


@template("advance", "next: int, step: int -- following: int")
def advance(asm, next, step, following):
    """The next item of a range; behind the last one the sum may wrap, and is never used."""
    if following is step:
        next, step = step, next
    asm.mov(following, next)
    asm.add(following, step)


@template("decrement", "x: int -- result: int")
def decrement(asm, x, result):
    asm.mov(result, x)
    asm.sub(result, 1)


@template("branch_counter", "remaining: int --", terminator=True)
def branch_on_counter(asm, remaining, emitter):
    asm.cmp(remaining, 0)
    emitter.branch("ne")
