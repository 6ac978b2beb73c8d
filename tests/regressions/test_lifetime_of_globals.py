"""An object without weak references, once bound to a global that compiled code has read, dies when the global is rebound."""

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
