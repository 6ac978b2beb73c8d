"""What a program would find of us when it begins: some two thousand objects that are no business of its garbage collector.

Each collection of everything would look at them, and `gc.get_objects()` would show them. From here on nothing is collected, so that what is
made comes in the order of time in the collector's youngest list; when all has been made that is needed at first, it goes to our own list
(platforms/cpython/collector.py). What the compiler consists of goes there later, see unseen.py.
"""

import gc


class Beginning:
    """From its making to `end`. Nothing of the program's may be made meanwhile."""

    __slots__ = ("collects", "made", "first")

    def __init__(self):
        self.collects, self.made = gc.isenabled(), gc.get_count()[0]
        gc.disable()
        self.first = []

    def end(self, collector=None):
        """Let the program find nothing of it.

        Args:
            collector: platforms.cpython.collector, which this module cannot import: it is there before what we import is hidden from programs
            (see isolation.py). None: nothing is hidden, but the collector goes on.
        """
        try:
            if collector is not None and collector.is_known():
                collector.hide_between(self.first, [])
                collector.forget(self.made)
        finally:
            if self.collects:
                gc.enable()
