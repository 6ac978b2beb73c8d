import gc

import pytest

from jit.machine import monitoring


@pytest.fixture(autouse=True)
def frequent_collections():
    """Let the collector meet every state in between; and forget earlier tests' tracers, as an entry wrapper would."""
    thresholds = gc.get_threshold()
    gc.set_threshold(5)
    monitoring.may_run()
    yield
    gc.set_threshold(*thresholds)
