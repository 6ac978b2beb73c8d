"""What is so from the beginning of a compilation to its end, those of callees within it included."""

import _thread
import gc

from jit.receivers import forget_tags
from jit.types import forget_examples
from platforms.cpython import collector


class Compilation:
    """Entered around each compilation. Attribute `nesting`: how many are under way, within each other.

    Versions of classes and examples of instances are remembered until the outermost ends. No garbage is collected meanwhile: what the compiler
    makes would start many collections, which find next to nothing, and finalisers would run among the compiler's frames; nor does it
    start one afterwards. Where there are other threads, which may want to decide about collections themselves, they go on.
    """

    def __init__(self):
        self.nesting = 0
        self.paused = False
        self.objects = 0

    def __enter__(self):
        if self.nesting == 0 and gc.isenabled() and _thread._count() == 0:
            self.paused = True
            self.objects = collector.made()
            gc.disable()
        self.nesting += 1

    def __exit__(self, *_):
        self.nesting -= 1
        if self.nesting == 0:
            forget_examples()
            forget_tags()
            if self.paused:
                self.paused = False
                collector.forget(self.objects)
                gc.enable()
