"""The Mandelbrot set as text: python examples/mandelbrot.py [WIDTH]"""

from common.program import number, parser, report_time

from jit import jit


@jit
def escape(x0, y0, limit):
    """Steps until the orbit of a point leaves the circle of radius 2."""
    x = y = 0.0
    for n in range(limit):
        if x * x + y * y > 4.0:
            return n
        x, y = x * x - y * y + x0, 2.0 * x * y + y0
    return limit


def picture(width, limit=200):
    height = width // 3
    shades = " .:-=+*#%@"
    for row in range(height):
        line = ""
        for column in range(width):
            steps = escape(column * 3.0 / width - 2.1, row * 2.4 / height - 1.2, limit)
            line += shades[steps * (len(shades) - 1) // limit]
        yield line.rstrip()


def main():
    options = parser(__doc__)
    options.add_argument("width", metavar="WIDTH", nargs="?", type=number(1), default=78)
    chosen = options.parse_args()
    for text in picture(chosen.width):
        print(text)
    if chosen.time:
        report_time(lambda: list(picture(chosen.width)))


if __name__ == "__main__":
    main()
