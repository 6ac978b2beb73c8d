"""The command line. Errors are one line on stderr and exit status 2; findings are exit status 1."""

import argparse
import os
import pathlib
import secrets
import sys

from fuzz import targets
from fuzz.progress import Progress
from fuzz.store import Store, StoreError, default_path

PROGRAM = "python -m fuzz"
EXAMPLES = """examples:
  python -m fuzz run --target jit --seconds 60 --jobs 2
  python -m fuzz run --target interpreters --against python3.13 --seconds 60
  python -m fuzz list
  python -m fuzz minimise 3 && python -m fuzz export 3 --output test_finding_3.py
  python -m fuzz coverage --html coverage.html"""
STATES = ("new", "known", "fixed")


class CommandError(Exception):
    """What the user is told in one line."""


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
        the exit status: 0; 1 if there were findings; 2 after an error; 130 after ^C.
    """
    options = parse(arguments)
    try:
        return options.function(options) or 0
    except (CommandError, StoreError) as problem:
        print(f"{PROGRAM} {options.command}: {' '.join(str(problem).split())}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(f"{PROGRAM} {options.command}: interrupted", file=sys.stderr)
        return 130


def parse(arguments):
    """Options of a command line; ends the program where it is wrong or asks for help."""
    parser = Parser(prog=PROGRAM, description="Compares ways of running the same bytecode, on programs made by chance.",
                    epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (function, text, declare) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--database", metavar="FILE", help="where corpus and findings are kept (default: in the user's cache folder)")
        declare(command)
        command.set_defaults(function=function)
    return parser.parse_args(arguments)


def positive(text):
    """A number above 0, for argparse."""
    value = float(text)
    if not value > 0:
        raise ValueError
    return value


def count(text):
    """A whole number above 0, for argparse."""
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def open_store(options):
    return Store(pathlib.Path(options.database) if options.database else default_path())


def finding_of(store, number):
    """The finding of this number, or a CommandError."""
    found = store.finding(number)
    if found is None:
        raise CommandError(f"there is no finding {number}; `{PROGRAM} list` shows them")
    return found


def check_target(name):
    """Whether a target can run here, or a CommandError."""
    try:
        targets.make(name)
    except RuntimeError as problem:
        raise CommandError(f"target {name} cannot run here: {problem}") from None


# -- run ------------------------------------------------------------------------------------------


def declare_run(parser):
    parser.add_argument("--target", choices=targets.TARGETS, default="jit", help="what to test (default: jit)")
    parser.add_argument("--seconds", type=positive, help="how long (default: 60, unless --count)")
    parser.add_argument("--count", type=count, help="cases for each job, instead of a time")
    parser.add_argument("--jobs", type=count, default=1, help="processes at a time (default: 1)")
    parser.add_argument("--seed", help="the same seed and version make the same programs (default: a fresh one, printed)")
    parser.add_argument("--corpus", action="store_true", help="begin with what earlier runs kept; the seed alone then decides no more")
    parser.add_argument("--against", metavar="PYTHON", help="target interpreters: the other Python, by name or path")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="environment of the other Python")
    parser.add_argument("--dask", metavar="ADDRESS", help="send the work to this Dask cluster (needs purejit[cluster])")


def run(options):
    """Make programs, run them, compare."""
    seed = options.seed or secrets.token_hex(4)
    seconds = options.seconds or (None if options.count else 60.0)
    settings = target_options(options)
    check_target(options.target)
    with open_store(options) as store:
        print(f"target {options.target}, seed {seed}, findings and corpus in {store.path}")
        known = store.corpus(options.target) if options.corpus else []
        with Progress(seconds) as progress:
            if options.dask:
                from fuzz.cluster import ClusterRun
                work = ClusterRun(options.dask, options.target, seed, seconds=seconds or 60.0, store=store, options=settings,
                                  show=progress.show)
            else:
                from fuzz.running import Run
                work = Run(options.target, seed, seconds=seconds, count=options.count, jobs=options.jobs, store=store, options=settings,
                           known=known, show=progress.show)
            summary = work.run()
    print_summary(summary)
    return 1 if summary.findings else 0


def target_options(options):
    """The target's own options, plain data."""
    if options.target != "interpreters":
        if options.against or options.set:
            raise CommandError("--against and --set are for target interpreters")
        return {}
    if not options.against:
        raise CommandError("target interpreters needs --against PYTHON")
    pairs = [item.partition("=") for item in options.set]
    if not all(dash for _, dash, _ in pairs):
        raise CommandError("--set takes NAME=VALUE")
    return {"against": options.against, "environment": {name: value for name, _, value in pairs}}


def print_summary(summary):
    """What a run came to."""
    rate = summary.programs / summary.seconds if summary.seconds else 0.0
    print(f"{summary.programs} cases in {summary.seconds:.1f} s ({rate:.0f} a second), {summary.skipped} of them said nothing; "
          f"{len(summary.features)} features reached; {len(summary.findings)} findings")
    for signature, times in summary.findings.most_common():
        number = summary.numbers.get(signature)
        print(f"  {'' if number is None else f'finding {number}: '}{signature} ({times} times)")


# -- findings -------------------------------------------------------------------------------------


def declare_list(parser):
    parser.add_argument("--state", choices=STATES, help="only those in this state")


