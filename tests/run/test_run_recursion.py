"""How deep a program gets that is not compiled: the frames and levels of C below it are not its own."""

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


def test_recursion_ends_where_it_does(tmp_path):
    (tmp_path / "program.py").write_text(DEPTHS)
    for arguments in ["program.py"], ["-c", DEPTHS]:  # below `-m` it depends on how warm runpy is
        status, output, _ = assert_same(arguments, directory=tmp_path)
        assert status == 0 and len(output.splitlines()) == 4
