"""Changes to programs that are worth more than new ones: a mutant is as safe and ends as surely as what it comes from.

A mutator works on the syntax trees of source and calls. What counters, bounds and sizes depend on is never touched
(fuzz/places.py); what would not compile or might take too long (fuzz/bounds.py) is thrown away.
"""

import ast
import warnings
from dataclasses import replace

from fuzz import bounds
from fuzz.places import chosen, expression, movable, parse, spots, with_tree
from fuzz.splicing import splice
from fuzz.wrapping import wrap, wrap_expression

EDGES = ("0", "1", "-1", "True", "None", "2**62", "2**63", "-2**63", "2**31", "1.5", "-0.0", "float('nan')", "1e999", "''",
         "2**62 - 1", "False")
#: Plain values for the methods of classes; instances there could lead back to the methods.
PLAIN_EDGES = tuple(text for text in EDGES if "(" not in text)
#: Argument values by kind. Those with items are left to programs whose loops do not add up.
EMPTY = ("''", "[]", "()", "{}")
FILLED = ("'ab\\u20ac'", "[1, 2, 3]", "[1.5, 2.5]", "(1, 'a')", "[None, 1]", "b'ab'", "range(3)", "array('d', [1.5, 2])",
          "[[1], 2]", "{1: 2}")
SUBCLASSES = {"int": ("3", "0", "2**62", "2**63"), "float": ("1.5", "-0.0", "inf"), "str": ("''",), "list": ("", "[1, 2]"),
              "dict": ("",)}
EXCHANGED = ((ast.Add, ast.Sub, ast.BitAnd, ast.BitOr, ast.BitXor), (ast.FloorDiv, ast.Mod, ast.Div),
             (ast.Mult, ast.Sub, ast.Add), (ast.And, ast.Or),
             (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq), (ast.Is, ast.IsNot), (ast.In, ast.NotIn),
             (ast.USub, ast.UAdd, ast.Not), (ast.LShift, ast.RShift))
MAX_WORK, MAX_SOURCE, MAX_CALLS = 20_000, 9_000, 5


def mutate(program, choices, other=None):
    """A changed copy of a Program, or the program itself where the change came to nothing.

    Args:
        other: a Program to take parts of.
    """
    if program.code:
        kinds = ((30, warm_up), (60, change_argument), (4, change_manner))
    else:
        kinds = ((22, change_constant), (20, change_argument), (12, wrap), (10, change_operator), (9, rearrange), (8, warm_up),
                 (6, wrap_expression),
                 (2, change_manner), (0 if other is None or other.code else 25, splice))
    change = choices.weighted(*kinds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            changed = change(program, choices, other) if change is splice else change(program, choices)
            if changed is None or changed == program or not acceptable(changed):
                return program
        except (SyntaxError, ValueError, RecursionError):
            return program
    return replace(changed, origin=(*program.origin, change.__name__)[-6:])


def acceptable(program):
    """Whether a program compiles and is sure to end soon."""
    if len(program.source) > MAX_SOURCE or len(program.calls) > MAX_CALLS:
        return False
    tree = ast.parse(program.source)
    if bounds.work(tree, program.entry) > MAX_WORK:
        return False
    compile(tree, "<mutant>", "exec")
    for call in program.calls:
        compile(call, "<mutant>", "eval")
    return True


# -- values --------------------------------------------------------------------------------------------------


def multiplies(tree):
    """Whether two variables are multiplied: one might be a sequence, the other a large number."""
    return any(isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Mult) and bounds.growing(node) for node
               in bounds.walk(tree))


def adds_up(tree):
    """Whether something in a loop might double sequences."""
    return any(bounds.growing(node) for node in bounds.walk(tree) if isinstance(node, (ast.For, ast.While)))