def list_findings(options):
    """One line for each finding."""
    with open_store(options) as store:
        found = store.findings(options.state)
    for finding in found:
        print(f"{finding.number:4} {finding.state:6} {finding.target:12} {finding.count:5} times  {finding.signature}")
    if not found:
        print("no findings")


def declare_number(parser):
    parser.add_argument("number", type=int, help="number of the finding, see list")


def show(options):
    """Program, both outcomes, first difference, versions of a finding."""
    with open_store(options) as store:
        finding = finding_of(store, options.number)
    print(f"finding {finding.number}, {finding.state}: {finding.signature}\n"
          f"target {finding.target}, seed {finding.seed}, met {finding.count} times, {finding.versions}\n")
    print(targets.make(finding.target).text(finding.case))
    print(finding.detail)


def declare_minimise(parser):
    declare_number(parser)
    parser.add_argument("--seconds", type=positive, default=60.0, help="how long at most (default: 60)")


def minimise(options):
    """Make a finding smaller, and store it so."""
    from fuzz.minimise import minimise as shrink
    from fuzz.running import versions
    with open_store(options) as store:
        finding = finding_of(store, options.number)
        case, judged = shrink(finding.target, finding.case, finding.recipe, finding.signature, options.seconds)
        if len(str(case)) < len(str(finding.case)):
            store.add_finding(finding.target, finding.signature, finding.detail, case, finding.recipe, finding.seed, versions())
    print(f"{judged} cases tried")
    print(targets.make(finding.target).text(case))


def declare_export(parser):
    declare_number(parser)
    parser.add_argument("--output", metavar="FILE", help="where to write it (default: standard output)")
    parser.add_argument("--title", help="one line on what it is")


def export(options):
    """A pytest file that fails now and passes when the bug is mended."""
    with open_store(options) as store:
        finding = finding_of(store, options.number)
    title = options.title or f"Found by comparison: {finding.signature}"
    text = targets.make(finding.target).export(finding.case, title, finding.signature)
    if not options.output:
        print(text, end="")
        return
    try:
        pathlib.Path(options.output).write_text(text)
    except OSError as problem:
        raise CommandError(f"cannot write {options.output}: {problem.strerror}") from None


def declare_replay(parser):
    parser.add_argument("numbers", type=int, nargs="*", help="findings (default: all)")


def replay(options):
    """Run stored findings again; those that show nothing any more become fixed."""
    from fuzz.processes import Judge
    left = 0
    with open_store(options) as store:
        chosen = [finding_of(store, number) for number in options.numbers] or store.findings()
        for finding in chosen:
            with Judge(finding.target) as judge:
                signature, _ = judge.verdict(finding.case)
            left += signature is not None
            if signature is None:
                store.set_state(finding.number, "fixed")
            elif finding.state == "fixed":
                store.set_state(finding.number, "new")
            says = "shows nothing" if signature is None else "still there" if signature == finding.signature else f"now {signature}"
            print(f"{finding.number:4} {says:14} {finding.signature}")
    return 1 if left else 0


# -- coverage and selfcheck -----------------------------------------------------------------------


def declare_coverage(parser):
    parser.add_argument("--html", metavar="FILE", help="write the page with the picture, too")
    parser.add_argument("--target", choices=targets.TARGETS, default="jit")


def coverage(options):
    """What all runs in the database have reached, and what never was."""
    from fuzz.coverage import Coverage, html_page, table
    with open_store(options) as store:
        found = Coverage(store.features(options.target))
    print(table(found))
    if options.html:
        try:
            pathlib.Path(options.html).write_text(html_page(found))
        except OSError as problem:
            raise CommandError(f"cannot write {options.html}: {problem.strerror}") from None


def declare_selfcheck(parser):
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="names of faults (default: all)")
    parser.add_argument("--jobs", type=count, default=1, help="hunts at a time (default: 1)")
    parser.add_argument("--seconds", type=positive, default=60.0, help="for each (default: 60)")
    parser.add_argument("--seed", default="selfcheck")
    parser.add_argument("--list", action="store_true", help="only list the faults")


def selfcheck(options):
    """Plant faults one at a time, and see whether they are found."""
    from fuzz import selfcheck as check
    from fuzz.faults import FAULTS
    if options.list:
        for fault in FAULTS.values():
            print(f"{fault.name:36} {fault.part:12} {fault.target:10} {fault.explanation}")
        return 0
    for name in options.faults:
        if name not in FAULTS:
            raise CommandError(f"there is no fault {name!r}; --list shows them")
    hunts, without = check.selfcheck(options.faults, options.seed, options.seconds, options.jobs, check.print_hunt)
    print(check.table(hunts, without, options.seconds))
    return 0 if check.is_good(hunts, without) else 1


COMMANDS = {
    "run": (run, "make programs, run each several ways, compare", declare_run),
    "replay": (replay, "run stored findings again", declare_replay),
    "list": (list_findings, "list the findings", declare_list),
    "show": (show, "all there is to know of a finding", declare_number),
    "minimise": (minimise, "make a finding smaller", declare_minimise),
    "export": (export, "a finding as a pytest file", declare_export),
    "coverage": (coverage, "what has been reached, and what never was", declare_coverage),
    "selfcheck": (selfcheck, "plant faults and see whether they are found", declare_selfcheck),
}
