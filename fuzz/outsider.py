"""Runs programs for another Python: ``PYTHON -m fuzz.outsider``, one JSON line each way. Standard library only, any version.

The first line written tells the version; then each line read is a program (source, entry, calls), and each written the
outcomes of its calls.
"""

import json
import os
import sys
import warnings

from fuzz.observe import outcome


def run_program(program):
    """Outcomes of all calls, twice in a row; None if the program cannot be loaded here."""
    namespace = {"__name__": "__fuzz_program__", "__builtins__": __builtins__}
    try:
        exec(compile(program["source"], "<fuzz>", "exec"), namespace)
        calls = [compile(call, "<fuzz>", "eval") for call in program["calls"]]
        entry = namespace[program["entry"]]
    except Exception:
        return None
    found = []
    for _ in range(2):
        for call in calls:
            found.append(outcome(entry, eval(call, namespace), namespace))
    return found


def main():
    """Serve until the input ends."""
    sink = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    warnings.simplefilter("ignore")
    sink.write(json.dumps(sys.version) + "\n")
    sink.flush()
    for line in sys.stdin:
        sink.write(json.dumps(run_program(json.loads(line))) + "\n")
        sink.flush()


if __name__ == "__main__":
    main()
