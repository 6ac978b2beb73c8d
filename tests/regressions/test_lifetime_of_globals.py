"""An object without weak references, once bound to a global that compiled code has read, dies when the global is rebound."""

from types import ModuleType

import pytest

import jit


def test_a_rebound_instance_of_a_subclass_of_int_is_finalised_at_once():
    log = []

    class Number(int):
        def __del__(self):
            log.append("finalised")

    namespace = {"G": Number(5)}
    exec("def read():\n    return G + 1\ndef rebind():\n    global G\n    G = None", namespace)
    read, rebind = jit.jit(namespace["read"]), jit.jit(namespace["rebind"])
    assert [read(), read()] == [6, 6]
    rebind()
    assert log == ["finalised"]


@pytest.mark.parametrize("place", ["class", "module"])
def test_one_that_a_class_or_a_module_had_as_an_attribute_too(place):
    log = []

    class Number(int):
        def __del__(self):
            log.append("finalised")

    owner = type("Owner", (), {}) if place == "class" else ModuleType("owner")
    owner.level = Number(5)
    namespace = {"OWNER": owner}
    exec("def read():\n    return OWNER.level + 1\ndef read_of(item):\n    return item.level + 1\ndef rebind():\n    OWNER.level = None", namespace)
    read, read_of, rebind = (jit.jit(namespace[name]) for name in ("read", "read_of", "rebind"))
    item = owner() if place == "class" else owner
    assert [read(), read(), read_of(item), read_of(item)] == [6, 6, 6, 6]
    rebind()
    assert log == ["finalised"]
