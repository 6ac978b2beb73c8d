"""Where in a program's syntax tree something may be changed, and where not."""

import ast
from dataclasses import dataclass, replace

from fuzz import bounds

#: Calls whose arguments are sizes or bounds, or count recursion.
SIZES = {"range", "bytes", "bytearray", "round", "pow", "format", "help1", "gen0", "center", "ljust", "rjust", "zfill",
         "to_bytes", "expandtabs", "len", "ldexp"}
#: Methods whose results are sizes, indices or ends.
SIZED_METHODS = {"__len__", "__index__", "__length_hint__", "__iter__", "__next__", "__getitem__"}


def with_tree(program, tree):
    return replace(program, source=ast.unparse(tree) + "\n")


def expression(text):
    return ast.parse(text, mode="eval").body


# -- expressions -------------------------------------------------------------------------------------------


@dataclass
class Place:
    """Where a node stands: `owner`.`field`, at `index` if that is a list.

    Attributes:
        method: name of the method it is in, or "" in a function.
    """

    node: ast.AST
    owner: ast.AST
    field: str
    index: int = None
    method: str = ""

    def put(self, node):
        if self.index is None:
            setattr(self.owner, self.field, node)
        else:
            getattr(self.owner, self.field)[self.index] = node


def places(node, kinds, method=None):
    """Yield the Places of nodes of these kinds inside functions that may be changed."""
    for field, value in ast.iter_fields(node):
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or _untouchable(child, node, field):
                continue
            inside = method
            if isinstance(child, ast.FunctionDef) and method is None:
                inside = child.name if isinstance(node, ast.ClassDef) else ""
            if inside is not None and isinstance(child, kinds):
                yield Place(child, node, field, index if isinstance(value, list) else None, inside)
            yield from places(child, kinds, inside)


def _untouchable(node, owner, field):
    """Whether nothing may be changed in a node, because it bounds something or cannot hold anything else."""
    if isinstance(node, (ast.JoinedStr, ast.Slice, ast.arguments, ast.pattern, ast.operator, ast.expr_context)):
        return True
    if isinstance(owner, (ast.FunctionDef, ast.ClassDef)) and field != "body":
        return True
    if isinstance(node, ast.FunctionDef) and node.name in SIZED_METHODS:
        return True
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return called in SIZES
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, (ast.Pow, ast.LShift)):
        return True
    if isinstance(node, ast.Compare):
        return bounds.counts(node) or "len" in bounds.names(node)
    if isinstance(node, ast.stmt) and not hasattr(node, "body"):
        return bounds.counts(node)
    return isinstance(owner, ast.While) and field == "test"


def recursive(tree):
    """The functions that call themselves: what they count down is in the midst of other code."""
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in
            [child.func.id for child in bounds.walk(node) if isinstance(child, ast.Call) and isinstance(child.func, ast.Name)]}


def parse(program):
    """The tree of a program, and the functions that are not to be touched."""
    tree = ast.parse(program.source)
    return tree, recursive(tree)


def chosen(program, choices, kinds, accept=lambda place: True):
    """(tree, Place) of one node of these kinds, or (tree, None)."""
    tree, hidden = parse(program)
    found = []
    for part in tree.body:
        if getattr(part, "name", None) not in hidden:
            found.extend(place for place in places(ast.Module([part], []), kinds) if accept(place))
    return tree, choices.pick(found) if found else None


# -- statements --------------------------------------------------------------------------------------------


@dataclass
class Spot:
    """A statement of a function outside of classes: `block`[`index`]; `turns`: of the loops around it."""

    block: list
    index: int
    function: ast.FunctionDef
    turns: int

    @property
    def statement(self):
        return self.block[self.index]


def spots(tree, hidden=()):
    """Every Spot of a tree, but those in functions named in `hidden`."""
    found = []

    def walk(block, function, turns):
        for index, node in enumerate(block):
            if isinstance(node, ast.FunctionDef):
                if node.name not in hidden:
                    walk(node.body, node, 1)
                continue
            if function is not None:
                found.append(Spot(block, index, function, turns))
            if isinstance(node, ast.ClassDef):
                continue
            times = turns * bounds.turns(node) if isinstance(node, (ast.For, ast.While)) else turns
            for name in ("body", "orelse", "finalbody"):
                walk(getattr(node, name, []), function, times)
            for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
                walk(part.body, function, times)

    walk(tree.body, None, 1)
    return found


def movable(statement):
    """Whether a statement may be moved, repeated or put elsewhere."""
    return not bounds.leaves(statement) and not bounds.counts(statement) and not isinstance(statement,
                                                                                            (ast.FunctionDef, ast.ClassDef))
