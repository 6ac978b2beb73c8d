"""How much work a program may do at most, estimated from its text.

Mutations multiply: a loop wrapped in a loop, a call put into one. `work` is an upper estimate of the statements that a call of a
function executes, from the bounds that generators write: constant ranges, slices, counters w<number>. `growing` tells which
statements could make values grow from turn to turn.
"""

import ast
import re

#: Names that end loops and recursion; what uses them is not touched.
COUNTERS = re.compile(r"w\d+|LOG|depth|count")
#: Where nodes keep an identifier.
_NAMED = {ast.Name: "id", ast.Attribute: "attr", ast.arg: "arg", ast.keyword: "arg", ast.FunctionDef: "name",
          ast.ClassDef: "name",
          ast.ExceptHandler: "name", ast.MatchAs: "name", ast.MatchStar: "name", ast.alias: "name"}
#: Turns of a loop whose bound is not a constant range: iterators, slices and counters of generated programs stay below.
TURNS = 6
#: Statements executed by an operator or a method that a class of the program defines, and by a helper whose depth counts down.
METHOD_WORK, RECURSION = 4, 5
#: More is not worth telling apart.
LIMIT = 10**6


def walk(node):
    """What `ast.walk` yields, in another order and in less time."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        for name in node._fields:
            value = getattr(node, name, None)
            if value.__class__ is list:
                waiting.extend([item for item in value if isinstance(item, ast.AST)])
            elif isinstance(value, ast.AST):
                waiting.append(value)


def work(tree, entry):
    """Statements that ``entry`` executes at most, roughly; LIMIT if it is more or the functions call each other in circles.

    Args:
        tree: ast.Module.
    """
    functions = {node.name: node for node in walk(tree) if isinstance(node, ast.FunctionDef)}
    inherent = METHOD_WORK if any(isinstance(node, ast.ClassDef) for node in tree.body) else 1
    return min(LIMIT, _Estimate(functions, inherent).function(entry, ()))


class _Estimate:
    """The estimates of a module's functions, each made once."""

    def __init__(self, functions, inherent):
        self.functions = functions
        self.inherent = inherent
        self.known = {}

    def function(self, name, callers):
        if name in callers:
            # Recursion by one counted argument.
            return RECURSION
        if len(callers) > 8:
            return LIMIT
        if name not in self.known:
            self.known[name] = self.block(self.functions[name].body, (*callers,
                                                                      name)) if name in self.functions else self.inherent
        return self.known[name]

    def block(self, statements, callers):
        return sum(self.node(statement, callers) for statement in statements)

    def node(self, node, callers):
        """The work of a statement or an expression with all that is inside."""
        if isinstance(node, (ast.For, ast.While)):
            head = [node.iter] if isinstance(node, ast.For) else [node.test]
            turn = self.block(node.body, callers) + (self.node(node.test, callers) if isinstance(node, ast.While) else 0) + 1
            return turns(node) * turn + self.block(head + node.orelse, callers)
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            inside = 1 + sum(self.node(child, callers) for child in ast.iter_child_nodes(node)
                             if not isinstance(child, ast.comprehension))
            for part in node.generators:
                inside = inside * turns(part) + self.node(part.iter, callers)
            return inside
        total = 1 if isinstance(node, ast.stmt) else self.inherent if isinstance(node,
                                                                                 (ast.BinOp, ast.Compare, ast.Subscript)) else 0
        if isinstance(node, ast.Call):
            total += self.function(node.func.id, callers) if isinstance(node.func, ast.Name) else self.inherent
        for name in node._fields:
            value = getattr(node, name, None)
            if value.__class__ is list:
                for item in value:
                    if isinstance(item, ast.AST):
                        total += self.node(item, callers)
            elif isinstance(value, ast.AST) and not isinstance(value, (ast.Name, ast.Constant, ast.expr_context)):
                total += self.node(value, callers)
        return total


def turns(loop):
    """Turns of a loop or comprehension at most; those of ``range`` with constant bounds exactly."""
    given = getattr(loop, "iter", None)
    if isinstance(loop, ast.For) and lengthens(loop.body, {child.id for child in walk(given) if isinstance(child, ast.Name)}):
        return LIMIT
    if isinstance(given, ast.Call) and isinstance(given.func, ast.Name) and given.func.id == "range":
        try:
            return len(range(*(ast.literal_eval(argument) for argument in given.args)))
        except (ValueError, TypeError, OverflowError):
            return TURNS
    return TURNS


def lengthens(statements, names):
    """Whether a list of one of these names is made longer."""
    return any(isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute) and child.func.attr in ("append", "extend", "insert")
               and isinstance(child.func.value, ast.Name) and child.func.value.id in names
               for statement in statements for child in walk(statement))


def loops(node):
    """Whether there is a loop inside."""
    return any(isinstance(child, (ast.For, ast.While, ast.comprehension)) for child in walk(node))


def constant(node):
    """Whether an expression is a number written down."""
    while isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant)


def growing(node):
    """Whether executing this again and again might double a value's size: products, powers, shifts, sums of two variables."""
    for child in walk(node):
        if isinstance(child, (ast.BinOp, ast.AugAssign)):
            sides = (child.left, child.right) if isinstance(child, ast.BinOp) else (child.target, child.value)
            if isinstance(child.op, (ast.Pow, ast.LShift)) or isinstance(child.op,
                                                                         (ast.Mult, ast.Add)) and not any(map(constant, sides)):
                return True
    return False


def names(node):
    """Identifiers used inside, those of attributes and keywords too."""
    for child in walk(node):
        attribute = _NAMED.get(child.__class__)
        if attribute is not None:
            text = getattr(child, attribute)
            if text is not None:
                yield text


def counts(node):
    """Whether a counter is used inside, or an iterator's own ``n``."""
    return any(text == "n" or COUNTERS.fullmatch(text) for text in names(node))


def leaves(node):
    """Whether a statement may go somewhere else, or declares names, so that it has to stay in its function and loop."""
    kinds = (ast.Return, ast.Yield, ast.YieldFrom, ast.Break, ast.Continue, ast.Global, ast.Nonlocal)
    return any(isinstance(child, kinds) for child in walk(node))
