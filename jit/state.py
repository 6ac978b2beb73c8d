"""The interpreter's state at one bytecode, as the abstract walk sees it."""

from jit.values import Value, VirtualFunction, VirtualTuple, named_by


class State:
    """Locals, operand stack, and who owns which reference.

    Attributes:
        locals: Value or None (unbound) per local slot. bound: True, False, or a Value that is 0 where unbound.
        stack: Values, RangeIterators and VirtualTuples. owned: values that carry one reference of ours.
        transient: pointers borrowed from a container, valid until the next effect.
        receivers: Value -> Receivers of one of which it is an instance of, known until the next effect.
    """

    __slots__ = ("locals", "bound", "stack", "owned", "transient", "receivers")

    def __init__(self, count):
        self.locals = [None] * count
        self.bound = [False] * count
        self.stack = []
        self.owned = frozenset()
        self.transient = frozenset()
        self.receivers = {}

    def copy(self):
        new = State(0)
        new.locals = self.locals[:]
        new.bound = self.bound[:]
        new.stack = self.stack[:]
        new.owned = self.owned
        new.transient = self.transient
        new.receivers = dict(self.receivers)
        return new

    def snapshot(self):
        """The parts of an `Exit`."""
        return tuple(self.locals), tuple(self.bound), tuple(self.stack), self.owned

    def values(self):
        """The set of all Values that slots name."""
        found = set()
        for value in self.locals:
            if value is not None:
                found.add(value)
        for flag in self.bound:
            if flag.__class__ is Value:
                found.add(flag)
        for item in self.stack:
            found.update(named_by(item))
        return found

    def holds(self, value):
        """Whether a local or a stack item names `value`."""
        for item in self.locals:
            if item is value:
                return True
        for item in self.stack:
            if item is value or item.__class__ in (VirtualTuple, VirtualFunction) and value in named_by(item):
                return True
        return False

    def slot(self, slot):
        """The content of a parameter's slot: ("local"|"bound"|"stack", n) or ("item", n, part)."""
        kind, number = slot[0], slot[1]
        if kind == "local":
            return self.locals[number]
        if kind == "bound":
            return self.bound[number]
        item = self.stack[number]
        return item if kind == "stack" else getattr(item, slot[2])
