"""`python -m jit run`: a program as python itself runs it, with its hot functions compiled.

Nothing of what CPython does with programs is imitated here: it is made to run the program itself, see
platforms/cpython/program.py. Where that is not possible, this process becomes a plain python.
"""

import os
import sys

USAGE = """usage: python -m jit run [--stats] [--eager] [--threshold N] SCRIPT [ARGUMENT ...]
       python -m jit run [options] -m MODULE [ARGUMENT ...]
       python -m jit run [options] -c CODE [ARGUMENT ...]
       python -m jit run [options] -

Run a program as python does (a file, directory or zip file, module, command, or the standard input), its hot functions
compiled.

  --stats        tell on stderr, when the program has ended, what was compiled and where the time went
  --eager        compile every function at its first call, for testing
  --threshold N  samples in which a function must be found running before it is compiled (default 2)"""


class Wrong(Exception):
    """The command line cannot be understood."""


class Options:
    """What stands before the program.

    Attributes:
        stats, eager: flags. threshold: number or None. kind: "-m", "-c", "-" or "file". program: the module, code or file.
        first: number in sys.argv of the first argument that the program is to find in its own.
    """

    def __init__(self, arguments):
        """Read the arguments behind `run`; raises Wrong."""
        self.stats = self.eager = False
        self.threshold = None
        self.help = False
        place = 0
        while place < len(arguments) and arguments[place].startswith("--"):
            place += self.take(arguments, place)
        if self.help:
            return
        if place == len(arguments):
            raise Wrong("no program is given")
        self.read_program(arguments, place)

    def take(self, arguments, place):
        """Take up one option; returns of how many arguments it consists."""
        name, equals, value = arguments[place].partition("=")
        if name == "--threshold":
            if not equals:
                value = arguments[place + 1] if place + 1 < len(arguments) else ""
            if not value.isascii() or not value.isdigit() or value == "0":
                raise Wrong("--threshold takes a number from 1 on")
            self.threshold = int(value)
            return 1 if equals else 2
        if name not in ("--stats", "--eager", "--help") or equals:
            raise Wrong(f"unknown option {arguments[place]}")
        setattr(self, name[2:], True)
        return 1

    @property
    def leading(self):
        """What CPython puts in front of the program's arguments."""
        return [self.kind] if self.kind in ("-c", "-m") else []

    def read_program(self, arguments, place):
        word = arguments[place]
        if word[:2] in ("-m", "-c"):
            self.kind = word[:2]
            self.first = place + 3
            if len(word) > 2:
                self.program = word[2:]
            elif place + 1 < len(arguments):
                self.program = arguments[place + 1]
                self.first += 1
            else:
                raise Wrong(f"nothing follows {word}")
        elif word in ("-h", "-"):
            self.kind, self.program, self.first = "-", None, place + 2
            self.help = word == "-h"
        elif word.startswith("-"):
            raise Wrong(f"unknown option {word}; options of python itself come before -m jit")
        else:
            self.kind, self.program, self.first = "file", word, place + 2


def main(arguments, beginning):
    """Run a program; returns only if there is none to run.

    Args:
        arguments: list of str, behind `run`. beginning: Beginning, since when everything is ours.

    Returns:
        the exit status.
    """
    try:
        options = Options(arguments)
    except Wrong as problem:
        print(f"python -m jit run: {problem}; python -m jit run --help tells more", file=sys.stderr)
        return 2
    if options.help:
        print(USAGE)
        return 0
    reason = prepare(options, beginning)
    if options.stats:
        print(f"purejit: nothing is compiled: {reason}", file=sys.stderr, flush=True)
    return run_plain(options)


def unavailable():
    """Why nothing can be compiled here, as far as this is cheap to find out; or ""."""
    from jit.switches import flag
    if flag("JIT_DISABLE"):
        return "switched off by JIT_DISABLE"
    from platforms.cpython import build
    return build.refusal(build.facts())


def prepare(options, beginning):
    """Start the JIT and the program, never to return; or say why this cannot be done here."""
    reason = unavailable()
    if reason:
        return reason
    from platforms.cpython import collector, program
    try:
        configuration = program.Configuration()
    except program.Unknown as problem:
        return str(problem)
    start_program(options, configuration, program, collector, beginning)


def start_program(options, configuration, program, collector, beginning):
    """Become the program."""
    from jit import hot
    from jit.beginning import Beginning
    configuration.set_arguments(options.first, options.leading)
    text = options.program
    if options.kind == "-c":
        configuration.set(command=text + "\n")
    elif options.kind == "-m":
        configuration.set(module=text)
    elif options.kind == "file":
        configuration.set(file=program.absolute(text))
    else:
        configuration.set()
    sys.argv[:] = options.leading + sys.argv[options.first:]
    program.forget_path()
    beginning.end(collector)
    program.renew_main()
    hot.start(options.threshold, options.eager, options.stats, Beginning())
    program.run()


def run_plain(options):
    """Let a plain python take over; returns its exit status where it cannot take this process over."""
    from subprocess import _args_from_interpreter_flags
    rest = sys.argv[options.first:]
    command = [sys.executable, *_args_from_interpreter_flags()]
    command += rest if options.kind in ("file", "-") else [options.kind, options.program, *rest]
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    if hasattr(os, "fork"):
        os.execv(sys.executable, command)
    from subprocess import run
    return run(command, check=False).returncode
