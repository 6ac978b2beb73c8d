"""python -m jit: run, demo, explain, dis, opcodes, hook, info."""

import sys


def run():
    """Run a command; returns the exit status. What cannot even be imported is told in one line."""
    try:
        if sys.argv[1:2] == ["run"]:
            from jit.beginning import Beginning
            beginning = Beginning()
            from jit.isolation import install
            install()
            from jit.runner import main as start
            return start(sys.argv[2:], beginning)
        from jit.commands import main
    except KeyboardInterrupt:
        return 130
    except Exception as problem:
        text = " ".join(f"{type(problem).__name__}: {problem}".split())
        print(f"python -m jit: the installation of purejit is damaged: {text}", file=sys.stderr)
        return 2
    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
