"""Target "decoder": code objects of any kind are decoded and compiled, never executed.

Code must be refused with `Unsupported`, or be decoded as a second, literal reading has it, and compiled or refused then. Anything else that
is raised, a crash, and too much processor time are findings.
"""

import re
import signal
import warnings

import jit.arguments
import jit.dispatch
from fuzz.damaged import TABLES, Scene, Unmakeable, code_of
from fuzz.damaged_sources import SOURCES
from fuzz.generators.programs import source_program
from fuzz.instructions import IMMEDIATES
from fuzz.raw_reading import contradiction, table_contradiction
from fuzz.reducing_data import plainer_lists, smaller_lists
from fuzz.targets import BaseTarget, Difference, Verdict
from jit.blocks import Flow
from jit.decode import decode, exception_entries
from jit.errors import Unsupported
from jit.types import shape_of
from jit.unit import check_compilable
from platforms.cpython import opcodes

#: Processor seconds a case may take.
WORK_LIMIT = 5.0
#: Values whose types functions are compiled for, as texts.
ARGUMENTS = ("3", "1.5", "'text'", "[1, 2.5]", "None", "(1, 2)", "True", "2**70")
#: Percent of cases that are compiled, too.
COMPILED = 15
_OPCODES = sorted(opcodes.NUMBERS.values())
_CONSTANTS = ("None", "0", "1.5", "'x'", "()", "('a', 'b')", "b''", "2**70", "...", "code", "(1, 2, 3)", "[]", "{}", "float('nan')", "-0.0", "1j",
              "frozenset({1})", "print", "int")
_NAMES = ("a", "b", "f", "g", "len", "x", "append", "LIMIT", "__class__", ".0", "", "no such name")
_NUMBERS = {"co_stacksize": (0, 1, 2, 3, 255, 65536, 2**27), "co_flags": (0, 1, 2, 3, 4, 7, 8, 16, 32, 64, 128, 512, 2**20, 2**30, 0xFFFF),
            "co_firstlineno": (0, 1, 2**31 - 1), "co_argcount": (0, 1, 2, 3, 255), "co_posonlyargcount": (0, 1, 2), "co_kwonlyargcount": (0, 1, 2)}


class Overtime(BaseException):
    """A case has used more processor time than it may."""


class Target(BaseTarget):
    """Cases are {"source", "function", "changes", "arguments"}; without arguments the function is decoded only."""

    name = "decoder"

    def case(self, choices):
        source, name = choices.pick(SOURCES), "f"
        if choices.chance(8):
            program = source_program(choices)
            source, name = program.source, program.entry
        elif "def g(" in source and choices.chance(40):
            name = "g"
        try:
            size = len(code_of(source, name).co_code) // 2
        except Unmakeable:  # a mutated program may not load
            source, name, size = SOURCES[0], "f", 5
        changes = []
        for _ in range(choices.pick((1, 1, 1, 2, 3, 5, 0))):
            changes.extend(_CHANGES[choices.weighted(*_WEIGHTS)](choices, size))
        if choices.chance(50):
            changes.append(["nops", 10])
        arguments = [choices.pick(ARGUMENTS) for _ in range(2)] if choices.chance(COMPILED) else None
        return {"source": source, "function": name, "changes": changes, "arguments": arguments}

    def run(self, case):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                scene = Scene(case["source"], case["function"], case["changes"])
            except Unmakeable as problem:
                return Verdict(skipped=str(problem))
            return self.limited(case, scene)

    def limited(self, case, scene):
        """Run within the work limit."""
        def stop(*_):
            raise Overtime

        old = signal.signal(signal.SIGPROF, stop)
        signal.setitimer(signal.ITIMER_PROF, WORK_LIMIT)
        stage = "decode"
        try:
            verdict = _decoded(scene.function.__code__)
            if verdict.difference is None and case["arguments"] is not None:
                stage = "compile"
                verdict = Verdict(features=verdict.features | _compiled(scene, case["arguments"]))
            return verdict
        except Overtime:
            return Verdict(Difference(f"{stage}: takes too long", f"more than {WORK_LIMIT} s of processor time"))
        except Exception as problem:
            where = problem.__traceback__
            while where.tb_next is not None:
                where = where.tb_next
            place = where.tb_frame.f_code
            return Verdict(Difference(f"{stage}: {type(problem).__name__} in {place.co_name}",
                                      f"{type(problem).__name__}: {problem}\n  at {place.co_filename}:{where.tb_lineno}"))
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, old)

    def text(self, case):
        changes = "\n".join(f"# {' '.join(map(str, change))}" for change in case["changes"])
        return f"{case['source']}\n# of {case['function']}, for {case['arguments']}:\n{changes}\n"

    def reduce(self, case):
        for changes in smaller_lists(case["changes"]):
            yield {**case, "changes": changes}
        if case["arguments"] is not None:
            yield {**case, "arguments": None}
            for arguments in plainer_lists(case["arguments"], ARGUMENTS[0]):
                yield {**case, "arguments": arguments}
        for source in SOURCES[:2]:
            if len(source) < len(case["source"]):
                yield {**case, "source": source, "function": "f"}
        for number, change in enumerate(case["changes"]):
            for smaller in _smaller_changes(change):
                if smaller != change:
                    yield {**case, "changes": [*case["changes"][:number], smaller, *case["changes"][number + 1:]]}


# -- running -------------------------------------------------------------------------------------------------


