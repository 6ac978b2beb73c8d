"""In how many ways can N queens stand on an N x N board? python examples/queens.py [N]"""

import sys

from jit import jit


@jit
def place(n, row, columns, falling, rising):
    """Count the ways to fill the rows from `row` on; the bit sets say which columns and diagonals are taken."""
    if row == n:
        return 1
    count = 0
    free = ~(columns | falling | rising) & (1 << n) - 1
    while free:
        spot = free & -free
        free ^= spot
        count += place(n, row + 1, columns | spot, (falling | spot) << 1, (rising | spot) >> 1)
    return count


if __name__ == "__main__":
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    print(n, "queens:", place(n, 0, 0, 0, 0), "ways")
