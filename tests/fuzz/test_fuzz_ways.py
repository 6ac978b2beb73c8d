"""Every way of running finds what it is for, and nothing where nothing is wrong."""

import gc

import pytest

from fuzz import probes, targets, ways
from fuzz.choices import Seeded
from fuzz.loading import Prepared, Unusable
from fuzz.program import Program
from fuzz.targets import jit as jit_target

LOOP = """\
import math
G = 3
def g(x, y=2):
    return x * y
def f(x, items):
    total = 0
    for i in range(5):
        if x > i:
            total += g(x) + items[i % len(items)]
        else:
            total -= i // x
    return total, items
"""
CALLS = ("(3, [1, 2])", "(1, [2**62, 5])", "(0, [1.5])", "(2.5, [])")


def comparison(source=LOOP, calls=CALLS, entry="f", register=0, **more):
    return ways.Comparison(Prepared(Program(source, entry, calls, **more)), None, register)


@pytest.mark.parametrize("name", ways.WAYS)
@pytest.mark.parametrize("register", [0, 5])
def test_no_difference_where_none_is(name, register):
    assert ways.WAYS[name](comparison(register=register)) is None


def test_what_a_traceback_holds_is_alive_in_every_way():
    source = '''LOG = []
class Dying:
    def __del__(self): LOG.append("gone")
def f(number):
    LOG.clear()
    variable = Dying()
    return -1 * (number, Dying().missing)
'''
    for name in ways.WAYS:
        found = ways.WAYS[name](comparison(source, ("(1,)", "('',)")))
        assert found is None, f"{name}: {found.detail}"


def test_generators_on_operand_stacks_are_closed_in_every_way():
    source = '''LOG = []
def items(item):
    try:
        yield 1
        yield item.missing
    finally:
        LOG.append("closed")
def f(first, second):
    LOG.clear()
    return [*zip(items(first), items(second))]
'''
    for name in ways.WAYS:
        found = ways.WAYS[name](comparison(source, ("(1, 2)", "('', None)")))
        assert found is None, f"{name}: {found.detail}"


@pytest.mark.parametrize("way", ways.WAYS)
def test_hundreds_of_programs(way):
    target = targets.make("jit")
    for seed in range(40):
        case = {**target.case(Seeded(f"test{seed}")), "way": way}
        verdict = target.run(case)
        assert verdict.difference is None, f"{verdict.difference.detail}\n{target.text(case)}"
        assert not verdict.skipped


def planted(monkeypatch, name, change):
    """Replace the emitting function of all templates of a family."""
    import jit.dispatch  # noqa: F401
    from jit.template import FAMILIES
    for template in FAMILIES[name]:
        monkeypatch.setattr(template, "function", change(template.function))


def test_a_wrong_result_is_found(monkeypatch):
    def off_by_one(emit):
        def changed(asm, left, right, difference, exit):
            emit(asm, left, right, difference, exit)
            asm.add(difference, 1)
        return changed

    planted(monkeypatch, "BINARY_OP -", lambda emit: off_by_one(emit) if "difference" in emit.__code__.co_varnames else emit)
    found = ways.compiled(comparison("def f(a, b):\n    return a - b\n", ("(5, 3)",)))
    assert found.signature == "compiled: result: int" and "'int', 3" in found.detail


@pytest.mark.parametrize("keep, signature", [(lambda arguments: [tuple(arguments)], "compiled: references"),
                                             (lambda arguments: [len(arguments)], "compiled: leak: memory blocks")])
def test_a_leak_is_found(monkeypatch, keep, signature):
    """An object kept by every call, an argument or another: as if a reference were never dropped."""
    kept = []
    loaded = ways.Loaded

    class Leaking(loaded):
        def decorate(self):
            entry = self.entry
            self.entry = lambda *arguments: kept.append(keep(arguments)) or entry(*arguments)
            return self

    monkeypatch.setattr(ways, "Loaded", Leaking)
    gc.collect()
    gc.disable()  # as the target does: what other tests have left must not be collected in between
    try:
        found = ways.compiled(comparison("def f(a):\n    return None\n", ("([],)",)))
    finally:
        gc.enable()
    assert found is not None and found.signature == signature


