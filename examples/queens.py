"""In how many ways can N queens stand on an N x N board? python examples/queens.py [N]"""

from common.program import number, parser, report_time

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


def main():
    options = parser(__doc__)
    options.add_argument("n", metavar="N", nargs="?", type=number(0), default=8)
    chosen = options.parse_args()
    print(chosen.n, "queens:", place(chosen.n, 0, 0, 0, 0), "ways")
    if chosen.time:
        report_time(lambda: place(chosen.n, 0, 0, 0, 0))


if __name__ == "__main__":
    main()
