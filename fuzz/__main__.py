"""python -m fuzz: run, replay, list, show, minimise, export, coverage, selfcheck."""

import sys


def run():
    """Run a command; returns the exit status. A missing package is told in one line."""
    try:
        from fuzz.commands import main
    except ImportError as problem:
        print(f"python -m fuzz: {problem}; `pip install 'purejit[fuzz]'` brings what it needs", file=sys.stderr)
        return 2
    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
