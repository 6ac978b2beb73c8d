"""Text -> code object of the running Python.

Problem: bytecode that no compiler writes must be made, stored, read, and shrunk.
Idea: one line per instruction, under its raw name, with labels for jumps; the assembler does what is mere bookkeeping: inline
caches, EXTENDED_ARG, jump distances, the exception and the line table, the stack size. It knows no rule of what is sensible.

    args 2                      number of arguments (also: posonly N, kwonly N, flags N, stack N, first LINE, qualname NAME)
    locals n x total            co_varnames (also: cells, free, names)
    const 0.5                   one entry of co_consts; `const @3` is entry 3 of the template's own
    try L1 L2 L3 depth 2 lasti  from L1 up to L2, an exception goes to L3 with two items of the stack kept
    line 12                     the line of what follows, `line none` for none
    L1:
      LOAD_FAST x
      LOAD_GLOBAL NULL+len
      COMPARE_OP bool(<)
      JUMP_BACKWARD L1

Operands are names, symbols or labels where the opcode has such, and plain numbers everywhere. A ``#`` behind an instruction
starts a comment.
"""

import ast

from fuzz import stack_model
from platforms.cpython import opcodes

_CACHES = opcodes.cache_entries()
_COMPARES = opcodes.compare_arguments()
_LISTS = ("locals", "cells", "free", "names")
_NUMBERS = ("args", "posonly", "kwonly", "flags", "stack", "first")
_LOCAL_OPCODES = {"LOAD_FAST", "STORE_FAST", "DELETE_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_AND_CLEAR", "LOAD_DEREF", "STORE_DEREF",
                  "DELETE_DEREF", "MAKE_CELL", "LOAD_CLOSURE", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"}
_NAME_OPCODES = {"LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_ATTR", "STORE_ATTR", "DELETE_ATTR", "LOAD_METHOD",
                 "LOAD_NAME", "STORE_NAME", "DELETE_NAME", "IMPORT_NAME", "IMPORT_FROM"}
_BINARY = {symbol + suffix: index + 13 * bool(suffix)
           for suffix in ("", "=") for index, symbol in enumerate(opcodes.BINARY_SYMBOLS)}


class AssemblyTextError(ValueError):
    """The text says something that cannot be assembled; `line` counts from 1."""

    def __init__(self, message, line):
        super().__init__(f"line {line}: {message}")
        self.line = line


class _Instruction:
    """One raw instruction; `operand` is a number, or the label a jump goes to. `width`: code units of prefixes and itself."""

    __slots__ = ("name", "operand", "width", "source", "text_line", "start")

    def __init__(self, name, operand, source, text_line):
        self.name = name
        self.operand = operand
        self.width = 1
        self.source = source
        self.text_line = text_line
        self.start = 0

    def end(self):
        return self.start + self.width + _CACHES[opcodes.NUMBERS[self.name]]


class _Text:
    """What the lines of a text say, before anything has a place."""

    def __init__(self, template):
        self.template = template
        self.lists = {name: [] for name in _LISTS}
        self.numbers = {}
        self.qualname = None
        self.consts = []
        self.instructions = []
        self.labels = {}
        self.tries = []
        self.source = template.co_firstlineno

    def read(self, text):
        lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
        lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
        # Names are declared before they are meant; labels need no order.
        body = []
        for number, line in lines:
            word, _, rest = line.partition(" ")
            if not self._header(word, rest.strip(), number):
                body.append((number, line))
        for number, line in body:
            self._body(line, number)

    def _header(self, word, rest, number):
        if word in _LISTS:
            self.lists[word] += rest.split()
        elif word in _NUMBERS:
            self.numbers[word] = _integer(rest, number)
        elif word == "qualname":
            self.qualname = rest
        elif word == "const":
            self.consts.append(self._constant(rest, number))
        else:
            return False
        return True

    def _constant(self, text, number):
        if text.startswith("@"):
            index = _integer(text[1:], number)
            if not 0 <= index < len(self.template.co_consts):
                raise AssemblyTextError(f"the template has no constant {index}", number)
            return self.template.co_consts[index]
        try:
            return _literal(ast.parse(text, mode="eval").body)
        except (SyntaxError, ValueError):
            raise AssemblyTextError(f"{text} is no constant", number) from None

    def _body(self, line, number):
        line = line.partition(" #")[0].rstrip()
        word, *operands = line.split()
        if word.endswith(":") and not operands:
            if word[:-1] in self.labels:
                raise AssemblyTextError(f"{word[:-1]} stands twice", number)
            self.labels[word[:-1]] = len(self.instructions)
        elif word == "line":
            self.source = None if operands == ["none"] else _integer(" ".join(operands), number)
        elif word == "try":
            self.tries.append((self._try(operands, number), number))
        elif word in opcodes.NUMBERS:
            self.instructions.append(_Instruction(word, self._operand(word, operands, number), self.source, number))
        else:
            raise AssemblyTextError(f"{word} is no opcode of this Python", number)

    @staticmethod
    def _try(operands, number):
        lasti = operands[-1:] == ["lasti"]
        operands = operands[:-1] if lasti else operands
        if len(operands) != 5 or operands[3] != "depth":
            raise AssemblyTextError("try wants: START END HANDLER depth N [lasti]", number)
        return operands[0], operands[1], operands[2], _integer(operands[4], number), lasti

    def _operand(self, name, operands, number):
        if not operands:
            return 0
        if name in opcodes.JUMPS and len(operands) == 1 and not operands[0].isdigit():
            return operands[0]
        if name in opcodes.PAIRED_LOCALS and len(operands) == 2:
            first, second = (self._slot(each, number) for each in operands)
            if first > 15 or second > 15:
                raise AssemblyTextError("only the first 16 locals can be named in pairs", number)
            return first << 4 | second
        if len(operands) != 1:
            raise AssemblyTextError(f"{name} has one operand", number)
        text = operands[0]
        if text.isdigit():
            return int(text)
        if name in _LOCAL_OPCODES:
            return self._slot(text, number)
        if name in _NAME_OPCODES:
            return self._name(name, text, number)
        spelled = {"BINARY_OP": _BINARY, "COMPARE_OP": _COMPARES}.get(name, {}).get(text)
        if spelled is None:
            raise AssemblyTextError(f"{name} has no operand {text}", number)
        return spelled

    def _slot(self, text, number):
        if text.isdigit():
            return int(text)
        names = self.lists["locals"]
        slots = names + [name for name in self.lists["cells"] if name not in names] + self.lists["free"]
        if text not in slots:
            raise AssemblyTextError(f"there is no local {text}", number)
        return slots.index(text)

    def _name(self, name, text, number):
        flag = text.startswith("NULL+")
        text = text[5:] if flag else text
        if text not in self.lists["names"]:
            raise AssemblyTextError(f"{text} is not among the names", number)
        index = self.lists["names"].index(text)
        if name in opcodes.FLAGGED_NAMES:
            return index << 1 | flag
        if flag:
            raise AssemblyTextError(f"{name} pushes no NULL", number)
        return index


def assemble(text, template):
    """The code object of a text.

    Args:
        text: see above. template: a function or code object, of which name, file and first line are taken.

    Returns:
        types.CodeType, not checked for sense: executing it may crash the interpreter.

    Raises:
        AssemblyTextError: the text is malformed, or no code object can hold what it says.
    """
    template = getattr(template, "__code__", template)
    read = _Text(template)
    read.read(text)
    _place(read)
    lists, numbers = read.lists, read.numbers
    changes = dict(
        co_code=b"".join(_encode(read, each) for each in read.instructions), co_consts=tuple(read.consts),
        co_varnames=tuple(lists["locals"]), co_nlocals=len(lists["locals"]), co_cellvars=tuple(lists["cells"]),
        co_freevars=tuple(lists["free"]), co_names=tuple(lists["names"]), co_argcount=numbers.get("args", 0),
        co_posonlyargcount=numbers.get("posonly", 0), co_kwonlyargcount=numbers.get("kwonly", 0),
        co_flags=numbers.get("flags", 3),
        co_firstlineno=numbers.get("first", template.co_firstlineno), co_exceptiontable=_exception_table(read),
        co_qualname=read.qualname or template.co_qualname)
    changes["co_linetable"] = _line_table(read, changes["co_firstlineno"])
    try:
        code = template.replace(**changes, co_stacksize=numbers.get("stack", 0))
        return code if "stack" in numbers else code.replace(co_stacksize=stack_model.depth_needed(code))
    except (ValueError, OverflowError, SystemError) as problem:
        raise AssemblyTextError(str(problem), len(text.splitlines())) from None


def function_of(program, namespace):
    """Give the entry of an executed program its assembled code.

    Args:
        program: fuzz.program.Program. namespace: what its source was executed in.

    Returns:
        the entry, a function.
    """
    function = namespace[program.entry]
    if program.code:
        function.__code__ = assemble(program.code, function)
    return function


def _integer(text, number):
    try:
        return int(text)
    except ValueError:
        raise AssemblyTextError(f"{text or 'nothing'} is no number", number) from None


def _literal(node):
    """Constants as `repr` writes them, nan and inf included."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple):
        return tuple(map(_literal, node.elts))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_literal(node.operand)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        right = _literal(node.right)
        return _literal(node.left) + (right if isinstance(node.op, ast.Add) else -right)
    if isinstance(node, ast.Name) and node.id in ("nan", "inf"):
        return float(node.id)
    if isinstance(node, ast.Name) and node.id == "Ellipsis":
        return ...
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "frozenset":
        return frozenset(item for part in node.args for item in map(_literal, part.elts))
    raise ValueError("no constant")


# -- places ------------------------------------------------------------------------------------


def _place(read):
    """Give every instruction its start; jumps grow until all distances fit, and never shrink, so this ends."""
    for each in read.instructions:
        if not isinstance(each.operand, str):
            if not 0 <= each.operand < 1 << 32:
                raise AssemblyTextError("an operand of more than 32 bits", each.text_line)
            each.width = _units(each.operand)
    grown = True
    while grown:
        grown = False
        position = 0
        for each in read.instructions:
            each.start = position
            position = each.end()
        for each in read.instructions:
            if isinstance(each.operand, str):
                needed = _units(_distance(read, each))
                if needed > each.width:
                    each.width, grown = needed, True


def _units(operand):
    return max(1, (operand.bit_length() + 7) // 8)


def _at(read, label, text_line):
    if label not in read.labels:
        raise AssemblyTextError(f"there is no label {label}", text_line)
    index = read.labels[label]
    if index < len(read.instructions):
        return read.instructions[index].start
    return read.instructions[-1].end() if read.instructions else 0


def _distance(read, each):
    target = _at(read, each.operand, each.text_line)
    if each.name in opcodes.JUMPS_BACKWARD:
        distance = each.end() - target
    else:
        distance = target - each.end()
    if distance < 0:
        raise AssemblyTextError(f"{each.name} does not jump in this direction", each.text_line)
    return distance


def _encode(read, each):
    operand = _distance(read, each) if isinstance(each.operand, str) else each.operand
    units = []
    for place in range(each.width - 1, 0, -1):
        units += opcodes.NUMBERS["EXTENDED_ARG"], operand >> 8 * place & 255
    number = opcodes.NUMBERS[each.name]
    return bytes([*units, number, operand & 255]) + bytes(2 * _CACHES[number])


# -- tables ------------------------------------------------------------------------------------


def _exception_table(read):
    """Entries in the order of the text (Objects/exception_handling_notes.txt): varints, high bits first."""
    table = bytearray()
    for (start, end, handler, depth, lasti), number in read.tries:
        start, end, handler = (_at(read, label, number) for label in (start, end, handler))
        if end < start or depth < 0:
            raise AssemblyTextError("a range that ends before it starts, or a negative depth", number)
        first = len(table)
        for value in (start, end - start, handler, depth << 1 | lasti):
            shifts = [shift for shift in (24, 18, 12, 6) if value >> shift]
            table += bytes(64 | value >> shift & 63 for shift in shifts) + bytes([value & 63])
        table[first] |= 128
    return bytes(table)


def _line_table(read, line):
    """Lines without columns (Objects/locations.md): entries of up to eight code units."""
    table = bytearray()
    for each in read.instructions:
        remaining = each.end() - each.start
        while remaining:
            length = min(8, remaining)
            remaining -= length
            if each.source is None:
                table.append(128 | 15 << 3 | length - 1)
                continue
            delta, line = each.source - line, each.source
            table.append(128 | 13 << 3 | length - 1)
            value = -delta << 1 | 1 if delta < 0 else delta << 1
            while value >= 64:
                table.append(64 | value & 63)
                value >>= 6
            table.append(value)
    return bytes(table)
