"""A function in cyclic garbage has lost its weak references, and its machine code, when a finaliser still calls it."""

import gc

import jit


class Caller:
    """Calls its function when it dies, and brings it back."""

    def __init__(self, function, results):
        self.function, self.results, self.me = function, results, self

    def __del__(self):
        self.results.append((self.function(20), self.function))


def test_functions_that_finalisers_bring_back():
    for _ in range(20):
        results = []

        def triangle(n):
            return sum(range(n)) if n < 0 else n * (n - 1) // 2

        jit.jit(triangle)
        assert [triangle(n) for n in (3, 20)] == [3, 190]
        caller = Caller(triangle, results)
        triangle.caller = caller
        del triangle, caller
        gc.collect()
        [(result, function)] = results
        assert result == 190
        junk = [jit.jit(eval(f"lambda x: x + {number}"))(1) for number in range(20)]
        assert function(5) == 10 and len(junk) == 20
        del function.caller, function, results
        gc.collect()
