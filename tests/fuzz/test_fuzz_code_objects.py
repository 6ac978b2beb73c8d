"""Bytecode as text: assembled code objects behave as the text says; generated ones are safe, end, and run compiled alike."""

import dis
import json
import sys
import types
from pathlib import Path

import pytest

from fuzz import stack_model
from fuzz.assembling import AssemblyTextError, assemble, function_of
from fuzz.choices import Replayed, Seeded
from fuzz.disassembling import disassemble
from fuzz.generators import code_steps
from fuzz.generators.code_objects import code_program
from fuzz.generators.code_writer import fits, is_value
from fuzz.program import Program
from jit import kernels
from platforms.cpython import opcodes

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "semantics"))
from compare import check, child, outcome  # noqa: E402

HAS = opcodes.NUMBERS
KERNELS = [value for value in vars(kernels).values() if isinstance(value, types.FunctionType)]


def template(a, b=None):
    return a


def made(text, **namespace):
    return types.FunctionType(assemble(text, template), {"__builtins__": __builtins__, **namespace}, "made")


def codes(code):
    yield code
    for value in code.co_consts:
        if isinstance(value, types.CodeType):
            yield from codes(value)


def lines_of(code):
    return [line for start, end, line in code.co_lines() for _ in range(start, end, 2)]


# -- the assembler ---------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [kernels, json.decoder, dis, stack_model], ids=lambda module: module.__name__)
def test_what_is_disassembled_assembles_to_the_same(module):
    """Every code object of a module, byte for byte but for the columns."""
    for code in codes(compile(Path(module.__file__).read_text(), "file", "exec")):
        again = assemble(disassemble(code), code)
        assert again.co_code == code.co_code and again.co_exceptiontable == code.co_exceptiontable
        assert lines_of(again) == lines_of(code)
        for name in ("co_consts", "co_names", "co_varnames", "co_cellvars", "co_freevars", "co_flags", "co_argcount",
                     "co_stacksize", "co_name", "co_qualname", "co_kwonlyargcount", "co_posonlyargcount"):
            assert getattr(again, name) == getattr(code, name), name


@pytest.mark.parametrize("arguments, name", [((20,), "sum_of_squares"), ((10,), "fib"), ((8, 10), "mandelbrot"),
                                             ((30,), "collatz"), ((50,), "sieve_list")])
def test_reassembled_kernels_give_the_same(arguments, name):
    function = getattr(kernels, name)
    code = assemble(disassemble(function.__code__), function)
    again = types.FunctionType(code, {**vars(kernels)}, name)
    assert outcome(again, arguments) == outcome(function, arguments)


def test_exceptions_and_lines():
    def risky(items, n):
        try:
            for item in items:
                n += 1 // item
        except ZeroDivisionError as error:
            raise KeyError(n) from error
        finally:
            items.append(n)
        return n
    again = types.FunctionType(assemble(disassemble(risky.__code__), risky), globals(), "risky")
    for items in ([1, 2], [1, 0]):
        assert outcome(again, (list(items), 5)) == outcome(risky, (list(items), 5))


@pytest.mark.parametrize("distance", [3, 250, 254, 255, 256, 300, 65600])
def test_distances_that_need_prefixes(distance):
    """Forwards over dead code, and backwards over the same."""
    jump_if = "POP_JUMP_FORWARD_IF_TRUE" if "POP_JUMP_FORWARD_IF_TRUE" in HAS else "POP_JUMP_IF_TRUE"
    nops = "NOP\n" * distance
    text = f"""args 1
        locals n
        const 0
        const 'done'
        RESUME 0
        JUMP_FORWARD there
        back:
        LOAD_CONST 1
        RETURN_VALUE
        {nops}
        there:
        LOAD_FAST n
        LOAD_CONST 0
        COMPARE_OP bool(==)
        {jump_if} over
        JUMP_BACKWARD back
        over:
        LOAD_FAST n
        RETURN_VALUE"""
    function = made(text)
    assert (function(0), function(5)) == (0, "done")
    stack_model.verify(function.__code__)
    found = {each.opname: each for each in dis.get_instructions(function)}
    assert (found["JUMP_BACKWARD"].arg > distance) and found["JUMP_FORWARD"].arg >= distance
    assert found["JUMP_BACKWARD"].argval < found["JUMP_FORWARD"].argval


