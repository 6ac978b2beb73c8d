"""Memory for what the compiler makes, apart from the program's.

Problem: CPython gives out small blocks where others died, whoever asks. What the compiler left lay among the program's objects, and held whole megabytes
that CPython would have given back when these died; what the program made next lay scattered over them, and over the holes of what the compiler had thrown
away. Reading and collecting such objects takes up to a quarter longer.
Idea: while a thread compiles, its small blocks come from the C library's malloc, as CPython's large ones always do. Nobody has to tell them apart
later: CPython's own functions free a block that is in none of its pools by free(), and count it as one of these.

Two of CPython's hooks for allocators make that, while a thread is apart. In front of the functions for objects and memory: of what that thread asks for, a
bit is set in the size that no size has. So CPython takes it for too large for its pools, counts it, and asks its function for raw memory;
in front of that, the bit is taken out again. Whatever another thread asks for goes through as it is.

Source: the C-API's "Customize Memory Allocators" (PyMemAllocatorEx, PyMem_GetAllocator, PyMem_SetAllocator); CPython Objects/obmalloc.c
(_PyObject_Malloc, _PyObject_Free, pymalloc_alloc; the same in 3.11 to 3.13). ELF x86-64 ABI, thread-local storage: fs:[0] is the thread's own.
"""

import _thread
import ctypes

from platforms import pages
from platforms.cpython import symbols

#: The bit of a size. No memory is that large.
_BIT = 62
_RAW, _OBJECTS = 0, 2
#: In our page of data: the thread that is apart, fs:[0], or 0; and how many blocks were made so.
_OWNER, _MADE = 0, 8
#: A size for trying it out.
_TRIED = 48


class Allocator(ctypes.Structure):
    """PyMemAllocatorEx."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("context", "malloc", "calloc", "realloc", "free")]

    def functions(self):
        return self.context, self.malloc, self.calloc, self.realloc, self.free


class Hooks:
    """Our allocators, and CPython's behind them.

    Attributes:
        theirs, ours: Allocators by domain. owner: the c_uint64 that says which thread is apart. made: the one that counts.
    """

    def __init__(self):
        self.get = symbols.function("PyMem_GetAllocator", None, ctypes.c_int, ctypes.c_void_p)
        self.theirs = Allocator(), Allocator(), Allocator()
        for domain, allocator in enumerate(self.theirs):
            self.get(domain, ctypes.addressof(allocator))
        data = pages.reserve(pages.PAGE)
        pages.protect(data, pages.PAGE, pages.READ | pages.WRITE)
        self.owner, self.made = (ctypes.c_uint64.from_address(data + offset) for offset in (_OWNER, _MADE))
        raw, _, objects = self.theirs
        malloc = pages.place(_marking(data, "48 0F BA EE", "", objects.malloc))  # bts rsi, _BIT
        marking = (objects.context, malloc, pages.place(_marking(data, "48 0F AF D6 48 0F BA EA", "BE 01 00 00 00", objects.calloc)),  # imul rdx, rsi; bts rdx, _BIT; mov esi, 1
                   pages.place(_of_nothing(malloc, objects.realloc)), objects.free)
        taking = (raw.context, pages.place(_taking_out(data, "48 0F BA F6", raw.malloc)),  # btr rsi, _BIT
                  pages.place(_taking_out(data, "48 0F BA F2", raw.calloc)), raw.realloc, raw.free)  # btr rdx, _BIT
        self.ours = tuple(Allocator(*functions) for functions in (taking, marking, marking))
        self.set = symbols.function("PyMem_SetAllocator", None, ctypes.c_int, ctypes.c_void_p)
        self.thread = pages.routine(bytes.fromhex("64 48 8B 04 25 00 00 00 00 C3"), ctypes.c_uint64)  # mov rax, fs:[0]; ret
        self.now = Allocator()
        self.addresses = [(domain, ctypes.addressof(ours), ctypes.addressof(theirs)) for domain, (ours, theirs) in enumerate(zip(self.ours, self.theirs))]

    def are_known(self):
        """Whether CPython's allocators are those with pools, in front of the C library's, and do what is expected of them."""
        raw, memory, objects = self.theirs
        if raw.context or objects.context or memory.functions() != objects.functions() or raw.malloc == objects.malloc:
            return False  # debugging, tracing, or no pools at all
        self.set(_RAW, ctypes.addressof(self.ours[_RAW]))
        try:
            return all(self.is_made_by(*call) for call in (("malloc", _TRIED), ("calloc", 3, _TRIED), ("realloc", 0, _TRIED)))
        finally:
            self.set(_RAW, ctypes.addressof(self.theirs[_RAW]))

    def is_made_by(self, name, *arguments):
        """Whether one block of this thread's is made in our way, in which none can be as large as can be asked for."""
        call = pages.routine(_apart(ctypes.addressof(self.owner), getattr(self.ours[_OBJECTS], name)), ctypes.c_uint64, *[ctypes.c_uint64] * (1 + len(arguments)))
        before = self.made.value
        block = call(0, *arguments)
        made, refused = self.made.value - before, call(0, *arguments[:-1], 1 << _BIT)
        pages.prototype(None, ctypes.c_uint64, ctypes.c_uint64)(self.theirs[_OBJECTS].free)(0, block)
        return bool(block) and made == 1 and not refused

    def install(self):
        """Let this thread be apart, unless the program traces its memory."""
        if all(self.in_use(domain) in (self.ours[domain].malloc, self.theirs[domain].malloc) for domain, _, _ in self.addresses):
            for domain, ours, _ in self.addresses:
                self.set(domain, ours)
            self.owner.value = self.thread()

    def remove(self):
        """No thread is apart. Where the program has begun to trace its memory meanwhile it keeps our functions, which then do nothing."""
        self.owner.value = 0
        for domain, _, theirs in reversed(self.addresses):
            if self.in_use(domain) == self.ours[domain].malloc:
                self.set(domain, theirs)

    def in_use(self, domain):
        """The function for new blocks."""
        self.get(domain, ctypes.addressof(self.now))
        return self.now.malloc


