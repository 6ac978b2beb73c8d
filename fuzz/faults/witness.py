"""Witnesses: small programs that show a fault.

A witness defines functions, and ``main()``, which returns plain data made by calling them. For faults of the target "jit" it is
run with its functions (but main) interpreted and compiled, three times each, and what main returns must be equal. For those of
other targets main raises where the fault shows.

Its namespace holds ``jit`` (the decorator, for inner functions; where everything is interpreted, it does nothing) and
``attempt(function, *arguments)``: the result, or the exception as data.

``python -m fuzz.faults.witness NAME...`` runs witnesses one after the other without faults; with ``--plant``, each in a child
process with its fault. It prints one JSON object: name -> "" or how it failed.
"""

import faulthandler
import json
import os
import resource
import signal
import sys
import traceback
import types

#: Times that main runs, and seconds until a run counts as hanging.
TIMES, LIMIT = 3, 20
_FILE = "<witness>"


def attempt(function, *arguments):
    """What a call returns or raises, the latter as (type, text, functions and lines of its traceback)."""
    try:
        return function(*arguments)
    except Exception as problem:
        places = [(entry.name, entry.lineno) for entry in traceback.extract_tb(problem.__traceback__) if entry.filename == _FILE]
        return type(problem).__name__, str(problem), places


def namespace(source, decorate):
    """A namespace in which the source was executed; `decorate` is applied to each of its functions but main."""
    names = {"__name__": "witness", "attempt": attempt, "jit": decorate}
    exec(compile(source, _FILE, "exec"), names)
    for name, item in list(names.items()):
        if type(item) is types.FunctionType and name != "main" and item.__code__.co_filename == _FILE:
            names[name] = decorate(item)
    return names


def run(source, target):
    """Run a witness; raises AssertionError, or whatever it comes to, if it fails."""
    code = compile(source, _FILE, "exec")
    if target != "jit":
        names = {"__name__": "witness"}
        exec(code, names)
        names["main"]()
        return
    import jit
    compiled = []

    def decorate(function):
        compiled.append(jit.jit(function))
        return function

    plain, fast = namespace(source, lambda function: function), namespace(source, decorate)
    for _ in range(TIMES):
        wanted, found = repr(plain["main"]()), repr(fast["main"]())
        assert wanted == found, f"{found} instead of {wanted}"
    told = map(jit.explain, compiled)
    assert any(found.versions or found.retired or found.parts for found in told), "nothing was compiled"


def run_in_child(fault):
    """Plant a fault and run its witness in a forked process; returns how it failed, or ""."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _be_child(fault, writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return said


def _be_child(fault, writing):
    """Never returns. An alarm that nobody handles ends what hangs."""
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        faulthandler.disable()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(LIMIT)
        fault.plant()
        try:
            run(fault.witness, fault.target)
        except Exception as problem:
            os.write(writing, f"{type(problem).__name__}: {problem}"[:2000].encode())
        status = 0
    except BaseException:
        os.write(writing, f"NOT PLANTED: {traceback.format_exc()}"[:4000].encode())
    finally:
        os._exit(status)


def main(arguments):
    """The command described above."""
    os.environ["JIT_EAGER"] = "1"
    from fuzz.faults import FAULTS
    import jit.dispatch  # noqa: F401  (shared by all children, so that each is quick)
    plant = "--plant" in arguments
    names = [name for name in arguments if name != "--plant"] or list(FAULTS)
    results = {}
    for name in names:
        fault = FAULTS[name]
        if plant:
            results[name] = run_in_child(fault)
            continue
        try:
            run(fault.witness, fault.target)
            results[name] = ""
        except Exception as problem:
            results[name] = f"{type(problem).__name__}: {problem}"
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
