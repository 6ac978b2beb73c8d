"""How long the assembler takes per instruction, and to be imported.

    python benchmarks/assembler.py

"memo": instructions emitted before, as nearly all are once a few functions are compiled.
"new": every instruction for the first time, in a process that knows the operand shapes.
Both include finish(). The first use of each mnemonic is not counted: it parses the table.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from asm import Assembler, mem64, rax, rbx, rcx, rsi, rsp, xmm0, xmm1
from asm.registers import GPR64

ROUNDS = 2000


def typical(run):
    """A block such as compilers emit, ROUNDS times over."""
    a = Assembler()
    out = a.label("out")
    for _ in range(ROUNDS):
        a.comment("one operation")
        a.mov(rax, rbx)
        a.add(rax, mem64(rsp, 8))
        a.jo(out)
        a.cmp(rax, 100)
        a.jl(out)
        a.movsd(xmm0, mem64(rsp, 16))
        a.addsd(xmm0, xmm1)
        a.mov(rsi, 0x7F0012345678)
        a.mov(mem64(rcx, 0x120), rax)
        a.jmp(out)
    a.bind(out)
    a.finish(0)
    return ROUNDS * 10


def new_immediates(run):
    """Instructions that no memo knows, because their immediates or displacements are new."""
    a = Assembler()
    out = a.label("out")
    start = 1000 + run * ROUNDS
    for n in range(start, start + ROUNDS):
        register = GPR64[n & 15]
        a.mov(register, 0x7F0012345678 + n)
        a.cmp(register, n)
        a.add(register, mem64(rsp, 4 * n))
        a.jo(out)
    a.bind(out)
    a.finish(0)
    return ROUNDS * 4


def best(function, repeat=7):
    """Microseconds per instruction in the fastest of some runs."""
    times = []
    for run in range(repeat):
        start = time.perf_counter()
        count = function(run)
        times.append((time.perf_counter() - start) / count * 1e6)
    return min(times)


def import_time():
    """Milliseconds for `import asm` in new processes."""
    code = "import time; t = time.perf_counter(); import asm; print(time.perf_counter() - t)"
    root = sys.path[0]
    # Compiling the sources is not meant; neither is leaving files behind.
    folder = tempfile.mkdtemp()
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = folder
    command = [sys.executable, "-c", code]
    settings = {"cwd": root, "env": environment, "capture_output": True, "text": True}
    runs = [subprocess.run(command, **settings) for _ in range(10)]
    shutil.rmtree(folder)
    return min(float(run.stdout) for run in runs) * 1e3


if __name__ == "__main__":
    print(f"Python {sys.version.split()[0]}")
    print(f"memo    {best(typical):6.2f} us per instruction")
    print(f"new     {best(new_immediates):6.2f} us per instruction")
    print(f"import  {import_time():6.2f} ms")
