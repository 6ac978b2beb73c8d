"""An attribute of a module is what its class says: the class may change, and has attributes that come before the module's own."""

import types

import pytest

import jit


def test_module_that_gets_another_class():
    class Other(types.ModuleType):
        @property
        def value(self):
            return "property"

    module = types.ModuleType("module")
    module.value = 1

    def change(other):
        found = [module.value]
        module.__class__ = other
        found.append(module.value)
        module.__class__ = types.ModuleType
        return [*found, module.value]

    expected = change(Other)
    compiled = jit.jit(change)
    for _ in range(3):
        assert compiled(Other) == expected == [1, "property", 1]


@pytest.mark.parametrize("name", ["__class__", "__dict__"])
def test_names_in_modules_that_modules_do_not_look_up(name):
    module = types.ModuleType("module")
    module.__dict__[name] = 5
    namespace = {"module": module}
    exec(f"def f():\n    total = 0\n    for i in range(3):\n        total += i\n    return total, module.{name}", namespace)
    expected = namespace["f"]()
    assert jit.jit(namespace["f"])() == expected and expected[1] != 5
