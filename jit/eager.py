"""Every function compiled at its first call, for testing: as much as possible runs as machine code, and nothing comes out differently.

Problem: the first call of a function must already come to the compiler, whoever made the function and however it is called.
On 3.12 and later CPython tells watchers of each function made; ours is machine code that points its vectorcall at the shared
first-call entry. 3.11 has no watchers, and its calls ignore the pointer; there a frame evaluation function (PEP 523) sees the
first call with its arguments bound, asks the compiler, and makes the call anew if there is a version for it.

Not compiled at their first call: on 3.11 functions with *args, **kwargs or keyword-only parameters; more than 16 arguments, or keywords in the
call (they are looked at then, and compiled at a later call); functions that are running when this begins; generators and
coroutines, class bodies and modules; what the compiler itself calls while it is at work; the import system.

Sources: PEP 523; CPython Objects/funcobject.c (PyFunction_AddWatcher), Python/ceval.c (_PyEval_Vector).
"""

import ctypes
import gc
import weakref
from types import FunctionType

from asm import Assembler, eax, edx, mem32, mem64, r12, r13, r14, rax, rbp, rbx, rcx, rdi, rdx, relative, rsi, rsp
from jit import firstcall, profit
from jit.budget import BUDGET
from jit.decode import takes_more
from jit.dispatch import COMPILER
from jit.machine.arena import arena, placed
from jit.ours import LEFT_ALONE
from platforms.cpython import entry, symbols, threads, undisturbed
from platforms.cpython.layout import SUSPENDED, layout

L = layout()
#: co_flags: generators of all kinds; coroutines; *args, **kwargs.
_COROUTINES, _VARIADIC = 0x80 | 0x200, 0x4 | 0x8
_CREATED = 0  # PyFunction_EVENT_CREATE

#: Function objects compiled of the same code, and code objects of which they are counted.
SIBLINGS, FORGET_AFTER = 16, 20_000
_made = {}
#: Not empty when nothing more is to be compiled.
CLOSED = []
_immortal = []


def start():
    """From now on every function is compiled at its first call, worthwhile or not."""
    BUDGET.unlimited = True
    profit.EAGER = True
    CLOSED.clear()
    COMPILER.automatic = register_callee
    if symbols.optional("PyFunction_AddWatcher") is None:
        install_hook()
    elif not _immortal:
        watch()


def stop():
    """No more first calls come to the compiler."""
    CLOSED.append(True)
    profit.EAGER = profit.ASKED
    if symbols.optional("PyFunction_AddWatcher") is None:
        set_evaluation(symbols.address("_PyEval_EvalFrameDefault"))


def register_callee(function):
    """See `Automatic.automatic`."""
    if not isinstance(function, FunctionType) or function.__code__.co_filename.startswith(LEFT_ALONE):
        return None
    return COMPILER.register(function, automatic=True)


def is_one_of_many(function):
    """Whether enough functions of the same code have been compiled: it is made again and again."""
    code = function.__code__
    known, count = _made.get(id(code), (None, 0))
    if known is None or known() is not code:
        if len(_made) >= FORGET_AFTER:
            _made.clear()
        known, count = weakref.ref(code), 0
    _made[id(code)] = known, count + 1
    return count >= SIBLINGS


def prepare(function, *arguments, looking=[]):  # noqa: B006
    """The first call of any function: True if it is to be made through its new entry, False if never, None if not this time."""
    if looking:  # audit hooks are called for what is done here
        return None
    looking.append(function)
    try:
        if function.__code__.co_filename.startswith(LEFT_ALONE):
            return False  # also where it is the compiler that calls it, or it would be asked for at each of its calls
        if BUDGET.depth:
            return None
        if function.__code__.co_flags & SUSPENDED:
            COMPILER.want_generators(function)
            return False
        if is_one_of_many(function) or COMPILER.register(function, automatic=True).reason is not None:
            return False
    except (RecursionError, MemoryError):
        return None
    except Exception as problem:
        COMPILER.give_up_calmly(function, problem)
        return False
    finally:
        looking.clear()
    return COMPILER.prepare(function, *arguments) or None


def prepare_frame(function, *arguments):
    """For the hook: as `prepare`, but a frame whose arguments are not only positions is interpreted; the next call is compiled."""
    found = prepare(function, *arguments)
    return None if found and takes_more(function.__code__) else found


# -- 3.12 and later ------------------------------------------------------------------------------------


def watch():
    """Point all functions there are, and all to come, at the entry for first calls."""
    first = firstcall.build(prepare_or_restore)
    # Functions lead there until the process ends, later than modules have what is in them.
    symbols.function("Py_IncRef", None, ctypes.py_object)(prepare_or_restore)
    _immortal.append(first)
    asm = Assembler(comments=False)
    other = asm.label("other")
    asm.test(rdi.r32, rdi.r32)  # the event: _CREATED
    asm.jnz(other)
    asm.mov(rax, relative(asm.constant(first.address)))
    asm.mov(mem64(rsi, L.function_vectorcall), rax)
    asm.bind(other)
    asm.xor(eax, eax)
    asm.ret()
    symbols.function("PyFunction_AddWatcher", ctypes.c_int, ctypes.c_void_p)(placed(asm, "jit::function watcher"))
    for found in gc.get_objects():
        if type(found) is FunctionType and not entry.is_redirected(found) and \
                not found.__code__.co_filename.startswith(LEFT_ALONE):
            entry.redirect(found, first.address)


