"""What was reached and what never was: templates, guards, exits, opcodes and operand types.

Features are texts (fuzz/probes.py): ``template:LABEL:TYPES``, ``guard:LABEL:REASON``, ``exit:OPERATION:REASON`` (taken),
``forced:OPERATION:REASON`` (made to be taken), ``opcode:NAME``, ``types:NAME:TYPES``, ``pair:NAME,NAME``. What there is to reach is read
from the compiler: its templates, the guards among them, and the reasons its handlers give for exits.
"""

import ast
import html
import pathlib
from collections import Counter
from functools import cache

import jit.dispatch  # noqa: F401  (declares templates and handlers)
from jit.template import FAMILIES
from jit.walk import HANDLERS
from platforms.cpython import opcodes

#: Methods of the walker that make an exit, with the reason as first argument.
_EXITS = {"exit", "exit_here", "exit_after", "mismatch_exit"}
#: Reasons for exits that no program of ours can bring about, and why.
UNREACHABLE = {
    "out of memory": "memory does not run out", "no memory for the result, or a finaliser ran": "memory does not run out",
    "recursion limit": "programs recurse a few levels", "eval breaker": "no signals or other threads at that moment",
    "the frame is in use": "nobody keeps frames of compiled code", "a finaliser looked at the frame": "finalisers look at no frames",
}
#: Families whose names are put together where they are used, always with an exit that has a reason of its own.
_GIVEN_EXITS = ("store_", "unbox_", "sum_")
KINDS = ("template", "guard", "exit", "opcode")


@cache
def universe(kind):
    """All there is to reach of a kind, sorted."""
    templates = [template for family in FAMILIES.values() for template in family]
    if kind == "template":
        return sorted({template.label for template in templates if template.name != "unreachable"})
    if kind == "guard":
        return sorted({template.label for template in templates if template.takes_exit})
    if kind == "opcode":
        return sorted(HANDLERS.keys() & canonical_names())
    given = families_given_exits()
    guarded = {template.label.replace("_", " ") for template in templates
               if template.takes_exit and template.name not in given and not template.name.startswith(_GIVEN_EXITS)}
    return sorted((exit_reasons() | guarded) - UNREACHABLE.keys())


@cache
def canonical_names():
    """Canonical operations that bytecode of the running version can come to."""
    found = set()
    for name in set(opcodes.raw_names()) - {None}:
        for argument in range(32):
            try:
                found.update(operation for operation, _ in opcodes.canonical_form(name, argument))
            except IndexError:
                break
    return frozenset(found)


