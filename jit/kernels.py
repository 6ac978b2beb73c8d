"""Ten small programs as an ordinary user writes them, for the demo and the benchmarks.

Each `Kernel` has functions that call each other through globals, arguments for a run of some ten milliseconds in the
interpreter, and the speed-up expected of compiled code. Runs on any Python 3.9 or later, so that other
implementations can be measured with the same text.
"""

import copy
import struct
import types


class Kernel:
    """One program.

    Attributes:
        name: short name. title: what it does. functions: its functions, the main one last.
        arguments: function from a scale to the main function's arguments. target: the ratio aimed at.
    """

    def __init__(self, name, title, functions, arguments, target):
        self.name = name
        self.title = title
        self.functions = functions
        self.arguments = arguments
        self.target = target

    def copies(self, decorate=None):
        """The main function as a copy with globals of its own; `decorate` is applied to each function."""
        namespace = {"__builtins__": __builtins__, "__name__": "kernel_" + self.name}
        for function in self.functions:
            made = types.FunctionType(function.__code__, namespace, function.__name__, function.__defaults__)
            namespace[function.__name__] = made if decorate is None else decorate(made)
        return namespace[self.functions[-1].__name__]

    def run(self, function, scale=1.0):
        """Call a copy of the main function with fresh arguments."""
        return function(*copy.deepcopy(self.arguments(scale)))


def same(left, right):
    """Equal in type and value, floats bit for bit."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return struct.pack("<d", left) == struct.pack("<d", right)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right))
    return left == right


def sum_of_squares(n):
    s = 0
    for i in range(n):
        s += i * i
    return s


def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def mandelbrot(width, height, limit):
    count = 0
    for py in range(height):
        y0 = py * 2.0 / height - 1.0
        for px in range(width):
            x0 = px * 3.0 / width - 2.0
            x = y = 0.0
            n = 0
            while n < limit and x * x + y * y <= 4.0:
                x, y = x * x - y * y + x0, 2.0 * x * y + y0
                n += 1
            count += n
    return count


def collatz(limit):
    best = longest = 0
    for start in range(1, limit):
        n = start
        steps = 0
        while n != 1:
            if n % 2 == 0:
                n //= 2
            else:
                n = 3 * n + 1
            steps += 1
        if steps > longest:
            best, longest = start, steps
    return best, longest


def sieve_list(n):
    prime = [True] * (n + 1)
    count = 0
    for i in range(2, n + 1):
        if prime[i]:
            count += 1
            for j in range(i * i, n + 1, i):
                prime[j] = False
    return count


def sieve_bytearray(n):
    prime = bytearray([1]) * (n + 1)
    count = 0
    for i in range(2, n + 1):
        if prime[i]:
            count += 1
            for j in range(i * i, n + 1, i):
                prime[j] = 0
    return count


def eval_a(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def spectral_norm(n, u):
    for _ in range(4):
        v = [0.0] * n
        for i in range(n):
            s = 0.0
            for j in range(n):
                s += eval_a(i, j) * u[j]
            v[i] = s
        for i in range(n):
            s = 0.0
            for j in range(n):
                s += eval_a(j, i) * v[j]
            u[i] = s
    vbv = vv = 0.0
    for i in range(n):
        vbv += u[i] * v[i]
        vv += v[i] * v[i]
    return (vbv / vv) ** 0.5


def fannkuch(n):
    perm1 = list(range(n))
    count = [0] * n
    most = checksum = turns = 0
    r = n
    while True:
        while r != 1:
            count[r - 1] = r
            r -= 1
        perm = perm1[:]
        flips = 0
        k = perm[0]
        while k:
            i = 0
            j = k
            while i < j:
                perm[i], perm[j] = perm[j], perm[i]
                i += 1
                j -= 1
            flips += 1
            k = perm[0]
        if flips > most:
            most = flips
        checksum += flips if turns % 2 == 0 else -flips
        while True:
            if r == n:
                return checksum, most
            first = perm1[0]
            for i in range(r):
                perm1[i] = perm1[i + 1]
            perm1[r] = first
            count[r] -= 1
            if count[r] > 0:
                break
            r += 1
        turns += 1


def matmul(a, b, c, n):
    for i in range(n):
        row = a[i]
        for j in range(n):
            s = 0.0
            for k in range(n):
                s += row[k] * b[k][j]
            c[i][j] = s
    return c


def nbody(bodies, dt, steps):
    n = len(bodies)
    for _ in range(steps):
        for i in range(n):
            b = bodies[i]
            for j in range(i + 1, n):
                c = bodies[j]
                dx = b[0] - c[0]
                dy = b[1] - c[1]
                dz = b[2] - c[2]
                d2 = dx * dx + dy * dy + dz * dz
                mag = dt / (d2 * d2**0.5)
                bm = b[6] * mag
                cm = c[6] * mag
                b[3] -= dx * cm
                b[4] -= dy * cm
                b[5] -= dz * cm
                c[3] += dx * bm
                c[4] += dy * bm
                c[5] += dz * bm
        for b in bodies:
            b[0] += dt * b[3]
            b[1] += dt * b[4]
            b[2] += dt * b[5]
    return bodies


def _matrix(n, seed):
    return [[((i * 31 + j * 17 + seed) % 101) / 7.0 for j in range(n)] for i in range(n)]


def _matmul_arguments(scale):
    n = max(4, int(50 * scale))
    return _matrix(n, 1), _matrix(n, 2), [[0.0] * n for _ in range(n)], n


def _planets():
    return [[i * 1.5 - 3.0, (i * 7 % 5) * 0.75, i * 0.1, 0.01 * i, 0.3 - 0.05 * i, 0.02 * (i % 2), 1.0 / (i + 1)]
            for i in range(5)]


KERNELS = [
    Kernel("sum_squares", "sum of squares", [sum_of_squares], lambda scale: (int(300_000 * scale),), 60),
    Kernel("fib", "fib, recursive", [fib], lambda scale: (21 if scale >= 1 else 16,), 20),
    Kernel("mandelbrot", "mandelbrot", [mandelbrot], lambda scale: (60, max(2, int(40 * scale)), 100), 38),
    Kernel("collatz", "collatz", [collatz], lambda scale: (max(10, int(2500 * scale)),), 30),
    Kernel("sieve_list", "sieve on a list", [sieve_list], lambda scale: (int(80_000 * scale),), 8),
    Kernel("sieve_bytearray", "sieve on a bytearray", [sieve_bytearray], lambda scale: (int(80_000 * scale),), 30),
    Kernel("spectral_norm", "spectral_norm", [eval_a, spectral_norm],
           lambda scale: (max(4, int(50 * scale)), [1.0] * max(4, int(50 * scale))), 40),
    Kernel("fannkuch", "fannkuch", [fannkuch], lambda scale: (7 if scale >= 1 else 6,), 5),
    Kernel("matmul", "matmul, lists of lists", [matmul], _matmul_arguments, 16),
    Kernel("nbody", "n-body on lists of floats", [nbody], lambda scale: (_planets(), 0.01, max(5, int(500 * scale))), 9),
]
