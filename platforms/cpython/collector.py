"""What the garbage collector knows of what the compiler makes: nothing.

How many objects have been made since garbage was last collected starts collections; what the compiler makes is not counted, so that the
program's garbage is collected when it would be without the compiler. And what it keeps, some hundred objects for each version, is in none
of the collector's lists but in one of our own (platforms/cpython/undisturbed.py puts it there): no collection looks at it,
and `gc.get_objects` and `gc.get_referrers` do not show it. Such an object dies like any other, for to leave a list is the same for all lists.
It must not be part of cyclic garbage, which nobody would find.

Source: CPython Modules/gcmodule.c (gc_alloc, gc_list_*), Python/gc.c; Include/internal/pycore_gc.h (struct gc_generation, PyGC_Head).
"""

import ctypes
import functools
import gc
import sys
from types import FrameType

from platforms import pages
from platforms.cpython import threads
from platforms.cpython.layout import layout
from platforms.pages import memmove


#: Whether garbage is collected in the midst of making an object; later versions wait for the evaluation loop to look for pending work.
AT_ONCE = sys.version_info < (3, 12)


def counter() -> int:
    """The address of the number, an int."""
    return threads.interpreter() + layout().interp_gc_count


#: The youngest generation's list, from its counter: behind it are a threshold and that. Bytes of the collector's in front of an object.
LIST, HEAD = -20, 16
#: Further from a collection than what is made meanwhile; not so far that it would matter if another thread, which has seen it, put it back there later.
_FAR = -100_000
#: Readings of the number until it is given up; a list of ten is made between two.
_ATTEMPTS = 40
#: Types of objects that are the program's though the compiler's looking made them: they stay where the collector finds them.
PROGRAMS = (FrameType,)


def youngest() -> int:
    """The address of the head of the list of what was made since the last collection."""
    return counter() + LIST


@functools.cache
def own_list() -> int:
    """The address of the head of our own list; it is there for as long as the process lives."""
    head = pages.reserve(pages.PAGE)
    pages.protect(head, pages.PAGE, pages.READ | pages.WRITE)
    memmove(head, head.to_bytes(8, "little") * 2, 16)
    return head


@functools.cache
def _number():
    return ctypes.c_int.from_address(counter())


def is_counted_at(address: int) -> bool:
    """Whether the number is there, between the threshold of its generation and those of the older ones. It is only read, several times while it grows."""
    numbers = [ctypes.c_int.from_address(address + 24 * generation) for generation in range(3)]
    thresholds = [ctypes.c_int.from_address(address - 4 + 24 * generation) for generation in range(3)]
    kept, seen = [], set()
    for _ in range(_ATTEMPTS):
        if tuple(threshold.value for threshold in thresholds) != gc.get_threshold():
            return False
        youngest, middle, oldest = numbers
        before, counts, after = youngest.value, gc.get_count(), youngest.value
        if before <= counts[0] <= after and (middle.value, oldest.value) == counts[1:]:  # else another thread has come between
            seen.add(counts)
        if len(seen) > 3:
            return True
        kept.append([[] for _ in range(10)])
    return False


@functools.cache
def is_known() -> bool:
    """Whether the number may be written, though the layout as a whole is not verified yet."""
    return is_counted_at(counter())


def made() -> int:
    """The number."""
    return _number().value


def forget(before: int):
    """Do not count what was made since the number was `before`."""
    number = _number()
    if number.value > before or number.value < 0:
        number.value = before


def put_off():
    """Start no collection, whatever is made, until `forget` is called; the program's own calls of the collector work, and end this."""
    _number().value = _FAR


def hide_between(first, last):
    """Take what was made between two lists out of the collector's sight, if the first comes before the last, which has just been made, in its youngest list."""
    _mover()(id(first) - HEAD, id(last) - HEAD, own_list(), youngest())


@functools.cache
def _mover():
    """void move(first, last, to, youngest): what is linked between the first and the last goes to the end of the list with the head `to`."""
    return pages.routine(bytes.fromhex(
        "48 89 F8"  # mov rax, rdi
        "48 8B 00 48 39 F0 74 0B"  # follow: mov rax, [rax]; cmp rax, rsi; je linked
        "48 39 C8 74 45"  # cmp rax, rcx; je out
        "48 39 F8 75 EE C3"  # cmp rax, rdi; jne follow; out of here: ret
        "48 8B 07 48 39 F0 74 37"  # linked: mov rax, [rdi]; cmp rax, rsi; je out
        "48 8B 4E 08 48 83 E1 FC"  # mov rcx, [rsi + 8]; and rcx, ~3
        "48 89 37"  # mov [rdi], rsi
        "4C 8B 56 08 41 83 E2 03 49 09 FA 4C 89 56 08"  # mov r10, [rsi + 8]; and r10d, 3; or r10, rdi; mov [rsi + 8], r10
        "4C 8B 5A 08 49 89 03"  # mov r11, [rdx + 8]; mov [r11], rax
        "4C 8B 50 08 41 83 E2 03 4D 09 DA 4C 89 50 08"  # mov r10, [rax + 8]; and r10d, 3; or r10, r11; mov [rax + 8], r10
        "48 89 11 48 89 4A 08"  # mov [rcx], rdx; mov [rdx + 8], rcx
        "C3"), None, *[ctypes.c_uint64] * 4)


class Uncollected:
    """While entered, what is made starts no collection, and counts towards none later: the program's garbage would be found early, perhaps in our thread.

    The program may get the interpreter meanwhile, and collect by itself: then we begin anew. Nothing is done in an interpreter that does not count where
    the layout says, nor within another one.
    """

    depth = 0

    def __enter__(self):
        Uncollected.depth += 1
        self.entered = Uncollected.depth == 1 and is_known()
        if self.entered:
            self.callback = self.collected
            gc.callbacks.append(self.callback)
            self.made = max(0, made())
            put_off()

    def collected(self, phase, _):
        if self.entered and phase == "stop":
            self.made = 0
            put_off()
            if not self.entered:  # we have left in between, in our thread
                forget(0)

    def __exit__(self, *_):
        Uncollected.depth -= 1
        if not self.entered:
            return
        self.entered = False
        for index, callback in enumerate(gc.callbacks):
            if callback is self.callback:  # not asked for equality, which may be the program's
                del gc.callbacks[index]
                break
        del self.callback  # it refers to us: a circle would be garbage that the program finds
        forget(self.made)
