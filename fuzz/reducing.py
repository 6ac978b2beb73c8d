"""Smaller programs: what the minimiser tries, on the level of source text."""

import ast
import copy

#: Values that stand in for an expression.
_SIMPLE = (ast.Constant(0), ast.Constant(1), ast.Constant(1.5), ast.Constant(True), ast.Constant(None))


def smaller_programs(program):
    """Yield smaller variants of a Program's fields, as dicts; the largest steps first."""
    yield from _fewer_calls(program)
    try:
        tree = ast.parse(program.source)
    except (SyntaxError, ValueError):
        yield from _fewer_lines(program.source)
        return
    for change in (_without_statements, _with_bodies_for_statements, _with_parts_for_expressions, _with_constants):
        for source in change(tree):
            yield {"source": source}
    yield from _simpler_calls(program)


def _fewer_calls(program):
    calls = program.calls
    if len(calls) > 1:
        yield {"calls": calls[:1]}
        yield {"calls": calls[-1:]}
        for number in range(len(calls)):
            yield {"calls": calls[:number] + calls[number + 1:]}


def _fewer_lines(source):
    lines = source.splitlines(keepends=True)
    for number in range(len(lines)):
        yield {"source": "".join(lines[:number] + lines[number + 1:])}


def _text(tree):
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _blocks(tree):
    """(path, length) of every list of statements; a path is the node's number in ast.walk and the field."""
    for number, node in enumerate(ast.walk(tree)):
        for field in ("body", "orelse", "finalbody", "handlers"):
            items = getattr(node, field, None)
            if isinstance(items, list) and items and isinstance(items[0], (ast.stmt, ast.ExceptHandler)):
                yield number, field, len(items)


def _node(tree, number):
    return next(node for place, node in enumerate(ast.walk(tree)) if place == number)


def _without_statements(tree):
    """Statements left out: halves of a block, then single ones."""
    for number, field, length in _blocks(tree):
        size = length
        while size:
            for start in range(0, length, size):
                new = copy.deepcopy(tree)
                items = getattr(_node(new, number), field)
                if all(isinstance(item, ast.Pass) for item in items[start:start + size]) and length == 1:
                    continue
                del items[start:start + size]
                if not items and field == "body":
                    if number == 0:
                        continue
                    items.append(ast.Pass())
                yield _text(new)
            size //= 2


def _with_bodies_for_statements(tree):
    """The body of an if, loop, try or with in its place."""
    for number, field, length in _blocks(tree):
        for place in range(length):
            item = getattr(_node(tree, number), field)[place]
            for inner in ("body", "orelse", "finalbody"):
                if isinstance(item, (ast.If, ast.For, ast.While, ast.Try, ast.With)) and getattr(item, inner, None):
                    new = copy.deepcopy(tree)
                    items = getattr(_node(new, number), field)
                    items[place:place + 1] = getattr(items[place], inner)
                    yield _text(new)


def _expressions(tree):
    """(number of the owner in ast.walk, field, place in a list or None, expression)."""
    for number, node in enumerate(ast.walk(tree)):
        for field, item in ast.iter_fields(node):
            if isinstance(item, ast.expr) and not isinstance(getattr(item, "ctx", None), (ast.Store, ast.Del)):
                yield number, field, None, item
            elif isinstance(item, list):
                for place, part in enumerate(item):
                    if isinstance(part, ast.expr) and not isinstance(getattr(part, "ctx", None), (ast.Store, ast.Del)):
                        yield number, field, place, part


def _replaced(tree, number, field, place, expression):
    new = copy.deepcopy(tree)
    owner = _node(new, number)
    if place is None:
        setattr(owner, field, expression)
    else:
        getattr(owner, field)[place] = expression
    return _text(new)


def _with_parts_for_expressions(tree):
    """A part of an expression in its place."""
    for number, field, place, item in _expressions(tree):
        for part in ast.iter_child_nodes(item):
            if isinstance(part, ast.expr) and not isinstance(part, ast.Starred):
                yield _replaced(tree, number, field, place, part)


def _with_constants(tree):
    """Constants and names in the place of expressions."""
    for number, field, place, item in _expressions(tree):
        if not isinstance(item, (ast.Constant, ast.Name)):
            for simple in _SIMPLE:
                yield _replaced(tree, number, field, place, simple)


def _simpler_calls(program):
    """Simpler arguments."""
    for number, call in enumerate(program.calls):
        try:
            tree = ast.parse(call, mode="eval")
        except SyntaxError:
            continue
        for change in (_with_parts_for_expressions, _with_constants):
            for text in change(tree):
                if text.strip() != call:
                    yield {"calls": program.calls[:number] + (text.strip(),) + program.calls[number + 1:]}
