"""Conway's game of life on a torus: python examples/life.py [GENERATIONS]"""

from common.program import number, parser, report_time

from jit import jit


@jit
def step(cells, following, width, height):
    """Compute one generation into `following`; both are flat lists of 0 and 1. Returns the number alive."""
    alive = 0
    for y in range(height):
        up = (y - 1) % height * width
        here = y * width
        down = (y + 1) % height * width
        for x in range(width):
            left = (x - 1) % width
            right = (x + 1) % width
            around = (cells[up + left] + cells[up + x] + cells[up + right] + cells[here + left] + cells[here + right]
                      + cells[down + left] + cells[down + x] + cells[down + right])
            lives = 1 if around == 3 or around == 2 and cells[here + x] == 1 else 0
            following[here + x] = lives
            alive += lives
    return alive


def run(generations, width=64, height=24):
    cells = [0] * (width * height)
    for x, y in ((1, 0), (2, 1), (0, 2), (1, 2), (2, 2), (30, 10), (31, 10), (32, 10), (31, 11), (40, 5), (41, 5), (40, 6)):
        cells[y * width + x] = 1
    following = [0] * (width * height)
    alive = sum(cells)
    for _ in range(generations):
        alive = step(cells, following, width, height)
        cells, following = following, cells
    return alive, "\n".join("".join(".#"[c] for c in cells[y * width:(y + 1) * width]) for y in range(height))


def main():
    options = parser(__doc__)
    options.add_argument("generations", metavar="GENERATIONS", nargs="?", type=number(0), default=100)
    chosen = options.parse_args()
    alive, text = run(chosen.generations)
    print(text)
    print(alive, "alive")
    if chosen.time:
        report_time(lambda: run(chosen.generations))


if __name__ == "__main__":
    main()
