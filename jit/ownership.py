"""Who owns which reference: what is dropped when, and what is held before an effect that may free it."""

from jit import types
from jit.errors import InternalError
from jit.values import COLLECTED_PLAIN, HOLDS_PLAIN, by_number, named_by, renamed


class Ownership:
    """The part of Builder that keeps the references of its state."""

    def before_effect(self, rebinds=True):
        """Before anything that can free or replace items of containers: own what was only borrowed from one.

        Args:
            rebinds: it may run foreign code, which may rebind globals and attributes.
        """
        self.state.receivers = {}
        self.own_borrowed()
        if rebinds:
            self.hold_mortals()

    def hold_mortals(self):
        """Hold the constants in the state that may die when foreign code rebinds what they were read from."""
        state = self.state
        items = [*state.locals, *(value for item in state.stack for value in named_by(item))]
        for value in dict.fromkeys(items):
            if value is None or not value.mortal:
                continue
            held = self.operation("hold", value, kind=value.type, shape=value.shape)
            held.known, held.facts, held.origin = value, value.facts, value.origin
            self.replace(value, held)
            state.owned = state.owned | {held}
            self.start_exits = {}
            if self.base is not None:
                locals, bound, stack, owned = self.base
                named = [held if item is value else item for item in locals], [renamed(item, value, held) for item in stack]
                self.base = tuple(named[0]), bound, tuple(named[1]), owned | {held}

    def settle(self, value, machine):
        """Let the operand stack name a number's machine form instead of its object, which is dropped if nothing else names it."""
        state = self.state
        is_owned = value in state.owned
        if value is machine or not is_owned and value not in state.transient or value in state.locals or state.stack.count(value) != 1:
            return
        self.freeze()
        locals, bound, stack, owned = self.base
        self.base = locals, bound, tuple(renamed(item, value, machine) for item in stack), owned - {value}
        self.start_exits = {}
        self.replace(value, machine)
        if is_owned:
            self.operation("drop", value)

    @staticmethod
    def account_for(state, carried):
        """Raise InternalError if a reference of ours in `state` is none of those that are `carried` on or dropped: it would leak."""
        for value in by_number(state.owned):
            if value.type.is_object and value.type is not types.PENDING and value not in carried:
                raise InternalError(f"a reference to {value} of {value.origin} is lost")

    def unnamed(self):
        """The objects that are ours though no slot names them any more: those that are dropped next."""
        held = self.state.values()
        return tuple(value for value in by_number(self.state.owned) if value not in held and value.type.is_object and value.type is not types.PENDING)

    def let_go(self):
        """After an instruction: drop constants that were held for its operands, where it has not."""
        state = self.state
        for value in by_number(value for value in state.owned if value.known is not None):
            if not state.holds(value):
                self.drop(value)

    def own_borrowed(self):
        """At the end of a block: what the next one does with what was borrowed is not known."""
        self.needs_frame()
        state = self.state
        if not state.transient:
            return
        held = state.values()
        for value in by_number(state.transient):
            if value in held:
                self.operation("incref", value)
                state.owned = state.owned | {value}
                if self.base is not None:
                    self.base = (*self.base[:3], self.base[3] | {value})
        self.start_exits = {}
        state.transient = frozenset()

    def release(self, *values):
        """Values popped for good: drop the reference of each that no slot names any more."""
        state = self.state
        if not state.owned:
            return
        for value in values:
            if value in state.owned and not state.holds(value):
                self.drop(value)

    def release_before_jump(self, value, truth):
        """Drop the object whose `truth` decides a jump; an exit finds that truth in its place."""
        if value in self.state.owned and not self.state.holds(value):
            self.state.owned = self.state.owned - {value}
            self.before_effect()
            self.push(truth)
            after = self.exit_here("a finaliser looked at the frame")
            after.resume, after.routine = self.instruction.offset, "exit_start"
            self.pop()
            self.operation("drop", value, after=after)

    def drop(self, value, flag=True):
        state = self.state
        state.owned = state.owned - {value}
        if value.type.unboxed:
            # A parameter whose type was still open when it was counted as owned.
            return
        if not self.instruction.last:
            self.drops.append((value, flag))
            return
        plain = value.type.python in types.PLAIN or value.facts in ("number", COLLECTED_PLAIN, HOLDS_PLAIN)
        if not plain:
            self.before_effect()
        if value.facts is COLLECTED_PLAIN:
            self.operation("drop_collected", value)
            return
        after = None if plain else self.exit_after("a finaliser looked at the frame")
        if flag is True:
            self.operation("drop", value, after=after)
        else:
            self.operation("drop_if", flag, value, after=after)
