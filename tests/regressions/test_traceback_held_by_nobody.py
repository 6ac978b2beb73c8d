"""`with` calls `__exit__` with a traceback that only the exception holds: when the exception lost it, compiled code used a dead object."""

import traceback

import jit


class Method:
    def __enter__(self):
        return self

    @jit.jit
    def __exit__(self, kind, value, trace):
        traceback.clear_frames(trace)
        self.caught = value.with_traceback(None)
        self.made = [[] for _ in range(20)]
        return trace.tb_lasti >= 0


class Function:
    def __enter__(self):
        return self


@jit.jit
def leave(kind, value, trace):
    value.__traceback__ = None
    made = [(kind, value) for _ in range(20)]
    return trace.tb_lineno > 0 and len(made) == 20


Function.__exit__ = staticmethod(leave)


def test_the_traceback_lives_as_long_as_the_call():
    seen = 0
    for number in range(300):
        for manager in (Method(), Function()):
            with manager:
                seen += 1
                exec("1 / 0") if number % 2 else {}[number]
    assert seen == 600