def test_many_constants_names_and_locals():
    consts = "\n".join(f"const {number}" for number in range(1000))
    names = " ".join(f"v{number}" for number in range(700))
    function = made(f"args 1\nlocals a {names}\nnames {names} len\n{consts}\nRESUME 0\nLOAD_CONST 777\nSTORE_FAST v600\n"
                    "LOAD_GLOBAL v650\nLOAD_FAST v600\nBINARY_OP +\nRETURN_VALUE", v650=5)
    assert function(0) == 782


def test_constants_of_every_kind():
    values = (None, True, -3, 2.5, -0.0, float("inf"), 1 + 2j, "a # b", b"x", (1, ("y", -2.0)), frozenset({1}), ...)
    consts = "".join(f"const {value!r}\n" for value in values)
    code = assemble(consts + "RESUME 0\nLOAD_CONST 0 # nothing\nRETURN_VALUE", template)
    assert repr(code.co_consts) == repr(values)


@pytest.mark.parametrize("text, line", [("RESUME 0\nFLY 3", 2), ("JUMP_FORWARD nowhere", 1), ("L1:\nNOP\nL1:", 3), ("args x", 1),
                                        ("const open('x')", 1), ("const [1]", 1), ("\nLOAD_FAST x", 2), ("LOAD_GLOBAL x", 1),
                                        ("L1:\nJUMP_FORWARD L1", 2), ("try L1 L2", 1), ("NOP\nBINARY_OP plus", 2),
                                        ("const @99", 1), ("line x", 1), ("RESUME 0 0", 1), ("RESUME 0\nPOP_TOP", 2),
                                        ("RESUME 0\nNOP", 2), ("L2:\nNOP\nL1:\ntry L1 L2 L2 depth 0", 4)])
def test_errors_in_the_text_name_the_line(text, line):
    with pytest.raises(AssemblyTextError) as caught:
        assemble(text, template)
    assert caught.value.line == line and str(caught.value).startswith(f"line {line}: ")


# -- the stack model -------------------------------------------------------------------------------


def test_compiled_code_keeps_its_stack_in_order():
    for module in (kernels, json.decoder, dis):
        for code in codes(compile(Path(module.__file__).read_text(), "file", "exec")):
            assert stack_model.verify(code) <= code.co_stacksize


TAIL = "LOAD_CONST 0\nRETURN_VALUE\n"


@pytest.mark.parametrize("text", [
    "POP_TOP\n" + TAIL,
    "LOAD_CONST 0\nLOAD_CONST 0\n" + TAIL,
    "LOAD_CONST 0\nBINARY_OP +\nRETURN_VALUE",
    "L1:\nLOAD_CONST 0\nJUMP_BACKWARD L1",
    "LOAD_CONST 0",
    "LOAD_CONST 0\nS:\nUNARY_NEGATIVE\nE:\nRETURN_VALUE\nH:\nRETURN_VALUE\ntry S E H depth 1",
], ids=["underflow", "too deep", "underflow of two", "grows in a loop", "runs off its end", "a handler keeps what is gone"])
def test_disorder_is_noticed(text):
    with pytest.raises(stack_model.StackError):
        stack_model.verify(assemble("const 0\nstack 2\nRESUME 0\n" + text, template))


# -- generated code objects ------------------------------------------------------------------------


def test_the_same_choices_make_the_same_program():
    for seed in range(20):
        choices = Seeded(seed)
        program = code_program(choices)
        assert code_program(Replayed(choices.recipe)) == program
        assert Program.from_case(json.loads(json.dumps(program.as_case()))) == program


def test_any_recipe_makes_a_sound_program():
    """What mutation makes of a recipe is a code object all the same; zeros are the simplest."""
    assert len(code_program(Replayed([])).code.splitlines()) < 50
    for seed in range(60):
        choices = Seeded(seed)
        code_program(choices)
        recipe = choices.recipe[::-1][: 20 * seed]
        function = built(code_program(Replayed(recipe, seed)))
        stack_model.verify(function.__code__)