def change_constant(program, choices):
    """Replace a constant by an edge value, or in a function by an instance."""
    def accept(place):
        owner = place.owner
        multiplied = isinstance(owner, (ast.BinOp, ast.AugAssign)) and isinstance(owner.op, (ast.Mult, ast.RShift))
        return not multiplied and not isinstance(owner, (ast.Expr, ast.keyword))

    tree, place = chosen(program, choices, ast.Constant, accept)
    if place is None:
        return None
    plain = place.method or isinstance(place.owner, ast.Set)  # where a nan or an instance lies in a set follows from its address
    edges = [text for text in (PLAIN_EDGES if plain else EDGES) if text != "2**31" or not multiplies(tree)]
    made = [name for name in classes(tree)] if not plain else []
    if made and choices.chance(15):
        place.put(expression(f"{choices.pick(made)}({choices.pick(('', '1'))})"))
    else:
        place.put(expression(choices.pick(edges)))
    return with_tree(program, tree)


def classes(tree):
    """Names of the module's classes that can be called with one argument or none."""
    return [node.name for node in tree.body if isinstance(node, ast.ClassDef)]


def change_argument(program, choices):
    """Replace an argument of a call by a value of another kind, or add a call with one replaced."""
    number = choices.below(len(program.calls))
    call = ast.parse(program.calls[number], mode="eval").body
    if not isinstance(call, ast.Tuple) or not call.elts:
        return None
    tree = ast.parse(program.source)
    at = choices.below(len(call.elts))
    text, source = argument(tree, choices), program.source
    if text is None:
        base = choices.pick(tuple(SUBCLASSES))
        name = f"Sub{base.capitalize()}"
        if name not in classes(tree):
            source = f"{source}class {name}({base}):\n    pass\n"
        text = f"{name}({choices.pick(SUBCLASSES[base] if not adds_up(tree) else SUBCLASSES[base][:1])})"
        if "inf" in text:
            text = f"{name}(1e999)"
    call.elts[at] = expression(text)
    calls = list(program.calls)
    changed = ast.unparse(call)
    if choices.below(2) and len(calls) < MAX_CALLS:
        calls.append(changed)
    else:
        calls[number] = changed
    return replace(program, source=source, calls=tuple(calls))


def argument(tree, choices):
    """The text of a value, or None for an instance of a subclass of a builtin type."""
    kind = choices.below(10)
    if kind < 5:
        return choices.pick([text for text in EDGES if text != "2**31" or not multiplies(tree)])
    if kind < 8:
        return choices.pick(EMPTY if adds_up(tree) else EMPTY + FILLED)
    made = classes(tree)
    return f"{choices.pick(made)}({choices.pick(('1', '0', '2'))})" if made and kind == 8 else None


def warm_up(program, choices):
    """Call with one kind several times, then with another; or in another order."""
    calls = list(program.calls)
    one, two = choices.pick(calls), choices.pick(calls)
    ways = (calls[::-1], calls[1:] + calls[:1], [one, one, one, two], [one, two, one, two], [*calls, one], [two, *calls])
    return replace(program, calls=tuple(choices.pick(ways)[:MAX_CALLS]))


def change_manner(program, choices):
    return replace(program, manner=choices.pick(("traced", "threads")))


# -- statements and operators --------------------------------------------------------------------------------


def change_operator(program, choices):
    """Replace an operator by one of its kind."""
    tree, place = chosen(program, choices, (ast.BinOp, ast.AugAssign, ast.Compare, ast.BoolOp, ast.UnaryOp))
    if place is None:
        return None
    node = place.node
    old = node.ops[0] if isinstance(node, ast.Compare) else node.op
    groups = [group for group in EXCHANGED if isinstance(old, group)]
    if not groups:
        return None
    new = choices.pick([kind for kind in groups[0] if kind is not ast.Mult])()
    if isinstance(node, ast.Compare):
        node.ops[0] = new
    else:
        node.op = new
    return with_tree(program, tree)


def rearrange(program, choices):
    """Exchange two statements, or repeat one."""
    tree, hidden = parse(program)
    pairs = [spot for spot in spots(tree, hidden) if movable(spot.statement)]
    if not pairs:
        return None
    spot = choices.pick(pairs)
    block, index = spot.block, spot.index
    if choices.below(2) and index + 1 < len(block) and movable(block[index + 1]):
        block[index], block[index + 1] = block[index + 1], block[index]
    elif spot.turns > 1 and bounds.growing(spot.statement):
        return None
    else:
        block.insert(index, block[index])
    return with_tree(program, tree)
