"""What can be tested: each target makes cases, runs one, and says how it went.

A target is known by name (`TARGETS`); the command line, the workers, the store and the minimiser know nothing else of it.
"""

from dataclasses import dataclass, field
from importlib import import_module

#: Name -> module under fuzz/targets that holds a class `Target`.
TARGETS = ("jit", "encoder", "allocator", "decoder", "interpreters")


@dataclass(frozen=True)
class Difference:
    """What was found to differ.

    Attributes:
        signature: short and the same for the same bug: it names the kind of difference and where, never values, seeds or addresses.
        detail: the first difference with both outcomes, to be read.
    """

    signature: str
    detail: str


@dataclass(frozen=True)
class Verdict:
    """How one case went.

    Attributes:
        difference: Difference or None. features: short texts, each something that was reached; new ones make a case worth keeping.
        skipped: why the case says nothing, or "".
    """

    difference: Difference | None = None
    features: frozenset = field(default_factory=frozenset)
    skipped: str = ""


class BaseTarget:
    """What targets have in common. `options`: dict of plain data from the command line (for instance "against")."""

    name = ""

    def __init__(self, options=None):
        self.options = options or {}

    def case(self, choices):
        """Make a case, plain data that JSON can hold, from `fuzz.choices.Choices`."""
        raise NotImplementedError

    def run(self, case):
        """Run a case every way there is; returns a Verdict. May crash the process: workers are expendable."""
        raise NotImplementedError

    def text(self, case):
        """The case, to be read."""
        raise NotImplementedError

    def export(self, case, title, name):
        """Source of a pytest file of its own that fails while the bug is there.

        Args:
            title: one line on what it is. name: of the test function, behind ``test_``.
        """
        from fuzz.export import file_text
        return file_text(self.name, case, title, name)

    def reduce(self, case):
        """Yield smaller cases, those that take most away first. Further ones may be made from each."""
        return iter(())


def make(name, options=None):
    """The target of this name.

    Raises:
        KeyError: there is none.
    """
    if name not in TARGETS:
        raise KeyError(name)
    return import_module(f"fuzz.targets.{name}").Target(options)
