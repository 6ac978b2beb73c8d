"""Operators whose method answers NotImplemented: builtin bases are asked too, and messages name the types as they are then."""

import jit
import pytest


def both(source, *arguments):
    found = []
    for compiled in (False, True):
        namespace = {}
        exec(source, namespace)
        if compiled:
            for item in list(namespace.values()):
                if isinstance(item, type):
                    for method in vars(item).values():
                        if callable(method):
                            jit.jit(method)
            jit.jit(namespace["work"])
        results = []
        for _ in range(4):
            try:
                results.append(repr(namespace["work"](*(eval(text, namespace) for text in arguments))))
            except TypeError as error:
                results.append(str(error))
        found.append(results)
    assert found[0] == found[1]


def test_a_subclass_of_int_that_does_not_know():
    both("class A(int):\n    def __rsub__(self, other): return NotImplemented\ndef work(a, b): return a - b", "2", "A(7)")


@pytest.mark.parametrize("call", [("0", "B()"), ("B()", "0")])
def test_the_class_changes_while_its_method_runs(call):
    both("class A: pass\nclass B:\n    def __truediv__(self, other):\n        self.__class__ = A\n        return NotImplemented\n"
         "    __rtruediv__ = __truediv__\ndef work(a, b): return a / b", *call)
