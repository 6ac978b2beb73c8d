"""The command line. Errors are one line on stderr and exit status 2."""

import argparse
import importlib.util
import os
import sys
import time


class CommandError(Exception):
    """Something the user can mend; its text is the line shown."""


def main(arguments):
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m jit", description="A just-in-time compiler for stock CPython.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (function, text, declare) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        declare(command)
        command.set_defaults(function=function)
    options = parser.parse_args(arguments)
    try:
        return options.function(options) or 0
    except CommandError as problem:
        print(f"python -m jit {options.command}: {problem}", file=sys.stderr)
        return 2
    except ImportError as problem:
        print(f"python -m jit: the installation is damaged: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"python -m jit {options.command}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


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
        spent = sum(code.seconds for key, record in COMPILER.records.items() if key not in before for code in record.versions)
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
    parser.add_argument("--call", metavar="EXPRESSION", help="evaluated in the file's namespace first, such as 'area(3)'")
    parser.add_argument("--types", metavar="T,T", help="compile for these argument types: int, float, bool, list, ...")


def load_target(options):
    """The function that FILE:FUNC names, decorated, after what the options ask for."""
    jit = need_jit()
    path, colon, name = options.target.rpartition(":")
    if not colon or not path or not name:
        raise CommandError(f"{options.target!r} is not of the form FILE:FUNC")
    if not os.path.isfile(path):
        raise CommandError(f"no file {path!r}")
    spec = importlib.util.spec_from_file_location("__jit_target__", path)
    if spec is None or spec.loader is None:
        raise CommandError(f"{path!r} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    try:
        spec.loader.exec_module(module)
    except BaseException as problem:
        raise CommandError(f"{path} does not load: {type(problem).__name__}: {problem}") from None
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise CommandError(f"{path} has no function {name!r}")
        found = found.__dict__[part] if isinstance(found, type) and part in found.__dict__ else getattr(found, part)
    try:
        jit.jit(found)
    except TypeError as problem:
        raise CommandError(f"{name}: {problem}") from None
    if options.types is not None:
        compile_types(jit, found, options.types)
    if options.call is not None:
        try:
            eval(options.call, module.__dict__)
        except (Exception, SystemExit) as problem:
            raise CommandError(f"{options.call}: {type(problem).__name__}: {problem}") from None
    return jit, found


def compile_types(jit, function, text):
    """Compile a version for types given by name."""
    import builtins
    from jit.dispatch import COMPILER, type_of_kind
    from jit.errors import Unsupported
    kinds = []
    for name in filter(None, text.split(",")):
        kind = getattr(builtins, name.strip(), None)
        if not isinstance(kind, type):
            raise CommandError(f"{name!r} is no builtin type")
        kinds.append(type_of_kind(kind))
    function = jit.api._plain(function)
    with COMPILER.lock:
        record = COMPILER.register(function)
        if record.reason is not None:
            return
        if len(kinds) != function.__code__.co_argcount:
            raise CommandError(f"{function.__qualname__} takes {function.__code__.co_argcount} arguments, not {len(kinds)}")
        try:
            COMPILER.add_version(record, COMPILER.compile(record, function, tuple(kinds), [None] * len(kinds)))
        except Unsupported as problem:
            record.refused[tuple(kinds)] = problem.kept()


def explain(options):
    jit, function = load_target(options)
    print(jit.explain(function))


def dis(options):
    jit, function = load_target(options)
    print(jit.disassemble(function))


# -- opcodes, info ---------------------------------------------------------------------------------------


def declare_nothing(parser):
    """No options."""


def declare_opcodes(parser):
    parser.add_argument("names", metavar="NAME", nargs="*", help="opcodes to show (all)")


def opcodes(options):
    """Opcode by CPython version: how each is compiled, or why it is left to the interpreter."""
    need_jit()
    from jit.opcode_table import rows
    from platforms.cpython.layout import VERSIONS
    versions = [f"{major}.{minor}" for major, minor in VERSIONS]
    table = rows()
    unknown = set(options.names).difference(row.name for row in table)
    if unknown:
        raise CommandError(f"no opcode {', '.join(sorted(unknown))} in CPython {', '.join(versions)}")
    print(f"{'opcode':28}" + "".join(f"{version:>6}" for version in versions) + "  compiled by, or why left")
    for row in table:
        if options.names and row.name not in options.names:
            continue
        marks = [("yes" if row.compiled else "left") if version in row.versions else "-" for version in versions]
        print(f"{row.name:28}" + "".join(f"{mark:>6}" for mark in marks) + f"  {row.how}")


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


COMMANDS = {
    "demo": (demo, "run ten kernels interpreted and compiled, and compare", declare_demo),
    "explain": (explain, "say what becomes of a function", declare_target),
    "dis": (dis, "show source, bytecode and machine code of a function", declare_target),
    "opcodes": (opcodes, "list the opcodes of each version and how they are compiled", declare_opcodes),
    "info": (info, "describe interpreter, processor and what is known of them", declare_nothing),
}
