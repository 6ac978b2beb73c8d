"""Ten small programs, written as anybody would write them: what the demo, the benchmarks and many tests run.

Each takes some 10 to 60 ms interpreted at scale 1. This file imports nothing of the compiler at the top and keeps to
Python 3.9, so that other implementations can run it by its path to be measured beside ours.
"""

import math
import struct
from types import FunctionType


def sum_of_squares(n):
    s = 0
    for i in range(n):
        s += i * i
    return s


def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def mandelbrot(size, limit):
    inside = 0
    for row in range(size):
        ci = 2.0 * row / size - 1.0
        for column in range(size):
            cr = 2.0 * column / size - 1.5
            zr = 0.0
            zi = 0.0
            count = 0
            while count < limit and zr * zr + zi * zi <= 4.0:
                zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
                count += 1
            if count == limit:
                inside += 1
    return inside


def collatz(n):
    longest = 0
    best = 0
    for start in range(1, n):
        length = 1
        x = start
        while x != 1:
            if x % 2 == 0:
                x = x // 2
            else:
                x = 3 * x + 1
            length += 1
        if length > longest:
            longest = length
            best = start
    return best


def sieve_list(n):
    prime = [True] * n
    count = 0
    for i in range(2, n):
        if prime[i]:
            count += 1
            for multiple in range(i * i, n, i):
                prime[multiple] = False
    return count


def sieve_bytearray(prime):
    n = len(prime)
    count = 0
    for i in range(2, n):
        if prime[i]:
            count += 1
            for multiple in range(i * i, n, i):
                prime[multiple] = 0
    return count


