"""Calls out of compiled code: what foreign code sees, what it may change, and whether compiled code goes on afterwards."""

import gc
import sys
import threading
import time

import pytest

from activations import Chain, call_levels, call_out


def first(x, call):
    y = x + 1
    r = call(
        y)
    return "first", x, r


def second(a, call):
    r = None
    try:
        r = call(a)
    except ValueError as problem:
        r = problem.args[0]
    return "second", r


def third(z, call):
    r = call(z)
    return "third", r


class Scene:
    """Three compiled activations, the innermost of which calls self.do."""

    def __init__(self, order=(first, second, third)):
        self.do = None
        given = {first: dict(x=1, y=2), second: dict(a="a", r=None), third: dict(z=2.5)}
        self.levels = list(call_levels(order, *[given[function] for function in order]))
        self.chain = Chain(self.levels, call_out(self))

    def __call__(self):
        return self.do()

    def run(self, do):
        self.do = do
        return self.chain()


@pytest.fixture
def scene():
    made = Scene()
    yield made
    made.chain.free()


def frames_from(frame, names=("first", "second", "third")):
    found = []
    while frame is not None and frame.f_code.co_name in names:
        found.append(frame)
        frame = frame.f_back
    return found


def own(frame):
    """The first frame outside the scene's __call__ and the test's function."""
    while frame.f_code.co_name not in ("first", "second", "third"):
        frame = frame.f_back
    return frame


def test_unobserved_calls_go_on_compiled(scene):
    """Nobody looked: each body passes on the result itself."""
    for _ in range(1000):
        assert scene.run(lambda: 7) == 7


def test_foreign_code_sees_the_frames(scene):
    """Names, lines and locals are those the interpreter would show; afterwards everybody leaves, for the frames are in use."""
    seen = []

    def look():
        for frame in frames_from(own(sys._getframe())):
            seen.append((frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno, dict(frame.f_locals)))
        return "result"

    for _ in range(50):
        del seen[:]
        assert scene.run(look) == ("first", 1, ("second", ("third", "result")))
        assert seen == [("third", 1, {"z": 2.5}), ("second", 3, {"a": "a", "r": None}), ("first", 2, {"x": 1, "y": 2})]


def test_kept_frames_live_on(scene):
    """A frame object kept by foreign code is the one the rest of the function runs in."""
    kept = []

    def keep():
        kept.append(frames_from(own(sys._getframe())))
        return "result"

    for _ in range(20):
        assert scene.run(keep) == ("first", 1, ("second", ("third", "result")))
    for frames in kept:
        assert [frame.f_code.co_name for frame in frames] == ["third", "second", "first"]
        assert frames[2].f_locals == {"x": 1, "y": 2, "r": ("second", ("third", "result"))}
        assert frames[0].f_back is frames[1] and frames[1].f_back is frames[2]
        for frame in frames:
            frame.clear()
    gc.collect()


@pytest.mark.parametrize("which, expected", [
    (0, ("first", 1, ("second", ("third", "result")))), (1, ("first", 1, ("second", "result"))), (2, ("first", 1, "result"))])
def test_only_activations_that_are_looked_at_leave(scene, which, expected):
    """Frame objects inside the one that is kept do not exist, so those activations go on compiled."""
    def keep():
        frame = own(sys._getframe())
        for _ in range(which):
            frame = frame.f_back
        held.append(frame)
        return "result"

    held = []
    first_result = scene.run(keep)
    # Walking outwards makes frame objects of the inner ones too, which die at once.
    assert first_result in (expected, ("first", 1, ("second", ("third", "result"))))
    assert held[0].f_code.co_name == ("third", "second", "first")[which]


@pytest.mark.parametrize("order, expected", [
    ((first, second, third), ("first", 1, ("second", "oops"))), ((second, first, third), ("second", "oops")),
    ((first, third, second), ("first", 1, ("third", ("second", "oops"))))])
def test_exceptions_meet_the_handlers(order, expected):
    """Whichever activation has the handler, outer ones go on."""
    scene = Scene(order)

    def fail():
        raise ValueError("oops")

    for _ in range(100):
        result = scene.run(fail)
        assert result == expected or expected[-1] == result[-1] == ("second", "oops") or result == ("second", "oops")
    scene.chain.free()


