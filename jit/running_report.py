"""What `python -m jit run --stats` tells on stderr when the program has ended."""

import sys

from jit.api import available
from jit.budget import BUDGET
from jit.report import explain, explain_generators, explain_record, statistics

#: Functions told about.
LINES = 25


def show(detector):
    """Print the report."""
    if sys.stderr is not None:
        try:
            print(text(detector), file=sys.stderr, flush=True)
        except (OSError, ValueError):  # closed, or nobody reads it
            pass


def the_compiler(detector):
    """The detector's, or that of functions which the program has decorated; None if none was loaded."""
    dispatch = sys.modules.get("jit.dispatch")
    return detector.compiler or getattr(dispatch, "COMPILER", None)


def text(detector):
    """The report as text."""
    lines = list(heading(detector))
    ranked = sorted((sight for sight in (*detector.sights.values(), *detector.gone) if sight.top), key=lambda sight: -sight.top)
    if ranked:
        lines.append("  share  compiled  function")
    explanations = by_code(the_compiler(detector))
    for sight in ranked[:LINES]:
        share, compiled = 100 * sight.top / detector.samples, 100 * sight.compiled / sight.top
        lines.append(f"  {share:4.1f} %   {compiled:4.0f} %  {sight.name} ({sight.file}:{sight.first_line})")
        found = explanations.pop(sight.key, None)
        if found is not None:
            lines.extend(f"      {line}" for line in found.lines())
    if detector.compiler is None or not detector.samples:
        for found in list(explanations.values())[:LINES]:
            lines.extend(f"  {line}" for line in str(found).splitlines())
    return "\n".join(lines)


def heading(detector):
    """The sums."""
    compiler = the_compiler(detector)
    if compiler is None or not compiler.records:
        yield f"purejit: nothing was compiled: {why_not(detector)}; {detector.samples} samples"
        return
    sums = statistics()
    yield (f"purejit: {sums.functions} functions found, {sums.versions} versions compiled ({sums.code_bytes} bytes of code, "
           f"{sums.data_bytes} of data), {sums.refused} left interpreted")
    compiled = sum(sight.compiled for sight in (*detector.sights.values(), *detector.gone))
    samples = max(1, detector.samples)
    yield (f"  {BUDGET.spent * 1e3:.1f} ms spent on compiling, {detector.loading_seconds * 1e3:.1f} ms of it on loading the compiler; "
           f"{detector.samples} samples, {100 * compiled / samples:.0f} % in compiled code, "
           f"{100 * detector.compiling / samples:.0f} % while compiling")
    yield f"  {sums.calls} calls of compiled code from interpreted code, {sums.exits} exits"
    tally = compiler.tally
    yield f"  since the start: {tally.compiled} versions compiled, {tally.failed} internal errors"
    yield from (f"  internal error: {text}" for text in tally.errors)


def why_not(detector):
    """Why the compiler was not even loaded."""
    if detector.given_up:
        return available().reason or repr(detector.problem)
    return "nothing was hot" if detector.loading is None else "the program ended before the compiler was loaded"


def by_code(compiler):
    """id of a code object -> Explanation of a function that has it."""
    if compiler is None:
        return {}
    found = dict(compiler.tally.gone)
    for record in list(compiler.records.values()):
        function = record.function()
        if function is not None and (record.versions or record.loops is not None or id(record.code) not in found):
            found[id(record.code)] = explain(function)
    for record in compiler.generators.all():
        found.setdefault(id(record.generator()), explain_generators(record))
    for record in compiler.all_records():
        if record.enclosing is not None and (record.versions or record.refused):
            other = found.get(id(record.source))
            if other is None or not other.versions and not other.loops:  # function objects of that code that were found, too
                found[id(record.source)] = explain_record(record)
    return found
