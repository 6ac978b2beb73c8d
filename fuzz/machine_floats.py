"""The part of the processor's model with xmm registers: doubles bit by bit, nan payloads and signs included."""

import math
import struct

from asm import REGISTERS
from fuzz.machine_model import DEFAULT_NAN, METHODS, QUIET, Undefined, bits_of, float_of, operand_width, signed

NEGATIVE = 1 << 63


def is_nan(bits):
    return bits & ~NEGATIVE > 0x7FF0000000000000


def arithmetic(mnemonic, one, two):
    """Bits of the result of addsd, subsd, mulsd or divsd."""
    if is_nan(one) or is_nan(two):
        return (one if is_nan(one) else two) | QUIET
    x, y = float_of(one), float_of(two)
    if mnemonic != "divsd":
        result = x + y if mnemonic == "addsd" else x - y if mnemonic == "subsd" else x * y
    elif y:
        result = x / y
    else:
        result = math.nan if not x else math.copysign(math.inf, x) * math.copysign(1.0, y)
    return DEFAULT_NAN if math.isnan(result) else bits_of(result)


def scalar(machine, mnemonic, operands):
    """addsd, subsd, mulsd, divsd, minsd, maxsd and sqrtsd: the upper half stays."""
    two = machine.read_xmm(operands[1])[0]
    target = machine.xmm[REGISTERS[operands[0]].number]
    one = target[0]
    if mnemonic in ("minsd", "maxsd"):
        x, y = float_of(one), float_of(two)
        target[0] = one if (x < y if mnemonic == "minsd" else x > y) else two
    elif mnemonic != "sqrtsd":
        target[0] = arithmetic(mnemonic, one, two)
    elif is_nan(two):
        target[0] = two | QUIET
    else:
        root = float_of(two)
        target[0] = DEFAULT_NAN if root < 0 else bits_of(math.sqrt(root))


def compare(machine, mnemonic, operands):
    """ucomisd and comisd."""
    one, two = machine.read_xmm(operands[0])[0], machine.read_xmm(operands[1])[0]
    x, y = float_of(one), float_of(two)
    unordered = is_nan(one) or is_nan(two)
    machine.flags.update(z=int(unordered or x == y), p=int(unordered), c=int(unordered or x < y), o=0, s=0, a=0)


def compare_to_mask(machine, mnemonic, operands):
    """cmpsd."""
    target, two = machine.xmm[REGISTERS[operands[0]].number], machine.read_xmm(operands[1])[0]
    x, y = float_of(target[0]), float_of(two)
    unordered = is_nan(target[0]) or is_nan(two)
    if operands[2] > 7:
        raise Undefined
    holds = (x == y, x < y, x <= y, unordered)[operands[2] % 4]
    target[0] = 2**64 - 1 if holds != (operands[2] > 3) else 0


def from_integer(machine, mnemonic, operands):
    """cvtsi2sd."""
    width = operand_width(operands[1])
    value = signed(machine.read(operands[1], width), width)
    machine.xmm[REGISTERS[operands[0]].number][0] = bits_of(float(value))


def to_integer(machine, mnemonic, operands):
    """cvttsd2si truncates, cvtsd2si rounds half to even; what does not fit is the least integer."""
    width = operand_width(operands[0])
    number = float_of(machine.read_xmm(operands[1])[0])
    value = 1 << (width - 1)
    if math.isfinite(number):
        whole = int(number) if mnemonic == "cvttsd2si" else round(number)
        if -(1 << (width - 1)) <= whole < 1 << (width - 1):
            value = whole
    machine.write(operands[0], width, value)


