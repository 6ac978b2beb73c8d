"""A slice of a global list, moved into another list: the exit was to observe the type of a constant, an internal error."""

import jit
import pytest

G = ["a", "b", "c"]


@pytest.mark.parametrize("statement, expected", [
    ("x[:] = G[:]", ["a", "b", "c"]), ("x[1:2] = G[:2]", [1, "a", "b", 3]), ("x[i:] = G[i:]", [1, "b", "c"]), ("x[:i] = G[:]", ["a", "b", "c", 2, 3]),
    ("G[:] = x[:]", [1, 2, 3])])
def test_slice_of_a_global_moved(statement, expected, monkeypatch):
    space = {"G": list(G)}
    exec(f"def f(x, i):\n    {statement}\n    return x", space)
    f = jit.jit(space["f"])
    for _ in range(4):
        assert f([1, 2, 3], 1) == expected
    with pytest.raises(TypeError):
        f(None, 1)
    report = jit.explain(f)
    assert report.state == "compiled" and "internal error" not in str(report)
