"""Findings as pytest files: each holds its case, and needs nothing but the project."""

import pprint
import re

from fuzz.processes import Judge

_TEMPLATE = '''"""{title}"""

from fuzz.export import check

{source}CASE = {case}


def test_{name}():
    check({target!r}, CASE)
'''


def check(target, case):
    """Assert that a case shows no difference. It runs in a process of its own, because it may crash.

    Raises:
        AssertionError: it does; the message is the first difference.
    """
    with Judge(target) as judge:
        signature, detail = judge.verdict(case)
    assert signature is None, f"{signature}\n{detail}"


def test_name(text):
    """What can follow ``test_`` in the name of a function."""
    return re.sub(r"\W+", "_", text).strip("_").lower() or "case"


def file_text(target, case, title, name):
    """Source of the pytest file of a case.

    Args:
        target: name. case: plain data; a "source" in it is written out as text. title: first line of the docstring. name: of the test.
    """
    shown, source = dict(case), ""
    if "source" in case and "'''" not in case["source"] and "\\" not in case["source"]:
        source = f"SOURCE = '''\\\n{case['source']}'''\n"
        shown["source"] = "@SOURCE@"
    text = pprint.pformat(shown, width=120, sort_dicts=False).replace("'@SOURCE@'", "SOURCE")
    title = title.replace('"""', "'''").replace("\\", "/")
    return _TEMPLATE.format(title=title, source=source, case=text, name=test_name(name), target=target)