def move(machine, mnemonic, operands):
    """movsd, movss, movq and movd: between registers the first two keep the rest, else the rest becomes 0."""
    size = {"movsd": 8, "movss": 4, "movq": 8, "movd": 4}[mnemonic]
    target, source = operands
    from_xmm = isinstance(source, str) and REGISTERS[source].kind == "xmm"
    if isinstance(source, str) and not from_xmm:
        value = machine.read(source, 8 * size)
    else:
        value = machine.read_xmm(source, size)[0] & (1 << 8 * size) - 1
    if not isinstance(target, str) or REGISTERS[target].kind != "xmm":
        machine.write(target if isinstance(target, str) else [*target[:1], size, *target[2:]], 8 * size, value)
        return
    pair = machine.xmm[REGISTERS[target].number]
    if mnemonic == "movsd" and from_xmm:
        pair[0] = value
    elif mnemonic == "movss" and from_xmm:
        pair[0] = pair[0] & ~0xFFFFFFFF | value
    else:
        pair[:] = [value, 0]


def move_whole(machine, mnemonic, operands):
    """movaps, movups and their synonyms; aligned ones need an aligned address."""
    for operand in operands:
        if not isinstance(operand, str) and mnemonic in ("movaps", "movapd", "movdqa") and machine.effective(operand) % 16:
            raise Undefined
    pair = machine.read_xmm(operands[1], 16)
    if isinstance(operands[0], str):
        machine.xmm[REGISTERS[operands[0]].number] = pair
    else:
        start = machine.place([*operands[0][:1], 16, *operands[0][2:]])
        machine.memory[start:start + 16] = struct.pack("<QQ", *pair)


def packed(machine, mnemonic, operands):
    """Bitwise and unpacking instructions; memory must be aligned."""
    if not isinstance(operands[1], str) and machine.effective(operands[1]) % 16:
        raise Undefined
    other, number = machine.read_xmm(operands[1], 16), REGISTERS[operands[0]].number
    machine.xmm[number] = PACKED[mnemonic](machine.xmm[number], other)


def _each(function):
    return lambda one, two: [function(x, y) & 2**64 - 1 for x, y in zip(one, two)]


def _equal_halves(x, y):
    low = 0xFFFFFFFF if (x ^ y) & 0xFFFFFFFF == 0 else 0
    return low | (0xFFFFFFFF << 32 if (x ^ y) >> 32 == 0 else 0)


_AND, _ANDN = _each(lambda x, y: x & y), _each(lambda x, y: ~x & y)
_OR, _XOR = _each(lambda x, y: x | y), _each(lambda x, y: x ^ y)
PACKED = {"andpd": _AND, "andps": _AND, "pand": _AND, "andnpd": _ANDN, "pandn": _ANDN, "orpd": _OR, "por": _OR,
          "xorpd": _XOR, "xorps": _XOR, "pxor": _XOR, "pcmpeqd": _each(_equal_halves),
          "unpcklpd": lambda one, two: [one[0], two[0]], "unpckhpd": lambda one, two: [one[1], two[1]]}


def shift_lanes(machine, mnemonic, operands):
    """psrlq and psllq."""
    number, count = REGISTERS[operands[0]].number, operands[1]
    machine.xmm[number] = [0 if count > 63 else (lane >> count if mnemonic == "psrlq" else lane << count & 2**64 - 1)
                           for lane in machine.xmm[number]]


def signs(machine, mnemonic, operands):
    """movmskpd."""
    low, high = machine.read_xmm(operands[1])
    machine.write(operands[0], operand_width(operands[0]), low >> 63 | high >> 63 << 1)


for _function, _mnemonics in ((scalar, "addsd subsd mulsd divsd minsd maxsd sqrtsd"), (compare, "ucomisd comisd"),
                              (compare_to_mask, "cmpsd"), (from_integer, "cvtsi2sd"), (to_integer, "cvttsd2si cvtsd2si"),
                              (move, "movsd movss movq movd"), (move_whole, "movaps movups movapd movupd movdqa movdqu"),
                              (packed, " ".join(PACKED)), (shift_lanes, "psrlq psllq"), (signs, "movmskpd")):
    METHODS.update(dict.fromkeys(_mnemonics.split(), _function))
