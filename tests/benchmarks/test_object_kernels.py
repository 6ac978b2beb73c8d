"""The object and container kernels: equal results interpreted and compiled, and the tables of benchmarks/objects.py."""

import object_kernels
import objects
import pytest

import jit
from jit.kernels import same


@pytest.fixture(scope="module")
def compiled():
    return objects.compiled_module()


@pytest.mark.parametrize("name", [kernel.name for kernel in object_kernels.KERNELS])
@pytest.mark.parametrize("scale", [0.001, 0.05])
def test_results_are_equal(name, scale, compiled):
    for _ in range(3):
        expected, found = (module.find(name).function(*module.find(name).make_arguments(scale)) for module in (object_kernels, compiled))
        assert same(expected, found)


def test_methods_are_given_to_jit_and_the_interpreted_side_is_not(compiled):
    if not jit.available():
        pytest.skip(jit.available().reason)
    compiled.find("method_call").function(300)
    assert jit.explain(compiled.Counter.add).state != jit.explain(object_kernels.Counter.add).state
    assert len(object_kernels.OBJECTS) == len(object_kernels.CONTAINERS) == 10


def test_tables():
    kernels = object_kernels.OBJECTS[:2]
    names = [kernel.name for kernel in kernels]
    report = {name: {"interpreted": 0.008, "compiled": 0.001 * number, "first": 0.002, "equal": number == 1, "result": "7"}
              for number, name in enumerate(names, 1)}
    peers = {"other": {name: {"seconds": 0.004, "result": result} for name, result in zip(names, ("7", "8"))}}
    lines = objects.results_table(kernels, report, peers).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[2] == ["int attributes", "8.00", "1.00", "2.00", "8.00", "yes", "2.00"]
    assert cells[3] == ["float attributes", "8.00", "2.00", "2.00", "4.00", "NO", "2.00 WRONG"]
    assert cells[4] == ["geometric mean", "", "", "", "5.66", "", "2.00"]
