"""More items are unpacked at once than there are registers, from several containers by turns."""

import pytest

from compare import check

NAMES = "a, b, c, d, e, f, g, h, i, j, k, l, m, n"


class Derived(tuple):
    pass


def make_function(body):
    namespace = {}
    exec(f"def function(x, y, turns):\n    seen = []\n    for turn in range(turns):\n{body}        seen.append(({NAMES}))\n    return seen\n", namespace)
    return namespace["function"]


BODIES = {
    "one after the other": f"        {NAMES} = x\n        {NAMES} = y\n",
    "nested": "        (a, b, c, d, e, f, g), (h, i, j, k, l, m, n) = x[:7], y[:7]\n",
    "backwards": f"        {', '.join(reversed(NAMES.split(', ')))} = x\n        o, p, q, r, s, t, u, v, w, z, a, b, c, d = y\n        a = o + z\n",
    "two at a time": f"        {NAMES} = x\n        o, p, q, r, s, t, u, v, w, z, _, _, _, _ = y\n        a, b = o, p\n        c, d = x[0], y[0]\n",
    "computed with": f"        {NAMES} = x\n        a, b = b + a, a + b\n        {NAMES} = y\n        c = c + a\n        m = n + b\n",
    "from what changes": f"        {NAMES} = x\n        if turn == 3: x = y\n        if turn == 5: y = list(reversed(y))\n        {NAMES} = y\n",
}
VALUES = [list(range(14)), [float(number) for number in range(14)], [2 ** 62] * 13 + [-2 ** 63], [True, False] * 7, [1, 2.5] * 7,
          ["text"] * 14, [None] * 14, [[]] * 14, list(range(13)), list(range(15)), [10 ** 30, -0.0, float("inf"), "", (), b"", 0, 1, -1, 2 ** 31, 2 ** 63, None, True, 5]]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("kinds", [(tuple, tuple), (list, list), (tuple, list), (list, tuple), (Derived, tuple), (tuple, iter)], ids=lambda kinds: " ".join(kind.__name__ for kind in kinds))
def test_unpacked(body, kinds):
    first, second = kinds
    check(make_function(body), *[(first(VALUES[0]), second(one), 8) for one in VALUES], *[(first(one), second(VALUES[0]), 8) for one in VALUES])
