"""How deep a program gets that is not compiled: the frames and levels of C below it are not its own."""

import pytest

from comparing import assert_same

DEPTHS = """
import functools, sys
@functools.lru_cache(maxsize=None)
def cached(n):
    return n and cached(n + 1)
def mapped(n):
    return list(map(mapped, [n + 1]))
def plain(n):
    return plain(n + 1)
class Key:
    def __eq__(self, other):
        return other == Key()
for function, arguments in (cached, (1,)), (mapped, (1,)), (plain, (1,)), (Key.__eq__, (Key(), Key())):
    try:
        function(*arguments)
    except RecursionError as error:
        depth, step = 0, error.__traceback__
        while step:
            depth, step = depth + 1, step.tb_next
        print(depth, error)
"""
#: `walk` has versions for ints alone, so that interpreted calls of it without end come through its wrapper.
INTERPRETED = """
def outer(n, x):
    memo = {}
    def walk(k, acc=0):
        return acc if k <= 0 else walk(k - 1, acc + x if k % 2 else acc)
    def other(k: int, y: float = 1.5) -> float:
        memo[k] = y
        return y if k < 1 else other(k - 1, y * 2) + walk(2, 0)
    return walk(n), other(n % 5), len(memo)
for _ in range(60):
    outer(6, 1)
for n in (0, 1, -1, 2**31, 2**62, 2**63, True, 1.5, float("nan"), -0.0, float("inf")):
    for x in (1, 2**63, -2**63, 2.5, None, "a", [1]):
        if type(n) in (int, float) and 50 < n < 2.0**100:
            continue
        try:
            print(outer(n, x))
        except Exception as error:
            lines, step = [], error.__traceback__
            while step:
                lines.append(step.tb_lineno)
                step = step.tb_next
            # Whether the last level fails in a comparison or at the next call depends on how warm the interpreter is.
            print(type(error).__name__, str(error).removesuffix(" in comparison"), len(lines), lines[-3:])
"""


@pytest.mark.parametrize("options", [[], ["--eager"]], ids=["hot", "eager"])
def test_recursion_that_is_interpreted(tmp_path, options):
    (tmp_path / "program.py").write_text(INTERPRETED)
    status, output, _ = assert_same(["program.py"], options, directory=tmp_path)
    assert status == 0 and "maximum recursion depth exceeded" in output


def test_recursion_ends_where_it_does(tmp_path):
    (tmp_path / "program.py").write_text(DEPTHS)
    for arguments in ["program.py"], ["-c", DEPTHS]:  # below `-m` it depends on how warm runpy is
        status, output, _ = assert_same(arguments, directory=tmp_path)
        assert status == 0 and len(output.splitlines()) == 4
