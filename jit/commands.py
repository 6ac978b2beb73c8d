"""The command line. Errors are one line on stderr and exit status 2; ^C is 130, as shells have it."""

import argparse
import os
import sys
import time
import warnings

from jit.errors import CommandError

PROGRAM = "python -m jit"
EXAMPLES = """examples:
  python -m jit run script.py
  python -m jit demo
  python -m jit explain shapes.py:area --call 'area(2, 0.5)'
  python -m jit dis shapes.py:Circle.area --types Circle
  python -m jit opcodes BINARY"""


class Parser(argparse.ArgumentParser):
    """Tells what is wrong in one line."""

    def error(self, message):
        print(f"{self.prog}: {message}; {self.prog} --help tells more", file=sys.stderr)
        sys.exit(2)


def main(arguments):
    """Run a command.

    Args:
        arguments: list of str, without the program's name.

    Returns:
        the exit status: 0; 1 if the demonstration found unequal results; 2 after an error; 130 after ^C.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    warnings.filterwarnings("error", "purejit: .*internal error", RuntimeWarning)
    name = PROGRAM
    try:
        options = parse(arguments)
        name = f"{PROGRAM} {options.command}"
        status = options.function(options) or 0
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever read the output has seen enough
        silence_output()
        return 0
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return 130
    except Exception as problem:
        if os.environ.get("JIT_CHECK", "") not in ("", "0") and not isinstance(problem, CommandError):
            raise
        if isinstance(problem, OSError):
            silence_output()
        print(f"{name}: {description(problem)}", file=sys.stderr)
        return 2


def silence_output():
    """What could not be written is not tried again when Python ends."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parse(arguments):
    """Options of a command line; ends the program where it is wrong or asks for help."""
    parser = Parser(prog=PROGRAM, description="A just-in-time compiler for stock CPython.", epilog=EXAMPLES,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (function, text, declare) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        declare(command)
        command.set_defaults(function=function)
    return parser.parse_args(arguments)


def description(problem):
    """One line on what went wrong."""
    if isinstance(problem, CommandError):
        return " ".join(str(problem).split())
    if isinstance(problem, OSError) and problem.filename is None:
        return f"cannot write the output: {problem.strerror}"
    text = " ".join(f"{type(problem).__name__}: {problem}".split())
    if isinstance(problem, (ImportError, SyntaxError, OSError)):
        return f"the installation of purejit is damaged: {text}"
    return f"the installation of purejit is damaged, or this is a bug of it (JIT_CHECK=1 shows more): {text}"


def need_jit():
    """The compiler, or a CommandError saying why not."""
    import jit
    if not jit.available():
        raise CommandError(f"functions are not compiled here: {jit.available().reason}")
    return jit


# -- demo -----------------------------------------------------------------------------------------


def declare_demo(parser):
    parser.add_argument("--quick", action="store_true", help="smaller runs")


def demo(options):
    """Ten kernels, interpreted beside compiled."""
    need_jit()
    from jit import kernels
    from jit.dispatch import COMPILER
    scale = 0.2 if options.quick else 1.0
    print(f"{'kernel':26} {'interpreted':>12} {'compiled':>12} {'ratio':>7} {'compiling':>10}  equal")
    all_equal = True
    for kernel in kernels.KERNELS:
        before = set(COMPILER.records)
        interpreted, compiled = kernels.pair(kernel)
        equal = True
        for _ in range(6):
            equal &= kernels.same(interpreted(*kernel.make_arguments(scale)), compiled(*kernel.make_arguments(scale)))
        slow, fast = (best(function, kernel, scale) for function in (interpreted, compiled))
        spent = sum(code.seconds for key, record in list(COMPILER.records.items()) if key not in before for code in record.versions)
        all_equal &= equal
        print(f"{kernel.title:26} {slow * 1e3:9.2f} ms {fast * 1e3:9.3f} ms {slow / fast:6.1f}x {spent * 1e3:7.1f} ms  "
              f"{'yes' if equal else 'NO'}", flush=True)
    return 0 if all_equal else 1


def best(function, kernel, scale, rounds=5):
    """Seconds of the fastest of some runs with fresh arguments."""
    found = float("inf")
    for _ in range(rounds):
        arguments = kernel.make_arguments(scale)
        start = time.perf_counter()
        function(*arguments)
        found = min(found, time.perf_counter() - start)
    return found


# -- explain, dis ------------------------------------------------------------------------------------


def declare_target(parser):
    parser.add_argument("target", metavar="FILE:FUNC", help="a Python file and a function in it, such as area.py:Circle.area")
    parser.add_argument("--call", metavar="EXPRESSION",
                        help="evaluate this in the file's namespace first, such as 'area(3)'; best for containers")
    parser.add_argument("--types", metavar="T,T", help="compile for these argument types: int, float, bool, None, list, "
                        "array.array, a class of the file ...")


HOW_TO_CALL = "give example arguments: --types int,float or --call 'f(2, 0.5)'"


def load(options):
    """The function that FILE:FUNC names, decorated, after what the options ask for."""
    jit = need_jit()
    from jit import targets
    return jit, targets.load(options.target, options.types, options.call)


def explain(options):
    """What became of a function, and how to give it arguments where it has had none."""
    jit, function = load(options)
    found = jit.explain(function)
    print(found)
    if found.state == "waiting":
        print(f"  not called yet; {HOW_TO_CALL}")


def dis(options):
    """The listings of a function's versions."""
    jit, function = load(options)
    if jit.explain(function).state == "waiting":
        raise CommandError(f"no version of {options.target} exists before its first call; {HOW_TO_CALL}")
    print(jit.disassemble(function))


# -- opcodes, info ---------------------------------------------------------------------------------------


def declare_nothing(parser):
    """No options."""


def declare_opcodes(parser):
    parser.add_argument("name", metavar="NAME", nargs="?", help="tell all that is known of opcodes whose name contains this")


def opcodes(options):
    """How each opcode of each Python version is compiled, or why it is left to the interpreter."""
    import platforms
    if not platforms.support().ok:
        raise CommandError(f"the compiler does not load here: {platforms.support().reason}")
    from jit import opcode_table
    if options.name is None:
        print(opcode_table.table_text())
        return
    text = opcode_table.details_text(options.name)
    if not text:
        raise CommandError(f"no opcode has {options.name!r} in its name")
    print(text)


def info(options):
    """What this interpreter and machine are, and whether functions are compiled here."""
    import jit
    import platforms
    for key, value in platforms.describe().items():
        if isinstance(value, (list, tuple)) and len(value) > 12:
            value = f"{len(value)} fields"
        print(f"{key:24} {value}")
    found = jit.available()
    print(f"{'compiles':24} {'yes' if found else 'no: ' + found.reason}")


# -- run, hook -----------------------------------------------------------------------------------------


def run(options):
    """Only for the list of commands: jit/__main__.py starts programs before anything is imported here."""
    raise CommandError("run comes first on the command line")


def declare_hook(parser):
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--install", action="store_true", help="write the start-up file")
    what.add_argument("--remove", action="store_true", help="delete it")
    what.add_argument("--show", action="store_true", help="say where it is, and what is in it")
    parser.add_argument("--user", action="store_true", help="in the user's site-packages instead of the interpreter's")


def hook(options):
    """The start-up hook for JIT_ENABLE=1."""
    from jit.start_up import manage
    manage(options)


COMMANDS = {
    "run": (run, "run a program as python does, its hot functions compiled (run --help tells more)", declare_nothing),
    "demo": (demo, "run ten kernels interpreted and compiled, and compare", declare_demo),
    "explain": (explain, "say what becomes of a function", declare_target),
    "dis": (dis, "show source, bytecode and machine code of a function", declare_target),
    "opcodes": (opcodes, "how each opcode of each Python version is compiled, or why not", declare_opcodes),
    "hook": (hook, "install or remove the start-up file that makes JIT_ENABLE=1 work for any program", declare_hook),
    "info": (info, "describe interpreter, processor and what is known of them", declare_nothing),
}
