"""Templates: how one typed operation becomes machine instructions.

A template is declared by a name and a typed stack effect in CPython's own notation::

    @template("BINARY_OP +", "left: int, right: int -- sum: int")
    def add_int(asm, left, right, sum, exit):
        asm.mov(sum, left)
        asm.add(sum, right)
        asm.jo(exit)

Several templates with one name form a family; the first whose input types fit is chosen. Arguments are injected
by name: a stack item arrives as an operand (register, memory or small integer for inputs, always a register for
outputs), and a template asks for services by naming them:

    asm     the assembler                 exit    label of the side exit (the operation then needs one)
    detail  the operation's extra data    emitter the emitter itself, for calls and cold code

Scratch registers (rax, rcx, rdx, xmm14, xmm15) are free in every template. An input is unchanged when its
template's exit is taken: outputs never share a register with an input that an exit needs.

`clobbers`: None; "c" for a call of a C function; "body" for a call of compiled code.
`fold`: a Python function computing the result from constants, or None.
"""

from jit import types
from jit.errors import InternalError

SERVICES = ("asm", "exit", "detail", "emitter")

TYPES = {
    "int": types.INT, "float": types.FLOAT, "bool": types.BOOL, "object": types.OBJECT, "list": types.LIST,
    "tuple": types.TUPLE, "str": types.STR, "bytes": types.BYTES, "bytearray": types.BYTEARRAY, "none": types.NONE,
    "dict": types.exact(dict), "set": types.exact(set), "frozenset": types.exact(frozenset), "any": None,
}


class Template:
    """One declared template.

    Attributes:
        name, inputs, outputs: the declaration; inputs and outputs are lists of (item name, Type or None for any).
        function: the emitting function. parameters: names it asks for. takes_exit: whether it asks for `exit`.
    """

    __slots__ = ("name", "inputs", "outputs", "function", "parameters", "takes_exit", "clobbers", "fold", "label",
                 "terminator")

    def __init__(self, name, effect, function, clobbers, fold, terminator):
        before, dashes, after = effect.partition("--")
        if not dashes:
            raise InternalError(f"template {name}: stack effect without --")
        self.name = name
        self.inputs = _items(name, before)
        self.outputs = _items(name, after)
        self.function = function
        self.parameters = function.__code__.co_varnames[:function.__code__.co_argcount]
        known = {item for item, _ in self.inputs + self.outputs}.union(SERVICES)
        for parameter in self.parameters:
            if parameter not in known:
                raise InternalError(f"{function.__name__} asks for {parameter!r}, which is neither a stack item nor a service")
        self.takes_exit = "exit" in self.parameters
        self.clobbers = clobbers
        self.fold = fold
        self.label = function.__name__
        self.terminator = terminator

    def accepts(self, arguments):
        """Whether Values of these types fit (a bool serves where an int is asked for: True is 1)."""
        if len(arguments) != len(self.inputs):
            return False
        for (_, wanted), argument in zip(self.inputs, arguments):
            have = argument.type
            if wanted is None or wanted is have:
                continue
            if wanted is types.INT and have is types.BOOL:
                continue
            if wanted is types.OBJECT and have.is_object:
                continue
            return False
        return True


FAMILIES = {}
#: (name, types) -> Template that `find` has found.
_found = {}


def template(name, effect, clobbers=None, fold=None, terminator=False):
    """Declare the decorated function as a template of the family `name`.

    Args:
        name: family name. effect: ``"item: type, ... -- item: type"``.
        clobbers: None, "c" or "body". fold: constant folder. terminator: it ends a block.

    Raises:
        InternalError: at import, if the function asks for a name that is neither an item nor a service.
    """

    def declare(function):
        FAMILIES.setdefault(name, []).append(Template(name, effect, function, clobbers, fold, terminator))
        return function

    return declare


def find(name, arguments):
    """The first template of a family whose input types fit, or None; found once for each combination of types."""
    key = (name, *[argument.type for argument in arguments])
    found = _found.get(key)
    if found is None:
        found = _found[key] = next((candidate for candidate in FAMILIES.get(name, ()) if candidate.accepts(arguments)), None)
    return found


def _items(name, text):
    items = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        item, _, kind = part.partition(":")
        if kind.strip() not in TYPES:
            raise InternalError(f"template {name}: unknown type in {part!r}")
        items.append((item.strip(), TYPES[kind.strip()]))
    return items
