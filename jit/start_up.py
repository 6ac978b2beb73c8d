"""JIT_ENABLE=1: programs that others start, with the JIT.

The hook is one line in a `.pth` file in site-packages, which `python -m jit hook --install` writes. Python runs such lines at
every start; this one looks at the environment and does nothing more unless JIT_ENABLE is set. Then hot functions are found and
compiled as below `python -m jit run`; JIT_ENABLE=eager compiles every function at its first call, JIT_STATS=1 tells at the end
what was done. Child processes inherit the variables.
"""

import os
import site
import sys

from jit.errors import CommandError

FILE_NAME = "purejit-start.pth"
_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
#: One line, because Python runs only lines that begin with `import`.
LINE = ("import os; os.environ.get('JIT_ENABLE', '0') in ('', '0') or exec(\"import sys; sys.path.insert(0, {root!r})\\n"
        "try: import jit.start_up\\nfinally: sys.path.remove({root!r})\\njit.start_up.start()\")\n")


def start():
    """Called by the hook: begin, or tell in one line why not. No program fails because of it."""
    from jit.beginning import Beginning
    beginning = Beginning()
    try:
        from jit.isolation import install
        install()
        from jit.runner import unavailable
        reason = unavailable()
        if not reason:
            from jit import hot
            from jit.switches import flag
            hot.start(eager=os.environ["JIT_ENABLE"] == "eager", stats=flag("JIT_STATS"), beginning=beginning)
    except Exception as problem:
        reason = f"{type(problem).__name__}: {problem}"
    beginning.end()
    if reason and os.environ.get("JIT_STATS", "") not in ("", "0"):
        print(f"purejit: nothing is compiled: {reason}", file=sys.stderr)


def path(user=False):
    """Where the hook's file belongs."""
    if user:
        return os.path.join(site.getusersitepackages(), FILE_NAME)
    return os.path.join(site.getsitepackages()[0], FILE_NAME)


def manage(options):
    """The command `hook`: install, remove or show it."""
    where = path(options.user)
    line = LINE.format(root=_ROOT)
    try:
        if options.install:
            os.makedirs(os.path.dirname(where), exist_ok=True)
            with open(where, "w", encoding="utf-8") as file:
                file.write(line)
        elif options.remove and os.path.exists(where):
            os.remove(where)
    except OSError as problem:
        raise CommandError(f"{where}: {problem.strerror}") from None
    installed = os.path.exists(where)
    print(f"{where}: {'installed' if installed else 'not installed'}")
    if installed:
        with open(where, encoding="utf-8") as file:
            text = file.read()
        print(text.rstrip("\n"))
        if text != line:
            print("this is not what this version would install")
