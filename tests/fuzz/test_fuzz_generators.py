"""Object programs and mutants: they compile, are as varied as promised, end, and depend on nothing but choices."""

import ast
import sys
import warnings

import pytest

from fuzz import bounds
from fuzz.choices import Replayed, Seeded
from fuzz.generators.objects import object_program
from fuzz.generators.typed import typed_program
from fuzz.mutators import MAX_WORK, acceptable, mutate
from fuzz.program import Program

COUNT = 300
#: Lines that one call may execute.
WORK = 200_000
DUNDERS = """add radd sub mul eq lt bool index int float len getitem setitem iter next contains call hash format enter exit
    del getattr setattr delitem iadd neg abs round str""".split()
KINDS = (ast.ClassDef, ast.For, ast.While, ast.Try, ast.With, ast.If, ast.AugAssign, ast.Delete, ast.Global, ast.Nonlocal,
         ast.Lambda, ast.ListComp,
         ast.GeneratorExp, ast.JoinedStr, ast.Starred, ast.Match, ast.NamedExpr, ast.Raise, ast.Assert, ast.Yield, ast.YieldFrom,
         ast.Dict, ast.Set,
         ast.IfExp, ast.BoolOp, ast.Break, ast.Continue, ast.keyword, ast.Slice, ast.YieldFrom)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def programs():
    return [object_program(Seeded(seed)) for seed in range(COUNT)]


@pytest.fixture(scope="module")
def mutants():
    """(original, mutant), each mutated one to five times."""
    made = []
    for seed in range(100):
        choices = Seeded(seed)
        original = program = (object_program, typed_program)[seed % 2](choices)
        other = (object_program, typed_program)[choices.below(2)](choices)
        for _ in range(choices.between(1, 5)):
            program = mutate(program, choices, other)
        made.append((original, program))
    return made


class Endless(BaseException):
    """A call did more than it may."""


def lines_of_calls(program):
    """How many lines each call executed, and whether it raised."""
    namespace, counts, raised = {}, [], []
    exec(compile(program.source, "<program>", "exec"), namespace)

    def trace(frame, event, argument):
        if event == "line":
            counts[-1] += 1
            if counts[-1] > WORK:
                raise Endless
        return trace

    for call in program.calls:
        counts.append(0)
        try:
            arguments = eval(call, namespace)
            sys.settrace(trace)
            namespace[program.entry](*arguments)
            raised.append(False)
        except Exception:
            raised.append(True)
        finally:
            sys.settrace(None)
    return counts, raised


def test_calls_end_and_most_get_somewhere(programs):
    counts, early = [], 0
    for program in programs:
        lines, raised = lines_of_calls(program)
        counts.extend(lines)
        early += sum(count < 4 and failed for count, failed in zip(lines, raised))
    assert max(counts) < 2000
    assert early < 0.12 * len(counts)


def test_the_same_choices_make_the_same_program(programs):
    for seed in range(40):
        choices = Seeded(seed)
        assert object_program(choices) == programs[seed] == object_program(Replayed(choices.recipe))


def test_programs_of_a_foreign_recipe_compile():
    for seed in range(60):
        recipe = Seeded(seed)
        program = object_program(Replayed([recipe.below(1000) for _ in range(40)], seed))
        compile(program.source, "<program>", "exec")


def test_no_choices_make_the_smallest_program():
    assert len(object_program(Replayed([])).source) < 700


def test_every_construct_appears(programs):
    text = "\n".join(program.source for program in programs)
    assert not [name for name in DUNDERS if f"def __{name}__" not in text]
    assert not [name for name in ("int", "float", "list", "dict", "str") if f"({name}):" not in text]
    for words in ("self.__class__ =", "__slots__", "@property", "@classmethod", "@staticmethod", ".setter", "__get__", "__set__",
                  "super()", "global help1",
                  "del self.w", "except ", "else:", "finally:", "array(", "key=", "*rest", "HELD.clear()"):
        assert words in text, words
    present = {type(node) for program in programs for node in ast.walk(ast.parse(program.source))}
    assert not [kind for kind in KINDS if kind not in present]


def test_every_method_of_a_class_notes_its_call(programs):
    for program in programs[:100]:
        for node in ast.walk(ast.parse(program.source)):
            if isinstance(node, ast.ClassDef):
                quiet = [method.name for method in node.body if isinstance(method, ast.FunctionDef) and
                         not ast.unparse(method.body[0]).startswith("LOG.append((")]
                assert set(quiet) <= {"__init__", "__repr__"}


