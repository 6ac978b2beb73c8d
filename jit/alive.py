"""Which objects of a kind are alive.

The collector does not see what the compiler keeps (platforms/cpython/collector.py), so cycles have to be found by those who make them
(jit/eviction.py). Weak references with callbacks, as in a WeakSet, would run Python code wherever something dies.
"""

from weakref import ref

#: References from which on it is looked for dead ones.
FEW = 256


class Alive:
    """Weak references to objects, dead ones among them for a while."""

    def __init__(self):
        self.references = []
        self.prune_at = FEW

    def note(self, item):
        """An object has been made."""
        if len(self.references) >= self.prune_at:
            self.references = [reference for reference in self.references if reference() is not None]
            self.prune_at = max(FEW, 2 * len(self.references))
        self.references.append(ref(item))

    def all(self):
        """Those that are alive, in the order they were made."""
        return [item for item in [reference() for reference in self.references] if item is not None]