def test_tracebacks_name_every_activation(scene):
    """An exception nobody handles passes all frames, with lines and columns."""
    def fail():
        raise KeyError(1)

    for _ in range(20):
        with pytest.raises(KeyError) as caught:
            scene.run(fail)
        entries = [(entry.name, entry.lineno - entry.frame.code.firstlineno) for entry in caught.traceback][-5:-2]
        assert entries == [("first", 2), ("second", 3), ("third", 1)]
        positions = []
        traceback = caught.tb
        while traceback is not None:
            if traceback.tb_frame.f_code in (first.__code__, third.__code__):
                positions.append(list(traceback.tb_frame.f_code.co_positions())[traceback.tb_lasti // 2])
            traceback = traceback.tb_next
        assert [p[2:] for p in positions] == [(8, 10), (8, 15)]


def test_tracing_switched_on_below(scene):
    """Once a tracer is set, none of the activations goes on compiled, so the tracer misses nothing."""
    events = []

    def tracer(frame, event, argument):
        events.append((frame.f_code.co_name, event))
        return tracer

    def switch_on():
        sys.settrace(tracer)
        return "result"

    try:
        result = scene.run(switch_on)
    finally:
        sys.settrace(None)
    assert result == ("first", 1, ("second", ("third", "result")))
    assert scene.run(lambda: 7) in (7, ("first", 1, ("second", ("third", 7))))


def test_locals_changed_through_the_frame(scene):
    """3.13 lets foreign code assign to the locals of a running function; the rest of it sees that."""
    def change():
        frame = own(sys._getframe())
        for _ in range(2):
            frame = frame.f_back
        frame.f_locals["x"] = "changed"
        return "result"

    expected = "changed" if sys.version_info >= (3, 13) else 1
    for _ in range(50):
        assert scene.run(change) == ("first", expected, ("second", ("third", "result")))


def test_reference_counts():
    """Going on, leaving, raising and keeping frames: nothing is lost or dropped twice."""
    class Thing:
        pass

    x, a, z = Thing(), Thing(), Thing()
    order = (first, second, third)
    levels = list(call_levels(order, dict(x=x, y=a), dict(a=a, r=x), dict(z=z)))
    scene = Scene()
    scene.chain.free()
    scene.chain = Chain(levels, call_out(scene))

    def fail():
        raise ValueError("oops")

    def look():
        return sys._getframe().f_back.f_back.f_lineno

    def keep():
        scene.kept = own(sys._getframe())
        return None

    def other():
        raise KeyError

    counted = [x, a, z, *order, *[function.__code__ for function in order]]

    def round_of_everything():
        for do in (lambda: 1, fail, look, keep, other):
            try:
                scene.run(do)
            except KeyError:
                pass
        scene.kept = None

    round_of_everything()
    gc.collect()
    before = [sys.getrefcount(item) for item in counted]
    for _ in range(1000):
        round_of_everything()
    gc.collect()
    assert before == [sys.getrefcount(item) for item in counted]
    scene.chain.free()


def test_frames_across_chunks_of_the_data_stack():
    """Compiled and interpreted frames alternate over several chunks, at every offset in them."""
    scenes = [Scene() for _ in range(3)]

    def padded(depth, slots):
        names = "; ".join(f"v{number} = {number}" for number in range(slots))
        namespace = {"go": go}
        exec(f"def pad(depth):\n    {names}\n    return go(depth)", namespace)
        return namespace["pad"](depth)

    def go(depth):
        if depth == 0:
            return sum(1 for _ in frames_from(own(sys._getframe()), ("first", "second", "third")))
        return scenes[depth % 3].run(lambda: padded(depth - 1, depth * 7 % 90 + 1))

    old = sys.getrecursionlimit()
    sys.setrecursionlimit(5000)
    try:
        for depth in (1, 5, 40, 100):
            result = go(depth)
            while isinstance(result, tuple):
                result = result[-1]
            assert result == 3
    finally:
        sys.setrecursionlimit(old)
    for scene in scenes:
        scene.chain.free()


def test_threads_leave_each_other_alone():
    """Activations of several threads are suspended and resumed in any order."""
    wrong = []

    def work(number):
        scene = Scene()
        for turn in range(60):
            def do():
                time.sleep(0)
                if turn % 3 == 0:
                    return len(frames_from(own(sys._getframe())))
                return number
            result = scene.run(do)
            expected = number if turn % 3 else ("first", 1, ("second", ("third", 3)))
            if result != expected:
                wrong.append((number, turn, result))
        scene.chain.free()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    assert not wrong