def test_argument_types_change_between_calls(programs):
    kinds = [{type(ast.parse(call, mode="eval").body.elts[0]) for call in program.calls} for program in programs]
    assert sum(len(found) > 1 for found in kinds) > COUNT // 10


def test_mutants_compile_and_stay_bounded(mutants):
    changed = 0
    for original, mutant in mutants:
        changed += mutant != original
        assert acceptable(mutant)
        assert mutant.calls and mutant.entry == original.entry
        counts, _ = lines_of_calls(mutant)
        assert max(counts) < WORK
    assert changed > 0.9 * len(mutants)


def test_every_mutator_is_at_work(mutants):
    kinds = {name for _, mutant in mutants for name in mutant.origin}
    assert kinds >= {"change_constant", "change_argument", "wrap", "change_operator", "rearrange", "warm_up", "wrap_expression",
                     "splice"}
    small = Program("def f(p0):\n    return p0\n", "f", ("(1,)",))
    manners = {mutate(small, Seeded(number)).manner for number in range(900)}
    assert manners == {"plain", "threads", "traced"}


def test_nothing_is_put_into_a_set_whose_place_follows_from_its_address():
    """A nan, or an instance: the set would be walked over in another order each time."""
    program = Program("class A:\n    pass\ndef f(p0):\n    return list({1, 2, 3})\n", "f", ("(1,)",))
    mutants = {mutate(program, Seeded(number)).source for number in range(600)}
    items = {ast.unparse(item) for source in mutants for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Set) for item in node.elts}
    assert {"0", "''", "None", "2 ** 63"} <= items and not any("nan" in item or "A(" in item for item in items)


def test_the_same_choices_make_the_same_mutant():
    for seed in range(20):
        made = [mutate(object_program(choices), choices, typed_program(choices)) for choices in (Seeded(seed), Seeded(seed))]
        assert made[0] == made[1]


@pytest.mark.parametrize("loop, ends", [("for a in p: p.append(a)", False), ("for a, b in zip(q, p):\n  if a: p.insert(0, b)", False),
                                        ("for a in q: p.append(a)", True), ("for a in p: a.append(p)", True), ("for a in p: p.pop()", True)])
def test_loops_over_what_they_lengthen_have_no_bound(loop, ends):
    tree = ast.parse("def f(p, q):\n " + loop.replace("\n", "\n "))
    assert (bounds.work(tree, "f") < 100) is ends


def test_loops_keep_their_bounds():
    """Counters, ranges, sizes and slices are in the mutants what they were."""
    source = ("def f(p0):\n    w1 = 3\n    while w1 > 0:\n        w1 -= 1\n        for i in range(4):\n"
              "            p0 = p0 + 1\n    return [p0][:6]\n")
    program = Program(source, "f", ("(1,)",))
    for seed in range(300):
        mutant = mutate(program, Seeded(seed))
        for part in ("w1 = 3", "while w1 > 0:\n", "w1 -= 1\n", "range(4)", "[:6]"):
            assert part in mutant.source
        assert mutant.source.index("w1 -= 1") - mutant.source.index("while w1 > 0:") < 50


@pytest.mark.parametrize("body, entry, least", [
    ("for i in range(5):\n        for j in range(4):\n            x += 1", "f", 20), ("x = g(x)", "f", 3),
    ("while x:\n        x -= 1", "f", 6)])
def test_work_is_estimated(body, entry, least):
    tree = ast.parse(f"def g(x):\n    for i in range(3):\n        x += 1\n    return x\ndef f(x):\n    {body}\n    return x\n")
    assert least <= bounds.work(tree, entry) < 10 * least


def test_circles_of_calls_are_no_endless_estimate():
    tree = ast.parse("def f(x):\n    return g(x) + g(x)\ndef g(x):\n    return f(x) + f(x)\n")
    assert bounds.work(tree, "f") <= bounds.LIMIT


def test_what_takes_too_long_is_refused():
    loops = "".join("    " * depth + f"for i{depth} in range(9):\n" for depth in range(1, 7))
    program = Program(f"def f():\n{loops}{'    ' * 7}pass\n", "f", ("()",))
    assert bounds.work(ast.parse(program.source), "f") > MAX_WORK
    assert not acceptable(program)
