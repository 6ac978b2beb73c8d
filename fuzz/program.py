"""The unit of work of the program targets: a module of Python source, and calls of one of its functions."""

from dataclasses import asdict, dataclass, field

#: What programs may import; the names stand in every program's namespace.
ALLOWED_IMPORTS = ("array", "math")


@dataclass(frozen=True)
class Program:
    """Attributes:
    source: text of a module that defines functions and classes, and does nothing else when executed.
    entry: name of the function that is called. calls: Python expressions, each a tuple of arguments, evaluated in a fresh copy of the
    module each time the program is run. code: text of a code object that takes the place of the entry's own (fuzz/assembling.py),
    or "". manner: how calls are made: "plain", "threads", "traced". origin: the generator and mutators it comes from.
    """

    source: str
    entry: str
    calls: tuple
    code: str = ""
    manner: str = "plain"
    origin: tuple = field(default=())

    def as_case(self):
        """Plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_case(cls, case):
        """The program that `as_case` was taken of."""
        return cls(**{**case, "calls": tuple(case["calls"]), "origin": tuple(case["origin"])})

    def text(self):
        """Source and calls, to be read."""
        lines = [self.source.rstrip()]
        if self.code:
            lines.append(f"# code of {self.entry}:")
            lines.extend(f"#   {line}" for line in self.code.splitlines())
        lines.extend(f"# {self.entry}(*{call})" for call in self.calls)
        return "\n".join(lines) + "\n"