def eval_a(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def a_times(u):
    n = len(u)
    result = [0.0] * n
    for i in range(n):
        total = 0.0
        for j in range(n):
            total += eval_a(i, j) * u[j]
        result[i] = total
    return result


def at_times(u):
    n = len(u)
    result = [0.0] * n
    for i in range(n):
        total = 0.0
        for j in range(n):
            total += eval_a(j, i) * u[j]
        result[i] = total
    return result


def spectral_norm(n, rounds):
    u = [1.0] * n
    v = u
    for _ in range(rounds):
        v = at_times(a_times(u))
        u = at_times(a_times(v))
    vbv = 0.0
    vv = 0.0
    for i in range(n):
        vbv += u[i] * v[i]
        vv += v[i] * v[i]
    return math.sqrt(vbv / vv)


def fannkuch(n):
    permutation = list(range(n))
    count = [0] * n
    most = 0
    r = n
    while True:
        while r != 1:
            count[r - 1] = r
            r -= 1
        pancakes = permutation[:]
        flips = 0
        first = pancakes[0]
        while first:
            i = 0
            j = first
            while i < j:
                pancakes[i], pancakes[j] = pancakes[j], pancakes[i]
                i += 1
                j -= 1
            flips += 1
            first = pancakes[0]
        if flips > most:
            most = flips
        while True:
            if r == n:
                return most
            bottom = permutation[0]
            for i in range(r):
                permutation[i] = permutation[i + 1]
            permutation[r] = bottom
            count[r] -= 1
            if count[r] > 0:
                break
            r += 1


def matmul(a, b, product):
    for i in range(len(a)):
        for j in range(len(b[0])):
            total = 0.0
            for k in range(len(b)):
                total += a[i][k] * b[k][j]
            product[i][j] = total


def advance(bodies, dt, steps):
    n = len(bodies)
    for _ in range(steps):
        for i in range(n):
            a = bodies[i]
            for j in range(i + 1, n):
                b = bodies[j]
                dx = a[0] - b[0]
                dy = a[1] - b[1]
                dz = a[2] - b[2]
                force = dt * (dx * dx + dy * dy + dz * dz) ** -1.5
                a[3] -= dx * b[6] * force
                a[4] -= dy * b[6] * force
                a[5] -= dz * b[6] * force
                b[3] += dx * a[6] * force
                b[4] += dy * a[6] * force
                b[5] += dz * a[6] * force
        for body in bodies:
            body[0] += dt * body[3]
            body[1] += dt * body[4]
            body[2] += dt * body[5]


def _matrix(rows, columns, seed):
    """Floats without a pattern that a compiler could use, the same everywhere."""
    values = []
    for _ in range(rows):
        row = []
        for _ in range(columns):
            seed = (seed * 1103515245 + 12345) % 2147483648
            row.append(seed / 2147483648)
        values.append(row)
    return values


def _matrices(scale):
    n = max(2, round(52 * scale ** (1 / 3)))
    return _matrix(n, n, 1), _matrix(n, n, 2), [[0.0] * n for _ in range(n)]


def _planets(scale):
    """Sun, Jupiter, Saturn, Uranus, Neptune: position, velocity, mass."""
    bodies = [
        [0.0, 0.0, 0.0, -0.000387668153, -0.00327534755, 2.39357340e-05, 39.4784176],
        [4.84143144, -1.16032004, -0.103622044, 0.606326392, 2.81198684, -0.0252183616, 0.0376936749],
        [8.34336671, 4.12479856, -0.403523417, -1.01077434, 1.82566237, 0.00841576137, 0.0112863261],
        [12.8943695, -15.1111514, -0.223307578, 1.08279100, 0.868713018, -0.0108326374, 0.00172372405],
        [15.3796971, -25.9193146, 0.179258772, 0.979090732, 0.594698998, -0.0347559555, 0.00203368686]]
    return bodies, 0.01, max(1, round(1600 * scale))


class Kernel:
    """One program.

    Attributes:
        name: for the command line. title: for tables.
        functions: the functions it consists of, the one to call first.
        make_arguments: makes a new tuple of arguments for a scale; the time interpreted is about proportional to it.
        target: how many times faster than interpreted the compiled one has to be on CPython 3.11.
    """

    def __init__(self, name, title, functions, make_arguments, target):
        self.name = name
        self.title = title
        self.functions = functions
        self.make_arguments = make_arguments
        self.target = target

    def __repr__(self):
        return f"Kernel({self.name!r})"


KERNELS = [
    Kernel("sumsq", "sum of squares", (sum_of_squares,), lambda scale: (round(400_000 * scale),), 60),
    Kernel("fib", "fib, recursive", (fib,), lambda scale: (max(5, round(26 + math.log(scale, 1.618))),), 20),
    Kernel("mandelbrot", "mandelbrot", (mandelbrot,), lambda scale: (max(4, round(80 * scale ** 0.5)), 100), 38),
    Kernel("collatz", "collatz", (collatz,), lambda scale: (max(10, round(4000 * scale)),), 30),
    Kernel("sieve_list", "sieve on a list", (sieve_list,), lambda scale: (max(10, round(200_000 * scale)),), 8),
    Kernel("sieve_bytearray", "sieve on a bytearray", (sieve_bytearray,),
           lambda scale: (bytearray(b"\1") * max(10, round(200_000 * scale)),), 30),
    Kernel("spectral_norm", "spectral_norm", (spectral_norm, a_times, at_times, eval_a),
           lambda scale: (max(5, round(70 * scale ** 0.5)), 10), 40),
    Kernel("fannkuch", "fannkuch", (fannkuch,), lambda scale: (max(4, round(8 + math.log(scale, 8))),), 5),
    Kernel("matmul", "matmul, lists of lists", (matmul,), _matrices, 16),
    Kernel("advance", "n-body, lists of floats", (advance,), _planets, 9),
]

#: The geometric mean of all ratios has to reach this.
GEOMETRIC_MEAN_TARGET = 22


def find(name):
    """The kernel of that name; KeyError if there is none."""
    for kernel in KERNELS:
        if kernel.name == name:
            return kernel
    raise KeyError(name)


def fresh(kernel, wrap=None):
    """New copies of a kernel's functions, with globals of their own.

    Args:
        kernel: a Kernel. wrap: called with each copy; what it returns takes the copy's place.

    Returns:
        the copy of the main function.
    """
    variables = {"__builtins__": __builtins__, "__name__": __name__, "math": math}
    for function in kernel.functions:
        copy = FunctionType(function.__code__, variables, function.__name__)
        variables[function.__name__] = copy if wrap is None else wrap(copy)
    return variables[kernel.functions[0].__name__]


def pair(kernel):
    """The main function twice, each with its own copies of the functions it calls: interpreted, and compiled."""
    from jit import jit
    return fresh(kernel), fresh(kernel, jit)


def same(a, b):
    """Whether two values are equal in type and, floats to the last bit, in value."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def numbers(result, arguments):
    """The numbers that a call's result and arguments hold afterwards, flat: for comparing with what others compute."""
    flat = []
    if isinstance(result, (int, float)):
        flat.append(result)
    for argument in arguments:
        if isinstance(argument, bytearray):
            flat.append(sum(argument))
        elif hasattr(argument, "__len__"):
            flat.extend(float(number) for row in argument for number in row)
    return flat
