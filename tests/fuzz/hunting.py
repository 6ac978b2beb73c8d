"""What the tests of targets share: hunting, and exported files that run under a planted fault."""

import json
import os
import subprocess
import sys

from fuzz import targets
from fuzz.choices import Seeded
from fuzz.processes import ROOT


def hunt(name, count, first=0, options=None):
    """Run cases, each by way of JSON and made twice; returns (case, difference) or None, and the features reached."""
    target = targets.make(name, options)
    features = set()
    for number in range(first, first + count):
        choices = Seeded(f"hunt:{number}")
        case = target.case(choices)
        text = json.dumps(case)
        if number % 50 == 0:
            assert json.dumps(target.case(Seeded(f"hunt:{number}"))) == text
            assert isinstance(target.text(case), str)
        verdict = target.run(json.loads(text))
        features |= verdict.features
        if verdict.difference is not None:
            return (case, verdict.difference), features
    return None, features


def reduced(name, case, signature):
    """The case after taking away what can be taken away, in this process."""
    target = targets.make(name)

    def same(smaller):
        found = target.run(json.loads(json.dumps(smaller))).difference
        return found is not None and found.signature == signature

    again = True
    while again:
        again = False
        for smaller in target.reduce(case):
            if same(smaller):
                case, again = smaller, True
                break
    return case


def run_exported(folder, name, case, fault):
    """Export a case and let pytest run it, all its processes under `fault`, Python text; returns the exit status and output."""
    file = folder / "test_exported.py"
    file.write_text(targets.make(name).export(case, "What it is.", "exported"))
    (folder / "sitecustomize.py").write_text(fault)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr
