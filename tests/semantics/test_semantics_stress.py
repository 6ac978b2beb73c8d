"""Random programs: interpreted and compiled agree; ``STRESS_SECONDS`` for longer runs, ``STRESS_SEED`` for another start."""

import os

import stress


def test_random_programs():
    """A fixed sequence of random functions over edge arguments gives equal results, exceptions, lines and arguments."""
    first = int(os.environ.get("STRESS_SEED", "70000"))
    differences, done = stress.run(first, 10**9, float(os.environ.get("STRESS_SECONDS", "8")))
    print(f"seeds {first} to {first + done - 1}")
    assert not differences, "\n".join(differences[:3])
    assert done > 20
