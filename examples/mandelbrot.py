"""The Mandelbrot set as text: python examples/mandelbrot.py [WIDTH]"""

import sys

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


if __name__ == "__main__":
    for text in picture(int(sys.argv[1]) if len(sys.argv) > 1 else 78):
        print(text)
