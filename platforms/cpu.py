"""What the processor can do, asked with the cpuid instruction.

/proc/cpuinfo may be absent or describe another machine in a container; the instruction
does not lie. Source: Intel SDM volume 2A, CPUID; volume 1 section 14.3 for AVX, which
also needs the operating system to save the wide registers (OSXSAVE, XGETBV).
"""

import ctypes
import functools

from platforms import pages

# void cpuid(leaf, subleaf, uint32 result[4])
_CPUID = bytes.fromhex(
    "53"  # push rbx                    cpuid destroys it
    "49 89 D0"  # mov r8, rdx
    "89 F8"  # mov eax, edi
    "89 F1"  # mov ecx, esi
    "0F A2"  # cpuid
    "41 89 00"  # mov [r8], eax
    "41 89 58 04"  # mov [r8+4], ebx
    "41 89 48 08"  # mov [r8+8], ecx
    "41 89 50 0C"  # mov [r8+12], edx
    "5B"  # pop rbx
    "C3"  # ret
)

# uint64 saved_state(): only valid if cpuid reports OSXSAVE
_XGETBV = bytes.fromhex(
    "31 C9"  # xor ecx, ecx
    "0F 01 D0"  # xgetbv
    "48 C1 E2 20"  # shl rdx, 32
    "48 09 D0"  # or rax, rdx
    "C3"  # ret
)

_EAX, _EBX, _ECX, _EDX = range(4)

# feature: (leaf, register, bit)
_FEATURES = {
    "sse2": (1, _EDX, 26),
    "sse4_1": (1, _ECX, 19),
    "popcnt": (1, _ECX, 23),
    "lzcnt": (0x80000001, _ECX, 5),
    "bmi1": (7, _EBX, 3),
    "avx": (1, _ECX, 28),
}
_OSXSAVE = (1, _ECX, 27)
_SSE_AND_AVX_STATE = 0b110


@functools.cache
def _cpuid_routine():
    return pages.routine(_CPUID, None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p)


def cpuid(leaf: int, subleaf: int = 0) -> tuple[int, int, int, int]:
    """(eax, ebx, ecx, edx); all zero for a leaf this processor does not have."""
    registers = (ctypes.c_uint32 * 4)()
    _cpuid_routine()(leaf & 0x80000000, 0, ctypes.addressof(registers))
    if leaf > registers[_EAX]:
        return (0, 0, 0, 0)
    _cpuid_routine()(leaf, subleaf, ctypes.addressof(registers))
    return tuple(registers)


def _has(leaf: int, register: int, bit: int) -> bool:
    return bool(cpuid(leaf)[register] >> bit & 1)


@functools.cache
def features() -> frozenset[str]:
    """The names of the usable features among those the compiler may ask for."""
    found = {name for name, where in _FEATURES.items() if _has(*where)}
    if "avx" in found and not (_has(*_OSXSAVE) and _saved_state() & _SSE_AND_AVX_STATE == _SSE_AND_AVX_STATE):
        found.discard("avx")
    return frozenset(found)


def _saved_state() -> int:
    return pages.routine(_XGETBV, ctypes.c_uint64)()


@functools.cache
def brand() -> str:
    """The processor's name as it gives it itself."""
    parts = [register for leaf in (0x80000002, 0x80000003, 0x80000004) for register in cpuid(leaf)]
    text = b"".join(part.to_bytes(4, "little") for part in parts)
    return " ".join(text.split(b"\0")[0].decode("ascii", "replace").split())
