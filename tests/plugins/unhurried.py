"""A plugin of pytest for tests/packages.py: hypothesis waits as long as it takes, and tries fewer examples.

What takes long is no outcome: while every function is compiled at its first call, an example may take more than the deadline it has. Examples
that define classes take a hundred times as long then.
"""

import pytest
from hypothesis import HealthCheck, settings

#: Of each test, in place of 100.
EXAMPLES = 20


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    """After the suite's own conftest, whose profile is changed."""
    unhurried = {*settings.default.suppress_health_check, HealthCheck.too_slow}
    settings.register_profile("unhurried", deadline=None, max_examples=EXAMPLES, suppress_health_check=sorted(unhurried, key=str))
    settings.load_profile("unhurried")