def _decoded(code):
    """Decode, look for contradictions, find the flow."""
    features = set()
    for step in (_decoded_instructions, _decoded_table, lambda code, _: check_compilable(code)):
        try:
            found = step(code, features)
        except Unsupported as problem:
            features.add(f"refused: {_normal(problem)}")
            continue
        if found:
            return Verdict(Difference(f"decode: {found[0]}", found[1]))
    return Verdict(features=frozenset(features))


def _decoded_instructions(code, features):
    instructions = decode(code)
    found = contradiction(code, instructions)
    features.update(f"decoded: {instruction.operation}" for instruction in instructions)
    if not found:
        flow = Flow(instructions)
        features.add(f"flow: {len(flow.loops)} loops, {len(flow.ends).bit_length()} bits of blocks")
    return found


def _decoded_table(code, features):
    entries = exception_entries(code)
    features.add(f"exception table: {min(len(entries), 4)} entries")
    return table_contradiction(code, entries)


def _normal(problem):
    """A reason without numbers, names and texts."""
    reason = re.sub(r"[0-9]+|'[^']*'", "#", problem.reason)
    return f"{reason}{f' ({problem.operation})' if problem.operation else ''}"


def _compiled(scene, arguments):
    """Compile the source's last function; callees are compiled by need. Returns features."""
    compiler = jit.dispatch.COMPILER
    records = [compiler.register(function) for function in scene.functions]
    function, record = scene.functions[-1], records[-1]
    if record.reason is not None:
        return {f"refused: {re.sub(r'[0-9]+', '#', record.reason)}"}
    given = [eval(text) for text in arguments][:function.__code__.co_argcount]
    given += [3] * (function.__code__.co_argcount - len(given))
    kinds = tuple(map(jit.arguments.type_of_argument, given))
    try:
        code = compiler.compile(record, function, kinds, list(map(shape_of, given)))
    except Unsupported as problem:
        return {f"not compiled: {_normal(problem)}"}
    return {f"compiled: {code.result}", *(f"exit: {leaving.reason}" for leaving in code.exits)}


# -- making --------------------------------------------------------------------------------------------------


def _change_byte(choices, size):
    """Another argument, opcode, or any byte."""
    place = choices.below(max(size, 1))
    if choices.chance(40):
        return [["byte", 2 * place, choices.pick(_OPCODES) if choices.chance(80) else choices.below(256)]]
    return [["byte", 2 * place + 1, choices.below(8) if choices.chance(50) else choices.below(256)]]


def _change_order(choices, size):
    kind, place = choices.pick(("remove", "repeat", "exchange", "cut")), choices.below(size + 1)
    more = {"remove": lambda: [choices.between(1, 4)], "repeat": lambda: [choices.below(size + 1), choices.between(1, 8)],
            "exchange": lambda: [choices.below(size + 1)], "cut": lambda: []}[kind]
    return [[kind, place, *more()]]


def _new_bytes(choices, size):
    units = []
    for _ in range(choices.below(40)):
        units += [choices.pick(_OPCODES), choices.below(256) if choices.chance(30) else choices.below(4)]
    return [["bytes", bytes(units).hex()]]


def _prefixes(choices, size):
    """Prefixes in front of an instruction."""
    place, extended = choices.below(max(size, 1)), opcodes.NUMBERS["EXTENDED_ARG"]
    changes = []
    for _ in range(choices.between(1, 4)):
        changes += [["repeat", place, 0, 1], ["byte", 2 * place, extended], ["byte", 2 * place + 1, choices.pick((0, 1, 255, choices.below(256)))]]
    return changes


def _change_table(choices, size):
    name = choices.pick(TABLES)
    if choices.chance(70):
        return [["table", name, choices.below(64), choices.below(256)]]
    return [["field", name, bytes(choices.below(256) for _ in range(choices.below(12))).hex()]]


def _change_number(choices, size):
    name = choices.pick(sorted(_NUMBERS))
    value = choices.pick(_NUMBERS[name]) if choices.chance(85) else max(0, choices.pick(IMMEDIATES)) % 2**31
    return [["field", name, value]]


def _change_names(choices, size):
    name = choices.pick(("co_names", "co_varnames", "co_cellvars", "co_freevars"))
    changes = [["field", name, [choices.pick(_NAMES) for _ in range(choices.below(5))]]]
    if name == "co_varnames":
        changes.append(["field", "co_nlocals", len(changes[0][2])])
    return changes


def _change_constants(choices, size):
    return [["field", "co_consts", [choices.pick(_CONSTANTS) for _ in range(choices.below(6))]]]


_CHANGES = {"byte": _change_byte, "order": _change_order, "bytes": _new_bytes, "prefixes": _prefixes, "table": _change_table,
            "number": _change_number, "names": _change_names, "constants": _change_constants}
_WEIGHTS = ((40, "byte"), (15, "order"), (10, "bytes"), (6, "prefixes"), (10, "table"), (6, "number"), (6, "names"), (5, "constants"))


def _smaller_changes(change):
    """A change that does less."""
    kind, *parts = change
    if kind == "bytes" or kind == "field" and isinstance(parts[-1], str):
        for smaller in smaller_lists(list(bytes.fromhex(parts[-1]))):
            yield [kind, *parts[:-1], bytes(smaller[:len(smaller) // 2 * 2] if kind == "bytes" else smaller).hex()]
    elif kind == "field" and isinstance(parts[1], list) and parts[0] != "co_varnames":
        for smaller in smaller_lists(parts[1]):
            yield [kind, parts[0], smaller]
    elif kind == "nops" and parts[0] > 1:
        yield [kind, 1]
