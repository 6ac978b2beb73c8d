"""python -m jit: demo, explain, dis, opcodes, info."""

import sys

from jit.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