@cache
def exit_reasons():
    """Reasons of side exits that the compiler's source names, those made of parts left out."""
    found = set()
    for path in pathlib.Path(jit.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _EXITS and node.args:
                if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                    found.add(node.args[0].value)
    return frozenset(found)


@cache
def families_given_exits():
    """Families of templates that are never used without an exit that has a reason of its own."""
    uses = {True: set(), False: set()}
    for path in pathlib.Path(jit.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("operation", "make", "split", "branch"):
                if node.args and isinstance(node.args[0], ast.Constant):
                    uses[any(keyword.arg == "exit" for keyword in node.keywords)].add(node.args[0].value)
    return frozenset(uses[True] - uses[False])


class Coverage:
    """What a set of features comes to.

    Args:
        features: texts, or a dict of them with counts.
    """

    def __init__(self, features):
        counts = features if isinstance(features, dict) else dict.fromkeys(features, 1)
        self.found = {kind: Counter() for kind in KINDS}
        self.matrix = Counter()
        for feature, count in counts.items():
            kind, _, rest = feature.partition(":")
            first, _, second = rest.partition(":")
            if kind in ("exit", "forced"):
                self.found["exit"][second] += count
            elif kind in ("template", "guard", "opcode"):
                self.found[kind][first] += count
            elif kind == "types":
                self.matrix[first, second or "(none)"] += count
        self.pairs = sum(feature.startswith("pair:") for feature in counts)

    def total(self, kind):
        """How many there are to reach."""
        return len(universe(kind))

    def unreached(self, kind):
        """Those never reached, sorted."""
        return [name for name in universe(kind) if not self.found[kind][name]]

    def reached(self, kind):
        """How many were."""
        return self.total(kind) - len(self.unreached(kind))


def table(coverage):
    """For the terminal: a summary, opcodes by operand types, and what was never reached."""
    lines = [f"{kind + 's':10} {coverage.reached(kind):4} of {coverage.total(kind):4} reached" for kind in KINDS]
    lines += [f"{'pairs':10} {coverage.pairs:4} of opcodes", "", f"{'opcode':28} operand types (cases kept that reached them)"]
    by_opcode = {}
    for (opcode, types), count in coverage.matrix.items():
        by_opcode.setdefault(opcode, []).append((count, types))
    for opcode in sorted(by_opcode):
        found = sorted(by_opcode[opcode], key=lambda pair: (-pair[0], pair[1]))
        shown = ", ".join(f"{types} ({count})" for count, types in found[:6])
        lines.append(f"{opcode:28} {shown}{f' and {len(found) - 6} more' if len(found) > 6 else ''}")
    for kind in KINDS:
        missing = coverage.unreached(kind)
        if missing:
            lines += ["", f"{kind}s never reached:", *(f"  {name}" for name in missing)]
    return "\n".join(lines)


_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fbfbf8; --line: #d5d8dc; --heat: 24, 110, 90; --bad: #b3472f; }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe5ea; --paper: #14181d; --line: #333b44; --heat: 90, 200, 165; --bad: #ee8a6f; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h2 { margin-top: 2.2rem; font-size: 1.15rem; } table { border-collapse: collapse; } .wide { overflow-x: auto; }
td, th { padding: .15rem .45rem; border: 1px solid var(--line); font-size: .8rem; text-align: right; white-space: nowrap; }
th { font-weight: 600; } th.row { text-align: left; font-family: ui-monospace, monospace; } th.up { writing-mode: vertical-rl; text-align: left; }
.bar { background: var(--line); height: .9rem; width: 24rem; max-width: 100%; } .bar div { background: rgb(var(--heat)); height: 100%; }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: .4rem 1rem; align-items: center; max-width: 42rem; }
.missing { color: var(--bad); font-family: ui-monospace, monospace; font-size: .85rem; columns: 3 16rem; padding-left: 1.2rem; }
"""


def html_page(coverage, widest=28):
    """One self-contained page: bars, the picture of opcode by operand types, and what was never reached.

    Args:
        widest: columns of the picture, the types met most often.
    """
    parts = ["<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>",
             f"<title>Fuzz coverage</title><style>{_STYLE}</style></head><body><h1>Fuzz coverage</h1><div class='bars'>"]
    for kind in KINDS:
        reached, total = coverage.reached(kind), coverage.total(kind)
        parts.append(f"<span>{kind}s</span><div class='bar'><div style='width:{100 * reached / total:.1f}%'></div></div>"
                     f"<span>{reached} of {total}</span>")
    parts.append("</div><h2>Opcodes by operand types</h2><div class='wide'>")
    parts.append(_picture(coverage, widest))
    parts.append("</div>")
    for kind in KINDS:
        missing = coverage.unreached(kind)
        if missing:
            items = "".join(f"<li>{html.escape(name)}</li>" for name in missing)
            parts.append(f"<h2>{kind.capitalize()}s never reached</h2><ul class='missing'>{items}</ul>")
    return "\n".join([*parts, "</body></html>"])


def _picture(coverage, widest):
    """The heat map, as a table: the more kept cases reached a cell, the darker."""
    columns = Counter()
    for (_, types), count in coverage.matrix.items():
        columns[types] += count
    columns = [types for types, _ in columns.most_common(widest)]
    rows = sorted({opcode for opcode, _ in coverage.matrix})
    most = max(coverage.matrix.values(), default=1)
    lines = ["<table><tr><th></th>", *(f"<th class='up'>{html.escape(types)}</th>" for types in columns), "</tr>"]
    for opcode in rows:
        cells = []
        for types in columns:
            count = coverage.matrix[opcode, types]
            shade = f" style='background:rgba(var(--heat),{0.15 + 0.85 * (count / most) ** 0.4:.2f})'" if count else ""
            cells.append(f"<td{shade} title='{html.escape(opcode)} {html.escape(types)}'>{count or ''}</td>")
        lines.append(f"<tr><th class='row'>{html.escape(opcode)}</th>{''.join(cells)}</tr>")
    return "\n".join([*lines, "</table>"])
