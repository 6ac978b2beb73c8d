"""Statements put into loops, try and with statements, closures and generators; expressions put into lambdas and displays."""

import ast

from fuzz import bounds, splicing
from fuzz.places import chosen, expression, movable, parse, spots, with_tree

GUARD = """class Guard0:
    def __enter__(self):
        return 1
    def __exit__(self, kind, error, trace):
        return {}
"""

def wrap(program, choices):
    """Put a statement into a loop, a try or with statement, a closure or a generator."""
    tree, hidden = parse(program)
    found = [spot for spot in spots(tree, hidden) if not bounds.counts(spot.statement) or
             isinstance(spot.statement, (ast.While, ast.If, ast.Try))]
    if not found:
        return None
    spot = choices.pick(found)
    made = choices.pick(WRAPPERS)(spot, choices, tree)
    if made is None:
        return None
    spot.block[spot.index:spot.index + 1] = made
    return with_tree(program, tree)


def statements(text, inner):
    """Parse statements and put `inner` (a list) in the place of the one called ``INNER``."""
    made = ast.parse(text).body

    class Put(ast.NodeTransformer):
        def visit_Expr(self, node):
            return inner if isinstance(node.value, ast.Name) and node.value.id == "INNER" else node

    return [Put().visit(node) for node in made]


def in_loop(spot, choices, tree):
    statement = spot.statement
    if not movable(statement) or spot.turns > 1 and (bounds.growing(statement) or
                                                     spot.turns > 12) or bounds.loops(statement) and bounds.growing(statement):
        return None
    name = f"i{splicing.free_number(tree)}"
    return statements(f"for {name} in range({choices.pick((2, 1, 3))}):\n    INNER", [statement])


def in_try(spot, choices, tree):
    number = splicing.free_number(tree)
    ends = (f"except Exception as e{number}:\n    pass", "finally:\n    pass", f"except TypeError as e{number}:\n    raise",
            "except ArithmeticError:\n    raise KeyError(1)",
            f"except (TypeError, ValueError) as e{number}:\n    v{number} = type(e{number}).__name__",
            f"finally:\n    v{number} = 1")
    return statements(f"try:\n    INNER\n{choices.pick(ends)}", [spot.statement])


def in_with(spot, choices, tree):
    if not any(isinstance(node, ast.ClassDef) and node.name == "Guard0" for node in tree.body):
        after = choices.pick(("False", "True", "kind is TypeError"))
        tree.body[0:0] = ast.parse(GUARD.format(after)).body
    return statements(f"with Guard0() as v{splicing.free_number(tree)}:\n    INNER", [spot.statement])


def in_function(spot, choices, tree):
    """A function, or a generator, that is defined and called at once."""
    statement = spot.statement
    if bounds.leaves(statement):
        return None
    number = splicing.free_number(tree)
    stored = splicing.stored(statement)
    elsewhere = splicing.bound(spot.function)
    shared = [name for node in bounds.walk(spot.function) if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names]
    if any(name in shared for name in stored):
        return None
    missing = "".join(f"{name} = None\n" for name in stored if elsewhere.count(name) <= splicing.bound(statement).count(name))
    declared = f"    nonlocal {', '.join(stored)}\n" if stored else ""
    generator = choices.below(3) == 2
    text = f"{missing}def f{number}():\n{declared}    INNER\n{'    yield 1' if generator else '    return 1'}\n"
    return statements(text + (f"list(f{number}())" if generator else f"f{number}()"), [statement])


WRAPPERS = (in_try, in_loop, in_with, in_function)


def wrap_expression(program, choices):
    """Put an expression into a lambda, a display or a generator, or behind a name of its own type's constructor."""
    kinds = (ast.BinOp, ast.Call, ast.Constant, ast.Compare, ast.Subscript, ast.IfExp)

    def accept(place):
        loads = not isinstance(getattr(place.node, "ctx", None), (ast.Store, ast.Del))
        walrus = any(isinstance(child, (ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Starred)) for child
                     in bounds.walk(place.node))
        return loads and not walrus and not place.method and not isinstance(place.owner, (ast.Expr, ast.keyword, ast.Starred))

    tree, place = chosen(program, choices, kinds, accept)
    if place is None:
        return None
    text = choices.pick(("[INNER][0]", "(lambda: INNER)()", "next(k for k in (INNER,))", "[k for k in [INNER]][-1]",
                         "(INNER if 1 else None)", "{1: INNER}[1]", "max([INNER], key=str)"))

    class Put(ast.NodeTransformer):
        def visit_Name(self, node):
            return place.node if node.id == "INNER" else node

    place.put(Put().visit(expression(text)))
    return with_tree(program, tree)