@pytest.mark.parametrize("wanted, got, suspected", [
    (({"global x": 20}, 0), ({}, 20), ""),  # boxed anew
    (({"global x": 20}, 0), ({}, 0), "references of a global"), (({"global x": 20}, 0), ({"global x": -20}, 20), "references of a global"),
    (({}, 0), ({"constant f 1": 20}, 20), "references of a constant"), (({}, 0), ({}, 20), "leak: memory blocks"), (({}, 0), ({}, 2), "")])
def test_what_the_interpreter_itself_loses(wanted, got, suspected):
    """CPython 3.11 keeps what `__hash__` returns if it is no int; for us a float is another object each time."""
    assert ways.suspicion(wanted, got, 10) == suspected


def test_every_guard_can_be_forced():
    """Each guard that ran is made to fail; the exit it leads to is then counted as taken."""
    case = comparison("def f(a, b):\n    c = a + b\n    return c * a - b\n", ("(5, 3)",))
    assert ways.forced(case) is None
    operations = {feature.split(":")[1] for feature in case.features if feature.startswith("forced:")}
    assert operations >= {"BINARY_OP"} and len(case.features) >= 3


def test_forcing_counts_executions():
    with probes.forced_guards() as guards:
        fast = comparison(LOOP, ("(9, [1])",)).load().decorate()
        fast.entry(*fast.arguments(0))
        guards.reset()
        fast.entry(*fast.arguments(0))
        counts = guards.executed()
        assert len(counts) == len(guards.names) and 5 in counts
        number = counts.index(5)
        guards.reset()
        guards.fail(number, 3)
        fast.entry(*fast.arguments(0))
        assert probes.exits_taken(fast.functions)


def test_what_was_replaced_is_put_back():
    from asm import Assembler
    from jit import compiler, dump
    from jit.emitter import Emitter
    before = Assembler.jo, Emitter.stub, compiler.REGISTERS, compiler.allocate, dump.STAGES, compiler.is_worthwhile
    for around in (probes.forced_guards, lambda: probes.one_register(3), probes.stages, probes.reaching):
        with pytest.raises(KeyError), around():
            raise KeyError
    assert before == (Assembler.jo, Emitter.stub, compiler.REGISTERS, compiler.allocate, dump.STAGES, compiler.is_worthwhile)


def test_one_register():
    with probes.one_register(4):
        fast = comparison().load().decorate()
        assert fast.entry(3, [1, 2]) == comparison().load().entry(3, [1, 2])
        code = probes.versions_of(fast.entry)[0]
    assert code.frame_size > 60


def test_compiling_otherwise_the_second_time_is_found(monkeypatch):
    from jit import compiler
    turns = []

    def hoist(*arguments):
        turns.append(1)
        return old(*arguments) if len(turns) % 4 == 1 else None  # the first of four: there are two programs between the two times

    old = compiler.hoist
    monkeypatch.setattr(compiler, "hoist", hoist)
    source = "def f(items):\n    s = 0\n    for i in range(len(items)):\n        s += items[i]\n    return s\n"
    found = ways.shuffled(comparison(source, ("([1, 2, 3],)",)))
    assert found.signature == "compiled twice: not the same code"


def test_features_say_what_was_reached():
    target = targets.make("jit")
    case = {**Program(LOOP, "f", CALLS).as_case(), "way": "compiled", "register": 0}
    features = target.run(case).features
    kinds = {feature.split(":")[0] for feature in features}
    assert kinds == {"template", "guard", "opcode", "types", "pair", "exit"}
    assert "opcode:BINARY_OP" in features and "template:add_overflow:int,int" in features
    assert any(feature.startswith("exit:BINARY_OP") for feature in features)


def test_what_takes_too_long(monkeypatch):
    monkeypatch.setattr(jit_target, "WORK_LIMIT", 0.3)
    target = targets.make("jit")
    case = {**Program("def f(n):\n    while n:\n        n += 1\n", "f", ("(1,)",)).as_case(), "way": "compiled", "register": 1}
    for way in ("compiled", "shuffled"):  # the latter compares compiled sides alone
        assert target.run({**case, "way": way}).skipped == "the interpreter takes too long"

    def compiled(comparison):
        while True:
            comparison.load()

    monkeypatch.setitem(ways.WAYS, "compiled", compiled)
    assert target.run(case).difference.signature == "compiled: takes too long"


def test_unusable_programs():
    for source, entry in (("def f(:", "f"), ("x = 1", "f"), ("raise ValueError", "f")):
        with pytest.raises(Unusable):
            ways.compiled(comparison(source, ("()",), entry))