def _is_owner(data, otherwise):
    """Code that jumps over so many bytes unless this thread is apart."""
    return f"64 4C 8B 14 25 00 00 00 00 49 BB {_word(data + _OWNER)} 4D 3B 13 75 {otherwise:02X}"  # mov r10, fs:[0]; mov r11, owner; cmp r10, [r11]; jne


def _jump(address):
    return f"49 BB {_word(address)} 41 FF E3"  # mov r11, address; jmp r11


def _word(number):
    return number.to_bytes(8, "little").hex()


def _marking(data, mark, rest, function):
    """Set the bit; what is as large as that is refused at once. Then CPython's function."""
    marked = f"{mark} {_BIT:02X} 73 03 31 C0 C3 {rest}"  # jnc over; xor eax, eax; ret
    return bytes.fromhex(_is_owner(data, len(bytes.fromhex(marked))) + marked + _jump(function))


def _taking_out(data, mark, function):
    """Take the bit out again, and count."""
    taken = f"{mark} {_BIT:02X} 49 FF 43 {_MADE - _OWNER:02X}"  # inc qword [r11 + made]
    return bytes.fromhex(_is_owner(data, len(bytes.fromhex(taken))) + taken + _jump(function))


def _of_nothing(malloc, function):
    """realloc() of no block is malloc()."""
    new = "48 89 D6" + _jump(malloc)  # mov rsi, rdx
    return bytes.fromhex(f"48 85 F6 75 {len(bytes.fromhex(new)):02X}" + new + _jump(function))  # test rsi, rsi; jne


def _apart(owner, function):
    """A routine that calls a function in a thread that is apart for just so long."""
    return bytes.fromhex(f"53 48 BB {_word(owner)} 64 48 8B 04 25 00 00 00 00 48 89 03"  # push rbx; mov rbx, owner; mov rax, fs:[0]; mov [rbx], rax
                         f"48 B8 {_word(function)} FF D0 48 C7 03 00 00 00 00 5B C3")  # mov rax, function; call rax; mov qword [rbx], 0; pop rbx; ret


def known_hooks():
    """Hooks that have been tried out; None if CPython's allocators are not known, or there is no page to be had."""
    try:
        hooks = Hooks()
        return hooks if hooks.are_known() else None
    except OSError:
        return None


class Apart:
    """Entered around what the compiler does, by one thread at a time, which may enter again; what another makes meanwhile lies among the program's.

    Attributes:
        hooks: Hooks, or None as long as nobody has entered, and where CPython's allocators are not known. is_tried: somebody has. owner: ident of the
        thread that has entered, or 0. depth: how often. is_installed: whether it is apart. No other thread comes between where nothing is called.
    """

    def __init__(self):
        self.hooks = None
        self.is_tried = self.is_installed = False
        self.owner = self.depth = 0

    def __enter__(self):
        thread = _thread.get_ident()
        if self.owner == thread:
            self.depth += 1
        elif not self.owner:
            self.owner, self.depth = thread, 1
            try:
                self.install()
            except BaseException:
                self.leave()
                raise

    def __exit__(self, *_):
        if self.owner == _thread.get_ident():
            self.depth -= 1
            if not self.depth:
                self.leave()

    def install(self):
        """The first time, with a look at how CPython allocates."""
        if not self.is_tried:
            self.is_tried = True
            self.hooks = known_hooks()
        if self.hooks is not None:
            self.is_installed = True
            self.hooks.install()

    def leave(self):
        """Nobody is apart."""
        try:
            if self.is_installed:
                self.hooks.remove()
        finally:
            self.is_installed, self.owner = False, 0

    def begin_in_child(self):
        """In a forked child: a thread that was apart is not there, unless it is this one."""
        if self.owner not in (0, _thread.get_ident()):
            self.leave()


APART = Apart()