def prepare_or_restore(function, *arguments, closed=CLOSED):
    """For the entry: True, or the call is interpreted."""
    if closed:
        return False
    found = prepare(function, *arguments)
    if found is False:
        entry.restore(function)
    return bool(found)


# -- 3.11 -----------------------------------------------------------------------------------------------


def install_hook():
    """Evaluate frames ourselves, to see first calls."""
    asm = Assembler(comments=False)
    HookEmitter(asm).emit()
    set_evaluation(placed(asm, "jit::frame evaluation"))


def set_evaluation(address):
    """Let the function at an address evaluate frames."""
    symbols.function("_PyInterpreterState_SetEvalFrameFunc", None, ctypes.c_uint64, ctypes.c_uint64)(threads.interpreter(), address)


class HookEmitter(firstcall.FirstCallEmitter):
    """Emits PyObject *evaluate(thread rdi, frame rsi, throwing edx)."""

    def __init__(self, asm):
        super().__init__(asm, prepare_frame)
        self.busy = arena().allocate_data(16)

    def emit(self):
        asm = self.asm
        default, answered, run, mark, out = map(asm.label, ("default", "answered", "run", "mark", "out"))
        self.emit_conditions(default)
        for register in (rbx, rbp, r12, r13, r14):
            asm.push(register)
        asm.mov(rbx, rsi)
        asm.mov(r12, rdi)
        asm.mov(r13, mem64(rsi, L.frame_function))
        self.emit_count()
        asm.mov(relative(self.busy), 1)
        asm.mov(rbp, rsp)
        asm.mov(rdi, r13)
        asm.mov(rdx, r14)
        asm.xor(rcx.r32, rcx.r32)
        asm.lea(rsi, mem64(rbx, L.frame_localsplus))
        self.emit_arguments()
        asm.mov(rdi, self.constant(id(self.prepare)))
        asm.mov(rsi, rsp)
        asm.lea(rdx, mem64(rax, 1))
        asm.xor(rcx.r32, rcx.r32)
        asm.call(self.constant(undisturbed.vectorcall()))
        asm.mov(rsp, rbp)
        asm.mov(relative(self.busy), 0)
        asm.test(rax, rax)
        asm.jz(out)
        asm.sub(mem64(rax, L.ob_refcnt), 1)  # True, False or None: never the last reference
        asm.cmp(rax, self.constant(id(True)))
        asm.je(run)
        asm.cmp(rax, self.constant(id(False)))
        asm.je(mark)
        asm.bind(answered)
        asm.mov(rdi, r12)
        asm.mov(rsi, rbx)
        asm.xor(edx, edx)
        self.emit_pops()
        asm.bind(default)
        asm.jmp(self.constant(symbols.address("_PyEval_EvalFrameDefault")))
        asm.bind(run)
        asm.mov(rdi, r13)
        asm.lea(rsi, mem64(rbx, L.frame_localsplus))
        asm.mov(rdx, r14)
        asm.xor(rcx.r32, rcx.r32)
        asm.call(mem64(r13, L.function_vectorcall))
        asm.bind(out)
        self.emit_pops()
        asm.ret()
        self.emit_mark(mark, answered)

    def emit_conditions(self, default):
        """Only calls, frames that have not begun, of ordinary functions that nobody watches, and not while another is being looked at.

        A generator that is resumed is no call: its locals are arguments no more.
        """
        asm = self.asm
        asm.test(edx, edx)
        asm.jnz(default)
        asm.mov(rax, mem64(rsi, L.frame_function))
        asm.mov(rcx, self.constant(entry.original_vectorcall()))
        asm.cmp(mem64(rax, L.function_vectorcall), rcx)
        asm.jne(default)
        asm.mov(rax, mem64(rsi, L.frame_code))
        asm.test(mem32(rax, L.code_flags), _COROUTINES)
        asm.jnz(default)
        asm.add(rax, L.code_adaptive + L.instruction_resume_bias)
        asm.cmp(mem64(rsi, L.frame_instruction), rax)
        asm.jne(default)
        asm.mov(rax, mem64(rdi, L.thread_cframe))
        asm.test(mem32(rax, L.cframe_use_tracing), 0xFF)
        asm.jnz(default)
        asm.cmp(relative(self.busy), 0)
        asm.jne(default)

    def emit_count(self):
        """r14 = number of arguments, 0 if they are not only positional ones."""
        asm = self.asm
        counted = asm.label("counted_arguments")
        asm.xor(r14.r32, r14.r32)
        asm.mov(rax, mem64(rsi, L.frame_code))
        asm.test(mem32(rax, L.code_flags), _VARIADIC)
        asm.jnz(counted)
        asm.cmp(mem32(rax, L.code_kwonlyargcount), 0)
        asm.jne(counted)
        asm.mov(r14.r32, mem32(rax, L.code_argcount))
        asm.bind(counted)

    def emit_mark(self, mark, answered):
        """Let a function that is never compiled not be asked about again: its vectorcall becomes another that does the same."""
        asm = self.asm
        same = asm.label("same_as_ever")
        asm.bind(mark)
        asm.lea(rax, relative(same))
        asm.mov(mem64(r13, L.function_vectorcall), rax)
        asm.jmp(answered)
        asm.bind(same)
        asm.jmp(self.constant(entry.original_vectorcall()))

    def emit_pops(self):
        for register in (r14, r13, r12, rbp, rbx):
            self.asm.pop(register)