def built(program):
    namespace = {}
    exec(program.source, namespace)
    return function_of(program, namespace)


def test_generated_code_keeps_its_stack_in_order():
    found = set()
    for seed in range(150):
        code = built(code_program(Seeded(seed))).__code__
        assert stack_model.verify(code) <= code.co_stacksize
        found.update(each.opname for each in dis.get_instructions(code))
    wanted = {"FOR_ITER", "SWAP", "COPY", "EXTENDED_ARG", "PUSH_EXC_INFO", "POP_EXCEPT", "RERAISE", "CHECK_EXC_MATCH",
              "UNPACK_SEQUENCE", "DELETE_FAST", "LOAD_DEREF", "STORE_GLOBAL", "PUSH_NULL", "RAISE_VARARGS", "JUMP_BACKWARD", "CALL",
              "BINARY_SUBSCR"}
    versions = {"LOAD_FAST_LOAD_FAST", "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_AND_CLEAR",
                "RETURN_CONST", "TO_BOOL", "JUMP_IF_TRUE_OR_POP", "POP_JUMP_BACKWARD_IF_NOT_NONE", "KW_NAMES",
                "CALL_KW"} & set(HAS)
    assert wanted | versions <= found


def run_interpreted(first, count):
    """In a child process: every program ends within its bound, and most return."""
    returned = 0
    for seed in range(first, first + count):
        program = code_program(Seeded(seed))
        function = built(program)
        code = function.__code__
        # Fuel is at most 40; between two units of it the address only grows.
        limit = 42 * (len(code.co_code) // 2)
        executed = 0

        def trace(frame, event, argument):
            nonlocal executed
            if frame.f_code is not code:
                return None
            frame.f_trace_opcodes = True
            executed += event == "opcode"
            return trace
        for call in program.calls:
            arguments = eval(call)
            executed = 0
            if seed % 3 == 0:
                sys.settrace(trace)
            result = outcome(function, arguments)
            sys.settrace(None)
            returned += result[0][0] == "returned"
            assert executed <= limit, (seed, executed, limit)
    assert returned > count // 2, returned


def run_compiled(first, count):
    """In a child process: compiled functions do what interpreted ones do."""
    compiled = 0
    for seed in range(first, first + count):
        program = code_program(Seeded(seed))
        function = built(program)
        fast = check(function, *map(eval, program.calls), repeat=2)
        import jit
        compiled += jit.explain(fast).state == "compiled"
    assert compiled > count // 4, compiled


def test_which_one_a_number_is_is_not_asked():
    """Compiled code boxes numbers anew."""
    class Writer:
        def __init__(self, *stack):
            self.stack, self.written, self.choices = list(stack), [], Replayed([2, 0])  # IS_OP

        def floor(self):
            return 0

        def op(self, name, argument, takes, pushes):
            self.written.append(name)

    written = {}
    for pair in (("int", "num"), ("any", "int"), ("any", "any"), ("bool", "int"), ("any", "list")):
        writer = Writer(*pair)
        code_steps.test(writer)
        written[pair] = writer.written
    assert written == {("int", "num"): [], ("any", "int"): [], ("any", "any"): [], ("bool", "int"): ["IS_OP"], ("any", "list"): ["IS_OP"]}


@pytest.mark.parametrize("what, count", [("run_interpreted", 300), ("run_compiled", 40)])
def test_generated_code_in_a_child(what, count):
    here = str(Path(__file__).parent)
    child(f"import sys; sys.path.insert(0, {here!r})\nimport test_fuzz_code_objects as tests\ntests.{what}(0, {count})",
          environment={"JIT_CHECK": "1", "JIT_EAGER": "1"})


def test_where_an_exception_came_from_is_nobodys_value():
    """The interpreter names PRECALL or CALL, as it is warm or not: programs that computed with it differed for no reason of ours."""
    assert not is_value("lasti") and not any(fits("lasti", wanted) for wanted in ("any", "num", "int", "maybe", "bool", "float"))
