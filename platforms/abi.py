"""Calling conventions as data: who passes what in which register.

The compiler asks for register roles by name and never tests for a system; adding a
system means adding a table here. Registers are plain strings in Intel spelling so that
this package does not need to know the assembler.

Sources: System V Application Binary Interface, AMD64 Architecture Processor Supplement,
section 3.2; Microsoft, "x64 calling convention".
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class CallingConvention:
    """Register roles at a call between functions compiled from C."""

    name: str
    integer_arguments: tuple[str, ...]  # in order; also pointers
    float_arguments: tuple[str, ...]  # in order
    integer_result: str
    float_result: str
    caller_saved: frozenset[str]  # a call may destroy these
    callee_saved: frozenset[str]  # a function restores these before it returns
    shadow_space: int  # bytes above the return address the callee may write to
    red_zone: int  # bytes below rsp that signal handlers leave alone
    positional: bool  # True: the n-th argument uses the n-th register of its kind


def _registers(names: str) -> tuple[str, ...]:
    return tuple(names.split())


def _vectors(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"xmm{number}" for number in range(first, last + 1))


SYSTEM_V = CallingConvention(
    name="System V",
    integer_arguments=_registers("rdi rsi rdx rcx r8 r9"),
    float_arguments=_vectors(0, 7),
    integer_result="rax",
    float_result="xmm0",
    caller_saved=frozenset(_registers("rax rcx rdx rsi rdi r8 r9 r10 r11") + _vectors(0, 15)),
    callee_saved=frozenset(_registers("rbx rsp rbp r12 r13 r14 r15")),
    shadow_space=0,
    red_zone=128,
    positional=False,
)

WIN64 = CallingConvention(
    name="Win64",
    integer_arguments=_registers("rcx rdx r8 r9"),
    float_arguments=_vectors(0, 3),
    integer_result="rax",
    float_result="xmm0",
    caller_saved=frozenset(_registers("rax rcx rdx r8 r9 r10 r11") + _vectors(0, 5)),
    callee_saved=frozenset(_registers("rbx rsp rbp rsi rdi r12 r13 r14 r15") + _vectors(6, 15)),
    shadow_space=32,
    red_zone=0,
    positional=True,
)


def host() -> CallingConvention:
    """The convention of the C code in this process."""
    import sys

    return WIN64 if sys.platform == "win32" else SYSTEM_V
