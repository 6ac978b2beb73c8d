"""Parts of one program put into another: statements with their names exchanged, functions with all that they need."""

import ast
import builtins
import copy
import re
from dataclasses import replace

from fuzz import bounds

_NUMBERED = re.compile(r"\D+(\d+)")
_BUILTINS = set(dir(builtins))


def free_number(tree):
    """A number that no name of the tree ends with."""
    found = [int(match[1]) for match in map(_NUMBERED.fullmatch, bounds.names(tree)) if match]
    return max(found, default=0) + 1


def bound(node):
    """Names bound inside, as often as they are: parameters, targets, definitions, exceptions."""
    found = []
    for child in bounds.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, (ast.Store, ast.Del)):
            found.append(child.id)
        elif isinstance(child, ast.arg):
            found.append(child.arg)
        elif isinstance(child, (ast.ExceptHandler, ast.FunctionDef, ast.MatchAs,
                                ast.MatchStar)) and child.name and child is not node:
            found.append(child.name)
    return found


def stored(statement):
    """Names that a statement binds in its function, in order; what comprehensions and inner functions bind is theirs."""
    found = []

    def walk(node):
        if isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            found.extend([node.name] if hasattr(node, "name") else [])
            return
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            found.extend(child.target.id for child in bounds.walk(node) if isinstance(child, ast.NamedExpr))
            return
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            found.append(node.id)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            found.append(node.name)
        for child in ast.iter_child_nodes(node):
            walk(child)

    walk(statement)
    return list(dict.fromkeys(found))


def splice(program, choices, other):
    """Put a statement of `other` into the entry function, or a call of its entry function; a Program or None."""
    tree, source = ast.parse(program.source), ast.parse(other.source)
    entry, foreign = _function(tree, program.entry), _function(source, other.entry)
    if entry is None or foreign is None:
        return None
    if choices.below(3) == 2:
        made = _call(tree, source, other, choices)
    else:
        made = _statement(tree, source, entry, foreign, choices)
    if made is None:
        return None
    statement, growing = made
    spots = _openings(entry, growing)
    block, index = choices.pick(spots)
    block.insert(index, statement)
    return replace(program, source=ast.unparse(tree) + "\n")


def _function(tree, name):
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    return None


def _openings(entry, growing):
    """(block, index) where a statement may go: in the function itself, or if it does not grow, in its compound statements."""
    found = []

    def walk(block, first):
        found.extend((block, index) for index in range(first, len(block) + 1))
        for node in block:
            counted = isinstance(node, ast.While)
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) or growing and isinstance(node, (ast.For, ast.While)):
                continue
            # The counter of a while loop comes first.
            for name in ("body", "orelse", "finalbody"):
                if getattr(node, name, None):
                    walk(getattr(node, name), 1 if counted and name == "body" else 0)

    walk(entry.body, 1 if bounds.counts(entry.body[0]) else 0)
    return found


def _statement(tree, source, entry, foreign, choices):
    """A statement of the other entry function with this one's names, and whether values could grow by it."""
    def fits(node):
        if not isinstance(node, ast.stmt) or isinstance(node, ast.FunctionDef) or bounds.leaves(node) or bounds.counts(node):
            return False
        return not any(isinstance(child, ast.Attribute) and isinstance(child.ctx, ast.Store) for child in bounds.walk(node))

    found = [node for node in bounds.walk(foreign) if fits(node)]
    if not found:
        return None
    statement = copy.deepcopy(choices.pick(found))
    local = set(bound(foreign))
    own = [name for name in dict.fromkeys(bound(entry)) if not bounds.COUNTERS.fullmatch(name)] or ["v1"]
    bound_inside = _inner_names(statement)
    renamed = borrow(tree, source, {name for name in bounds.names(statement) if name not in local})
    for name in dict.fromkeys(bounds.names(statement)):
        if name in local and name not in bound_inside:
            # The letter in front of the number tells what kind of value a name is for.
            alike = [known for known in own if known[0] == name[0]] or own
            renamed[name] = name if name in own and choices.below(2) else choices.pick(alike)
    rename(statement, renamed)
    return statement, bounds.growing(statement) or bounds.loops(statement)


def _inner_names(statement):
    """Parameters and targets of comprehensions and lambdas: they stay as they are."""
    found = set()
    for node in bounds.walk(statement):
        if isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.comprehension):
            found.update(child.id for child in bounds.walk(node.target) if isinstance(child, ast.Name))
    return found


def _call(tree, source, other, choices):
    """A statement that calls the other entry function with one of its arguments."""
    call = ast.parse(choices.pick(other.calls), mode="eval")
    needed = {other.entry} | {name for name in bounds.names(call)}
    renamed = borrow(tree, source, needed)
    rename(call, renamed)
    result = f"v{free_number(tree)}"
    text = f"{result} = {renamed[other.entry]}(*{ast.unparse(call)})"
    if choices.below(3):
        text = f"try:\n    {text}\nexcept Exception:\n    {result} = None"
    return ast.parse(text).body[0], True


def borrow(tree, source, needed):
    """Copy module-level definitions of `source` that these names need, directly or not; returns their old name -> new name."""
    defined = {name: node for node in source.body for name in _defined(node)}
    own = {name: ast.dump(node) for node in tree.body for name in _defined(node)}
    wanted, waiting = [], [name for name in sorted(needed) if name in defined]
    while waiting:
        name = waiting.pop()
        if name in wanted:
            continue
        wanted.append(name)
        waiting.extend(used for used in sorted(set(bounds.names(defined[name]))) if used in defined and used not in wanted)
    number, renamed, copied = free_number(tree), {}, []
    for name, node in defined.items():
        if name not in wanted or name == "LOG" and "LOG" in own:
            continue
        simple = isinstance(node, (ast.Assign, ast.Import, ast.ImportFrom))
        if simple and own.get(name) == ast.dump(node):
            continue
        if name in own or name in _BUILTINS or not simple:
            renamed[name] = f"{name.rstrip('0123456789')}_{number}" if name[-1:].isalpha() else f"{name}_{number}"
        copied.append(node)
    copied = [copy.deepcopy(node) for node in dict.fromkeys(copied)]
    for node in copied:
        _forget_clearing(node)
        rename(node, renamed)
    imports = sum(isinstance(node, (ast.Import, ast.ImportFrom)) for node in tree.body)
    tree.body[imports:imports] = copied
    return renamed


def _defined(node):
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name for alias in node.names]
    return []


def _forget_clearing(function):
    """Without ``LOG.clear()``: only the entry function empties the log."""
    if isinstance(function, ast.FunctionDef):
        function.body = [node for node in function.body if ast.unparse(node) != "LOG.clear()"] or [ast.Pass()]


def rename(tree, renamed):
    """Exchange identifiers, in place."""
    for node in bounds.walk(tree):
        for attribute in ("id", "arg", "name"):
            text = getattr(node, attribute, None)
            if isinstance(text, str) and text in renamed and not isinstance(node, (ast.keyword, ast.alias)):
                setattr(node, attribute, renamed[text])
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            node.names = [renamed.get(name, name) for name in node.names]
