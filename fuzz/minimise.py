"""Making a finding small: hypothesis shrinks the recipe it was made from, then the case itself is cut down.

Every candidate is judged in a child process, so that crashes shrink too; a candidate counts if its signature is the same.
"""

import json
import time

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.database import InMemoryExampleDatabase, choices_to_bytes
from hypothesis.errors import HypothesisException

from fuzz import targets
from fuzz.choices import Replayed, strategy
from fuzz.processes import Judge

_KEY = b"finding"


def minimise(target, case, recipe, signature, seconds=60.0, options=None, fault=None):
    """The smallest case found with this signature.

    Args:
        target: name. case: plain data. recipe: the choices it came from, or None. signature: what to keep. seconds: clock time.

    Returns:
        (case, number of candidates judged).
    """
    search = _Search(target, signature, time.monotonic() + seconds, options, fault)
    with search.judge:
        if recipe:
            case = search.shrink(case, recipe)
        return search.reduce(case), search.judged


class _Search:
    def __init__(self, target, signature, ends, options, fault):
        self.target = targets.make(target, options)
        self.judge = Judge(target, options, fault)
        self.signature, self.ends = signature, ends
        self.judged, self.known = 0, {}

    def same(self, case):
        """Whether a case shows the finding; False when time is up."""
        text = json.dumps(case)
        if text not in self.known:
            if time.monotonic() > self.ends:
                return False
            self.judged += 1
            self.known[text] = self.judge.verdict(case)[0] == self.signature
        return self.known[text]

    def shrink(self, case, recipe):
        """Let hypothesis shrink the recipe."""
        if self.target.case(Replayed(recipe)) != case or not self.same(case):
            return case
        database = InMemoryExampleDatabase()
        # A choice too many: hypothesis takes an example that fits exactly for one that it has shrunk before.
        database.save(_KEY, choices_to_bytes((*recipe, 0)))
        limits = settings(database=database, phases=(Phase.reuse, Phase.shrink), deadline=None, max_examples=10,
                          suppress_health_check=list(HealthCheck))
        try:
            return find(strategy(self.target.case), self.same, settings=limits, database_key=_KEY)
        except HypothesisException:
            return case

    def reduce(self, case):
        """Take parts away as long as the finding stays."""
        again = True
        while again and time.monotonic() < self.ends:
            again = False
            for smaller in self.target.reduce(case):
                if time.monotonic() > self.ends:
                    break
                if self.same(smaller):
                    case, again = smaller, True
                    break
        return case
